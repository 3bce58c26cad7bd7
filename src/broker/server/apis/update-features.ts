// UpdateFeatures 0-2 (key 57): the levels of features are those of the running version. To ask for the level at which a
// feature stands changes nothing and succeeds; any other level, and features that are not there, are refused.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { mayOnCluster } from '../allowed.ts'
import { features } from '../features.ts'
import { type Asking, shortened } from '../serving.ts'

interface Problem {
  readonly errorCode: number
  readonly errorMessage: string | null
}
const none: Problem = { errorCode: kafkaErrors.NONE, errorMessage: null }
/** From here on one answer is given for all features together. */
const oneAnswerSince = 2

export function updateFeatures(
  { featureUpdates }: RequestOf<'updateFeatures'>,
  asking: Asking,
): ResponseTo<'updateFeatures'> {
  if (!mayOnCluster(asking, 'alter')) {
    return { errorCode: kafkaErrors.CLUSTER_AUTHORIZATION_FAILED, errorMessage: null, results: [] }
  }
  const results = featureUpdates.map(({ feature, maxVersionLevel }) => ({
    feature,
    ...judged(feature, maxVersionLevel),
  }))
  const failed = results.find(({ errorCode }) => errorCode !== kafkaErrors.NONE)
  if (asking.version < oneAnswerSince || failed === undefined) return { ...none, results }
  const { errorCode, errorMessage } = failed
  return { errorCode, errorMessage, results }
}

function judged(name: string, level: number): Problem {
  const feature = features.find((each) => each.name === name)
  if (feature === undefined) {
    const errorMessage = shortened(`there is no feature ${name}`)
    return { errorCode: kafkaErrors.INVALID_UPDATE_VERSION, errorMessage }
  }
  if (feature.levelMax === level) return none
  const errorMessage = `${name} stands at ${feature.levelMax} in this version, and cannot be set to ${level}`
  return { errorCode: kafkaErrors.FEATURE_UPDATE_FAILED, errorMessage }
}
