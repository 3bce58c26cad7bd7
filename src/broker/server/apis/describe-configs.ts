// DescribeConfigs 1-4 (key 32): the settings of topics and of the broker, with what would hold without them (synonyms), types
// and documentation (3+); of a group, which has no settings of its own, those that hold for all groups.
// Left out: loggers and client metrics (they have no settings here), sensitive values (there are none).
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import {
  type ConfigProblem,
  configResources,
  forbidden,
  noConfigs,
  noSuchBroker,
  scopeOf,
} from '../config-resources.ts'
import { once } from '../once.ts'
import { type Asking, shortened } from '../serving.ts'
import {
  type ConfigEntry,
  describeBrokerConfigs,
  describeGroupConfigs,
  describeTopicConfigs,
} from '../shown-configs.ts'

type ResourceAnswer = ResponseTo<'describeConfigs'>['results'][number]

export function describeConfigs(request: RequestOf<'describeConfigs'>, asking: Asking): ResponseTo<'describeConfigs'> {
  const { includeSynonyms, includeDocumentation } = request
  const resources = once(request.resources, ({ resourceType, resourceName }) => `${resourceType} ${resourceName}`)
  const results = resources.map(({ resourceType, resourceName, configurationKeys }): ResourceAnswer => {
    const found =
      forbidden(asking, 'describe-configs', resourceType, resourceName) ?? entriesOf(asking, resourceType, resourceName)
    if (!Array.isArray(found)) return { resourceType, resourceName, configs: [], ...found }
    const entries = configurationKeys === null ? found : found.filter(({ name }) => configurationKeys.includes(name))
    const configs = entries.map(({ name, value, source, synonyms, type, readOnly, documentation }) => ({
      name,
      value,
      readOnly,
      configSource: source,
      isSensitive: false,
      synonyms: includeSynonyms ? synonyms : [],
      configType: type,
      documentation: includeDocumentation ? documentation : null,
    }))
    return { resourceType, resourceName, errorCode: kafkaErrors.NONE, errorMessage: null, configs }
  })
  return { results }
}

function entriesOf(asking: Asking, resourceType: number, resourceName: string): ConfigEntry[] | ConfigProblem {
  const { core } = asking.serving
  switch (resourceType) {
    case configResources.topic: {
      const topic = core.topic(resourceName)
      if (topic !== null) return describeTopicConfigs(core, topic.configs)
      const errorMessage = shortened(`there is no topic "${resourceName}"`)
      return { errorCode: kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION, errorMessage }
    }
    case configResources.broker: {
      const scope = scopeOf(core, resourceName)
      return scope === null ? noSuchBroker(core) : describeBrokerConfigs(asking, scope)
    }
    case configResources.group:
      return describeGroupConfigs(asking)
    default:
      return noConfigs(resourceType)
  }
}
