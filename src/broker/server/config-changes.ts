// Changes of settings that a client asks for, of one resource: checked, and made when they are not only to be looked at.
// Topics take their own; the broker those that are defaults for topics. All of a resource's changes are made, or none.
import { LogError } from '../../log/log.ts'
import { kafkaErrors } from '../../wire/wire.ts'
import { brokerConfigSetting, brokerConfigs } from '../broker-setting.ts'
import { configProblem, listOf, topicConfig, topicConfigOfBroker } from '../topic-configs.ts'
import { type ConfigProblem, configResources, forbidden, noConfigs, noSuchBroker, scopeOf } from './config-resources.ts'
import { cannotWrite, isOfTheHouse } from './house-topics.ts'
import { type Asking, refusal, shortened } from './serving.ts'

type Configs = Readonly<Record<string, string>>
export type ConfigOperation = 'set' | 'delete' | 'append' | 'subtract'
export interface ConfigChange {
  readonly name: string
  readonly operation: ConfigOperation
  readonly value: string | null
}
export interface ResourceChange {
  readonly resourceType: number
  readonly resourceName: string
  /** What is not named is not set any more. */
  readonly replace: boolean
  readonly changes: readonly ConfigChange[]
}
export const unchanged: ConfigProblem = { errorCode: kafkaErrors.NONE, errorMessage: null }

/** Each resource on its own; one that stands there twice is refused. */
export async function changeResources(
  asking: Asking,
  resources: readonly ResourceChange[],
  validateOnly: boolean,
): Promise<(ConfigProblem & { readonly resourceType: number; readonly resourceName: string })[]> {
  const keyOf = ({ resourceType, resourceName }: ResourceChange): string => `${resourceType} ${resourceName}`
  const times = new Map<string, number>()
  for (const resource of resources) times.set(keyOf(resource), (times.get(keyOf(resource)) ?? 0) + 1)
  const answers = resources.map(async (resource) => {
    const { resourceType, resourceName } = resource
    const { errorCode, errorMessage } =
      times.get(keyOf(resource)) === 1
        ? await changeOne(asking, resource, validateOnly)
        : invalid(`the resource ${resourceName} stands here several times`)
    const told = errorMessage === null ? null : shortened(errorMessage)
    return { resourceType, resourceName, errorCode, errorMessage: told }
  })
  return Promise.all(answers)
}
const invalid = (errorMessage: string): ConfigProblem => ({ errorCode: kafkaErrors.INVALID_REQUEST, errorMessage })

async function changeOne(asking: Asking, resource: ResourceChange, validateOnly: boolean): Promise<ConfigProblem> {
  const { resourceType, resourceName, changes } = resource
  const { core, topics } = asking.serving
  const problem = forbidden(asking, 'alter-configs', resourceType, resourceName) ?? malformed(changes)
  if (problem !== null) return problem
  try {
    switch (resourceType) {
      case configResources.topic: {
        const { topic, errorCode } = topics.byName(resourceName)
        if (topic === null) return { errorCode, errorMessage: `there is no topic ${resourceName}` }
        if (isOfTheHouse(core, resourceName)) return cannotWrite(resourceName)
        const change = (set: Configs): Configs => changed(resource, set, (name) => name, core.configDefaults)
        if (validateOnly) change(topic.configs)
        else await core.alterTopic(resourceName, change)
        return unchanged
      }
      case configResources.broker: {
        const scope = scopeOf(core, resourceName)
        if (scope === null) return noSuchBroker(core)
        const before = brokerConfigs(core.settings.all(), scope)
        const after = changed(resource, before, topicConfigOfBroker, core.configDefaults)
        const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
        const settings = names
          .filter((name) => before[name] !== after[name])
          .map((name) => brokerConfigSetting(scope, name, after[name] ?? null))
        if (!validateOnly && settings.length > 0) await core.settings.set(settings)
        return unchanged
      }
      case configResources.group:
        return { errorCode: kafkaErrors.INVALID_CONFIG, errorMessage: 'groups have no settings of their own here' }
      default:
        return noConfigs(resourceType)
    }
  } catch (error) {
    return refusal(error)
  }
}

function malformed(changes: readonly ConfigChange[]): ConfigProblem | null {
  const names = new Set<string>()
  for (const { name, operation, value } of changes) {
    if (names.has(name)) return invalid(`the config ${name} stands here several times`)
    names.add(name)
    if (value === null && operation !== 'delete') return invalid(`the config ${name} is to be null; delete it instead`)
  }
  return null
}

/** What is set after the changes. `topicName` gives the name that topics have for a config. Throws a LogError INVALID_CONFIG. */
function changed(
  { replace, changes }: ResourceChange,
  before: Configs,
  topicName: (name: string) => string | null,
  defaults: Configs,
): Configs {
  const after = new Map(replace ? [] : Object.entries(before))
  for (const { name, operation, value } of changes) {
    const ownName = topicName(name)
    const known = ownName === null ? null : topicConfig(ownName)
    if (ownName === null || known === null) {
      throw new LogError('INVALID_CONFIG', `there is no config "${name}" that could be changed here`)
    }
    if (operation === 'delete') {
      after.delete(name)
      continue
    }
    let to = value ?? ''
    if (operation === 'append' || operation === 'subtract') {
      if (known.type !== 'list') {
        throw new LogError('INVALID_CONFIG', `${name} is no list: a value can be set, and not ${operation}ed`)
      }
      const now = listOf(after.get(name) ?? defaults[ownName] ?? known.fallback)
      const given = listOf(to)
      const rest = now.filter((each) => !given.includes(each))
      to = (operation === 'subtract' ? rest : [...now, ...given.filter((each) => !now.includes(each))]).join(',')
    }
    const problem = configProblem({ [ownName]: to })
    if (problem !== null) throw new LogError('INVALID_CONFIG', problem)
    after.set(name, to)
  }
  return Object.fromEntries(after)
}
