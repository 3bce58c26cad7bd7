// A config of the broker as administrators set it while it runs: the default for all topics that do not say otherwise. For
// this broker by its number, or for the cluster, which a broker's own comes before (KIP-226).
import { assert } from '../std/assert.ts'
import { topicConfigOfBroker } from './topic-configs.ts'

export type ConfigScope = 'broker' | 'cluster'
export interface BrokerConfigSetting {
  readonly what: 'broker-config'
  /** Scope and name, with a slash between. */
  readonly about: string
  /** Null: it is not set any more. */
  readonly value: { readonly value: string } | null
}

export function brokerConfigSetting(scope: ConfigScope, name: string, value: string | null): BrokerConfigSetting {
  return { what: 'broker-config', about: `${scope}/${name}`, value: value === null ? null : { value } }
}
/** From a journal entry: our own bytes, checked all the same. */
export function readBrokerConfigSetting(
  about: string,
  value: Readonly<Record<string, unknown>> | null,
): BrokerConfigSetting {
  if (value === null) return { what: 'broker-config', about, value }
  assert(typeof value.value === 'string', `a broker's config ${about} is ${String(value.value)}`)
  return { what: 'broker-config', about, value: { value: value.value } }
}

interface AnySetting {
  readonly what: string
}
const isBrokerConfig = (setting: AnySetting): setting is BrokerConfigSetting => setting.what === 'broker-config'

/** What is set in this scope, by the broker's names. */
export function brokerConfigs(settings: readonly AnySetting[], scope: ConfigScope): Record<string, string> {
  const set: Record<string, string> = {}
  for (const setting of settings) {
    if (!isBrokerConfig(setting) || setting.value === null || !setting.about.startsWith(`${scope}/`)) continue
    set[setting.about.slice(scope.length + 1)] = setting.value.value
  }
  return set
}
/** The defaults that these settings make for topics, by the topics' names. */
export function topicDefaultsIn(settings: readonly AnySetting[]): Record<string, string> {
  const defaults: Record<string, string> = {}
  for (const scope of ['cluster', 'broker'] as const) {
    for (const [brokerName, value] of Object.entries(brokerConfigs(settings, scope))) {
      const name = topicConfigOfBroker(brokerName)
      if (name !== null) defaults[name] = value
    }
  }
  return defaults
}
