// The topic configs of Kafka: their types, defaults, what values they take here, and what each of them does. A value that
// could not be kept is refused with the reason, so nothing that was set is ignored in silence.
import { configDocumentation } from './topic-config-documentation.ts'

type Check = (value: string) => string | null

const integer =
  (min: bigint, max: bigint = 2n ** 63n - 1n): Check =>
  (value) => {
    if (!/^-?\d{1,19}$/.test(value)) return 'must be a whole number'
    const number = BigInt(value)
    return number >= min && number <= max ? null : `must be between ${min} and ${max}`
  }
const int31 = 2n ** 31n - 1n
const longest = '9223372036854775807'
const ratio: Check = (value) => {
  const number = Number(value)
  return value.trim() !== '' && number >= 0 && number <= 1 ? null : 'must be between 0 and 1'
}
const oneOf =
  (...values: readonly string[]): Check =>
  (value) =>
    values.includes(value) ? null : `must be one of ${values.join(', ')}`
const policies: Check = (value) => {
  const names = listOf(value)
  return names.length > 0 && names.every((name) => name === 'delete' || name === 'compact')
    ? null
    : 'must be delete, compact, or both with a comma between'
}
/** We store batches as they come and sync each one: other values could not be kept. */
const only =
  (value: string, why: string): Check =>
  (given) =>
    given === value ? null : `must be ${value === '' ? 'empty' : value}: ${why}`

const received = 'batches are stored as they are received, compressed by their producers'
const oneBroker = 'there is one broker, and each partition is there once'
const noTiers = 'there is no tiered storage'
const anyTime = 'records of any time are taken'

export type ConfigType = 'boolean' | 'string' | 'int' | 'long' | 'double' | 'list'
export interface TopicConfig {
  readonly type: ConfigType
  readonly fallback: string
  /** The broker's config that is the default for all topics. */
  readonly brokerName: string
  readonly check: Check
  readonly documentation: string
}
const config = (type: ConfigType, brokerName: string, fallback: string, check: Check) => ({
  type,
  brokerName,
  fallback,
  check,
})

const configs = {
  'cleanup.policy': config('list', 'log.cleanup.policy', 'delete', policies),
  'compression.gzip.level': config('int', 'compression.gzip.level', '-1', only('-1', received)),
  'compression.lz4.level': config('int', 'compression.lz4.level', '9', only('9', received)),
  'compression.type': config('string', 'compression.type', 'producer', only('producer', received)),
  'compression.zstd.level': config('int', 'compression.zstd.level', '3', only('3', received)),
  'delete.retention.ms': config('long', 'log.cleaner.delete.retention.ms', '86400000', integer(0n)),
  'file.delete.delay.ms': config('long', 'log.segment.delete.delay.ms', '60000', integer(0n)),
  'flush.messages': config('long', 'log.flush.interval.messages', longest, integer(1n)),
  'flush.ms': config('long', 'log.flush.interval.ms', longest, integer(0n)),
  'follower.replication.throttled.replicas': config('list', '', '', only('', oneBroker)),
  'index.interval.bytes': config('int', 'log.index.interval.bytes', '4096', integer(0n, int31)),
  'leader.replication.throttled.replicas': config('list', '', '', only('', oneBroker)),
  'local.retention.bytes': config('long', 'log.local.retention.bytes', '-2', only('-2', noTiers)),
  'local.retention.ms': config('long', 'log.local.retention.ms', '-2', only('-2', noTiers)),
  'max.compaction.lag.ms': config('long', 'log.cleaner.max.compaction.lag.ms', longest, integer(1n)),
  'max.message.bytes': config('int', 'message.max.bytes', '1048588', integer(0n, int31)),
  'message.timestamp.after.max.ms': config(
    'long',
    'log.message.timestamp.after.max.ms',
    longest,
    only(longest, anyTime),
  ),
  'message.timestamp.before.max.ms': config(
    'long',
    'log.message.timestamp.before.max.ms',
    longest,
    only(longest, anyTime),
  ),
  'message.timestamp.type': config(
    'string',
    'log.message.timestamp.type',
    'CreateTime',
    oneOf('CreateTime', 'LogAppendTime'),
  ),
  'min.cleanable.dirty.ratio': config('double', 'log.cleaner.min.cleanable.ratio', '0.5', ratio),
  'min.compaction.lag.ms': config('long', 'log.cleaner.min.compaction.lag.ms', '0', integer(0n)),
  'min.insync.replicas': config('int', 'min.insync.replicas', '1', only('1', oneBroker)),
  preallocate: config('boolean', 'log.preallocate', 'false', oneOf('true', 'false')),
  'remote.log.copy.disable': config('boolean', '', 'false', only('false', noTiers)),
  'remote.log.delete.on.disable': config('boolean', '', 'false', only('false', noTiers)),
  'remote.storage.enable': config('boolean', '', 'false', only('false', noTiers)),
  'retention.bytes': config('long', 'log.retention.bytes', '-1', integer(-1n)),
  'retention.ms': config('long', 'log.retention.ms', '604800000', integer(-1n)),
  'segment.bytes': config('int', 'log.segment.bytes', '1073741824', integer(14n, int31)),
  'segment.index.bytes': config('int', 'log.index.size.max.bytes', '10485760', integer(4n, int31)),
  'segment.jitter.ms': config('long', 'log.roll.jitter.ms', '0', integer(0n)),
  'segment.ms': config('long', 'log.roll.ms', '604800000', integer(1n)),
  'unclean.leader.election.enable': config(
    'boolean',
    'unclean.leader.election.enable',
    'false',
    only('false', oneBroker),
  ),
} as const
export type TopicConfigName = keyof typeof configs

const documentation: Readonly<Record<string, string>> = configDocumentation
const byName: ReadonlyMap<string, TopicConfig> = new Map(
  Object.entries(configs).map(([name, each]) => [name, { ...each, documentation: documentation[name] ?? '' }]),
)
const nameByBrokerName: ReadonlyMap<string, string> = new Map(
  Object.entries(configs).flatMap(([name, { brokerName }]) => (brokerName === '' ? [] : [[brokerName, name]])),
)

export const configDefaults: Readonly<Record<string, string>> = Object.fromEntries(
  [...byName].map(([name, { fallback }]) => [name, fallback]),
)
export const topicConfigNames: readonly string[] = [...byName.keys()]
export function topicConfig(name: string): TopicConfig | null {
  return byName.get(name) ?? null
}
/** The topic config whose default the broker's config is, or null. */
export function topicConfigOfBroker(brokerName: string): string | null {
  return nameByBrokerName.get(brokerName) ?? null
}
/** The values of a list. */
export function listOf(value: string): string[] {
  return value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

/** What is wrong with the configs, or null. */
export function configProblem(given: Readonly<Record<string, string>>): string | null {
  for (const [name, value] of Object.entries(given)) {
    const known = byName.get(name)
    if (known === undefined) return `there is no topic config "${name}"`
    const problem = known.check(value)
    if (problem !== null) return `${name}=${value}: ${problem}`
  }
  return null
}
