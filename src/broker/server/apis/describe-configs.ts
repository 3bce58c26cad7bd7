// DescribeConfigs 1-4 (key 32): the settings of topics, and the few of the broker that a client may want to know.
// Left out: documentation texts, other resources (loggers, groups, client metrics).
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { mayOnCluster } from '../allowed.ts'
import { type Asking, type Serving, shortened } from '../serving.ts'
import {
  type ConfigEntry,
  configSources,
  configType,
  describeBrokerConfigs,
  describeTopicConfigs,
} from '../shown-configs.ts'

type ResourceAnswer = ResponseTo<'describeConfigs'>['results'][number]
interface Problem {
  readonly errorCode: number
  readonly errorMessage: string | null
}
const topicResource = 2
const brokerResource = 4

export function describeConfigs(request: RequestOf<'describeConfigs'>, asking: Asking): ResponseTo<'describeConfigs'> {
  const results = request.resources.map(({ resourceType, resourceName, configurationKeys }): ResourceAnswer => {
    const found = forbidden(asking, resourceType, resourceName) ?? entriesOf(asking.serving, resourceType, resourceName)
    if (!Array.isArray(found)) return { resourceType, resourceName, configs: [], ...found }
    const entries = configurationKeys === null ? found : found.filter(({ name }) => configurationKeys.includes(name))
    const configs = entries.map(({ name, value, source, fallback }) => ({
      name,
      value,
      readOnly: resourceType === brokerResource,
      configSource: source,
      isSensitive: false,
      synonyms: request.includeSynonyms ? synonyms({ name, value, source, fallback }) : [],
      configType: configType(value),
      documentation: null,
    }))
    return { resourceType, resourceName, errorCode: kafkaErrors.NONE, errorMessage: null, configs }
  })
  return { results }
}

function forbidden(asking: Asking, resourceType: number, resourceName: string): Problem | null {
  if (resourceType === topicResource && !asking.may('describe-configs', 'topic', resourceName)) {
    return { errorCode: kafkaErrors.TOPIC_AUTHORIZATION_FAILED, errorMessage: null }
  }
  if (resourceType === brokerResource && !mayOnCluster(asking, 'describe-configs')) {
    return { errorCode: kafkaErrors.CLUSTER_AUTHORIZATION_FAILED, errorMessage: null }
  }
  return null
}

function entriesOf({ core }: Serving, resourceType: number, resourceName: string): ConfigEntry[] | Problem {
  if (resourceType === topicResource) {
    const topic = core.topic(resourceName)
    if (topic !== null) return describeTopicConfigs(core, topic.configs)
    return {
      errorCode: kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION,
      errorMessage: shortened(`there is no topic "${resourceName}"`),
    }
  }
  if (resourceType === brokerResource) {
    if (resourceName === '' || resourceName === String(core.nodeId)) return describeBrokerConfigs(core)
    return { errorCode: kafkaErrors.INVALID_REQUEST, errorMessage: `the only broker is ${core.nodeId}` }
  }
  return {
    errorCode: kafkaErrors.INVALID_REQUEST,
    errorMessage: `topics (2) and brokers (4) have configs, not ${resourceType}`,
  }
}

/** Where the value comes from, the strongest first. */
function synonyms({ name, value, source, fallback }: ConfigEntry) {
  const own = { name, value, source }
  return source === configSources.default || fallback === null
    ? [own]
    : [own, { name, value: fallback, source: configSources.default }]
}
