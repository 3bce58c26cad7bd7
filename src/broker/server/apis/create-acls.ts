// CreateAcls 1-3 (key 30): new access rules, each on its own, answered when they are durable. One that is there already is
// no error. SECURITY_DISABLED without access control.
// Left out: rules about delegation tokens and tokens of users (there are none).
import { LogError } from '../../../log/log.ts'
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { accessRulesMax } from '../../security/access-control.ts'
import { type AccessRule, checkRule, ruleName, ruleSetting } from '../../security/access-rules.ts'
import { accessIsOff, ruleOf } from '../acl-requests.ts'
import { mayOnCluster } from '../allowed.ts'
import { type Asking, refusal } from '../serving.ts'

type Result = ResponseTo<'createAcls'>['results'][number]
const made: Result = { errorCode: kafkaErrors.NONE, errorMessage: null }
const wrong = (errorMessage: string): Result => ({ errorCode: kafkaErrors.INVALID_REQUEST, errorMessage })

export async function createAcls(
  { creations }: RequestOf<'createAcls'>,
  asking: Asking,
): Promise<ResponseTo<'createAcls'>> {
  const { security, core } = asking.serving
  const { access } = security
  const all = (result: Result) => ({ results: creations.map(() => result) })
  if (!access.isOn) return all(accessIsOff)
  if (!mayOnCluster(asking, 'alter')) {
    return all({ errorCode: kafkaErrors.CLUSTER_AUTHORIZATION_FAILED, errorMessage: null })
  }
  const fresh = new Map<string, AccessRule>()
  const results = creations.map((creation): Result => {
    const rule = ruleOf(creation)
    if (rule === null) return wrong('a kind of resource, pattern, operation or permission that no rule can have')
    try {
      checkRule(rule)
    } catch (error) {
      if (!(error instanceof LogError)) throw error
      return wrong(error.message)
    }
    if (access.has(rule) || fresh.has(ruleName(rule))) return made
    if (access.size + fresh.size >= accessRulesMax) return wrong(`${accessRulesMax} rules are kept at most`)
    fresh.set(ruleName(rule), rule)
    return made
  })
  try {
    await core.settings.set([...fresh.values()].map(ruleSetting))
    return { results }
  } catch (error) {
    const failed = refusal(error)
    return { results: results.map((result) => (result === made ? failed : result)) }
  }
}
