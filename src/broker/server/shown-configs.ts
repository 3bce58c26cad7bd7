// The settings of topics and of the broker as the protocol shows them: value, where it comes from, its type.
import type { BrokerCore } from '../core.ts'

/** Kafka's ConfigSource codes, as far as we have such sources. */
export const configSources = { topic: 1, brokerStatic: 4, default: 5 } as const

export interface ConfigEntry {
  readonly name: string
  readonly value: string
  readonly source: number
  /** The default that would hold without it; null if there is none. */
  readonly fallback: string | null
}

/** All topic configs, those that were set over the defaults. */
export function describeTopicConfigs(core: BrokerCore, set: Readonly<Record<string, string>>): ConfigEntry[] {
  return Object.entries(core.configDefaults).map(([name, fallback]) => {
    const own = Object.hasOwn(set, name) ? set[name] : undefined
    return own === undefined
      ? { name, value: fallback, source: configSources.default, fallback }
      : { name, value: own, source: configSources.topic, fallback }
  })
}

/** Partitions of a topic that is created without a number. */
export const brokerDefaultPartitions = (core: BrokerCore): number => core.autoCreate?.partitions ?? 1

export function describeBrokerConfigs(core: BrokerCore): ConfigEntry[] {
  const values: readonly (readonly [string, string])[] = [
    ['auto.create.topics.enable', String(core.autoCreate !== null)],
    ['default.replication.factor', '1'],
    ['node.id', String(core.nodeId)],
    ['num.partitions', String(brokerDefaultPartitions(core))],
  ]
  return values.map(([name, value]) => ({ name, value, source: configSources.brokerStatic, fallback: null }))
}

/** Kafka's ConfigType code, told from the value: 1 boolean, 2 string, 5 long. */
export function configType(value: string): number {
  if (value === 'true' || value === 'false') return 1
  return /^-?\d+$/.test(value) ? 5 : 2
}
