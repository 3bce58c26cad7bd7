// The settings of topics and of the broker as the protocol shows them: value, where it comes from and what would hold
// without it, type, and what it does.
import { brokerConfigs, type ConfigScope } from '../broker-setting.ts'
import type { BrokerCore } from '../core.ts'
import { type TopicConfig, topicConfig } from '../topic-configs.ts'
import type { Asking } from './serving.ts'

/** Kafka's ConfigSource codes, as far as we have such sources; the stronger first. */
export const configSources = { topic: 1, broker: 2, cluster: 3, brokerStatic: 4, default: 5 } as const
/** Kafka's ConfigType codes. */
const types = { boolean: 1, string: 2, int: 3, long: 5, double: 6, list: 7 } as const

export interface ShownConfig {
  readonly name: string
  readonly value: string
  readonly source: number
}
export interface ConfigEntry extends ShownConfig {
  /** The value, and those that would hold without it, the strongest first. */
  readonly synonyms: readonly ShownConfig[]
  readonly type: number
  readonly readOnly: boolean
  readonly documentation: string
}

interface Layers {
  readonly broker: Readonly<Record<string, string>>
  readonly cluster: Readonly<Record<string, string>>
}
function layersOf({ settings }: BrokerCore): Layers {
  const all = settings.all()
  return { broker: brokerConfigs(all, 'broker'), cluster: brokerConfigs(all, 'cluster') }
}
/** What holds for topics that do not say otherwise, the strongest first. */
function defaultsOf(name: string, { brokerName, fallback }: TopicConfig, layers: Layers): ShownConfig[] {
  const shown: ShownConfig[] = []
  for (const scope of ['broker', 'cluster'] as const) {
    const value = layers[scope][brokerName]
    if (value !== undefined) shown.push({ name: brokerName, value, source: configSources[scope] })
  }
  shown.push({ name: brokerName === '' ? name : brokerName, value: fallback, source: configSources.default })
  return shown
}
function entryOf(name: string, known: TopicConfig, synonyms: readonly ShownConfig[], readOnly = false): ConfigEntry {
  const { value, source } = synonyms[0]!
  return { name, value, source, synonyms, type: types[known.type], readOnly, documentation: known.documentation }
}

/** All topic configs, those that were set over the defaults. */
export function describeTopicConfigs(core: BrokerCore, set: Readonly<Record<string, string>>): ConfigEntry[] {
  const layers = layersOf(core)
  return knownConfigs(core).map(([name, known]) => {
    const own = Object.hasOwn(set, name) ? [{ name, value: set[name]!, source: configSources.topic }] : []
    return entryOf(name, known, [...own, ...defaultsOf(name, known, layers)])
  })
}
function knownConfigs({ configDefaults }: BrokerCore): (readonly [string, TopicConfig])[] {
  return Object.keys(configDefaults).flatMap((name) => {
    const known = topicConfig(name)
    return known === null ? [] : [[name, known] as const]
  })
}

/** Partitions of a topic that is created without a number. */
export const brokerDefaultPartitions = (core: BrokerCore): number => core.autoCreate?.partitions ?? 1

/** Of one broker all there is; of the cluster what was set for it. */
export function describeBrokerConfigs(asking: Asking, scope: ConfigScope): ConfigEntry[] {
  const { core } = asking.serving
  const layers = layersOf(core)
  const changeable = knownConfigs(core).flatMap(([name, known]) => {
    if (known.brokerName === '') return []
    const synonyms = defaultsOf(name, known, scope === 'broker' ? layers : { broker: {}, cluster: layers.cluster })
    if (scope === 'cluster' && synonyms[0]!.source !== configSources.cluster) return []
    return entryOf(known.brokerName, known, synonyms)
  })
  return scope === 'cluster' ? changeable : [...changeable, ...staticConfigs(asking)]
}

/** What holds for every group: they have no settings of their own. */
export function describeGroupConfigs({ serving }: Asking): ConfigEntry[] {
  const { consumerHeartbeatMs, consumerSessionMs } = serving.groups.settings
  return [
    fixed('consumer.heartbeat.interval.ms', String(consumerHeartbeatMs), 'How often members of KIP-848 are to report.'),
    fixed(
      'consumer.session.timeout.ms',
      String(consumerSessionMs),
      'A member of KIP-848 that is silent so long is gone.',
    ),
  ]
}

/** What was settled when the broker was started. */
function staticConfigs({ serving, advertised }: Asking): ConfigEntry[] {
  const { core, limits } = serving
  const values: readonly (readonly [name: string, value: string, documentation: string])[] = [
    ['advertised.listeners', `PLAINTEXT://${advertised.host}:${advertised.port}`, 'Where clients are told to come.'],
    ['auto.create.topics.enable', String(core.autoCreate !== null), 'Topics are made on first use.'],
    ['broker.id', String(core.nodeId), 'The number of the only broker.'],
    ['connections.max.idle.ms', String(limits.idleMsMax), 'A connection that is silent for so long is closed.'],
    ['default.replication.factor', '1', 'There is one broker, and each partition is there once.'],
    ['delete.topic.enable', 'true', 'Topics can be deleted.'],
    ['fetch.max.bytes', String(limits.fetchBytesMax), 'Records in one answer to a consumer, at most.'],
    ['log.dirs', core.logDir().folder, 'The data directory.'],
    ['max.connections', String(limits.connectionsMax), 'Connections at a time.'],
    ['max.connections.per.ip', String(limits.connectionsPerAddressMax), 'Connections at a time from one address.'],
    ['node.id', String(core.nodeId), 'The number of the only broker.'],
    ['num.partitions', String(brokerDefaultPartitions(core)), 'Partitions of a topic that is made without a number.'],
    ['process.roles', 'broker,controller', 'One process is both.'],
    ['socket.request.max.bytes', String(limits.frameBytesMax), 'A larger request is refused.'],
  ]
  return values.map((each) => fixed(...each))
}
function fixed(name: string, value: string, documentation: string): ConfigEntry {
  const shown = { name, value, source: configSources.brokerStatic }
  return { ...shown, synonyms: [shown], type: typeOf(value), readOnly: true, documentation }
}
function typeOf(value: string): number {
  if (value === 'true' || value === 'false') return types.boolean
  return /^-?\d+$/.test(value) ? types.int : types.string
}
