// The topic configs of Kafka that can be set here: their defaults, and what values they take.

type Check = (value: string) => string | null

const integer =
  (min: bigint, max: bigint = 2n ** 63n - 1n): Check =>
  (value) => {
    if (!/^-?\d{1,19}$/.test(value)) return 'must be a whole number'
    const number = BigInt(value)
    return number >= min && number <= max ? null : `must be between ${min} and ${max}`
  }
const int31 = 2n ** 31n - 1n
const ratio: Check = (value) => {
  const number = Number(value)
  return value.trim() !== '' && number >= 0 && number <= 1 ? null : 'must be between 0 and 1'
}
const oneOf =
  (...values: readonly string[]): Check =>
  (value) =>
    values.includes(value) ? null : `must be one of ${values.join(', ')}`
const policies: Check = (value) => {
  const names = value.split(',').map((name) => name.trim())
  return names.length > 0 && names.every((name) => name === 'delete' || name === 'compact')
    ? null
    : 'must be delete, compact, or both with a comma between'
}
/** We store batches as they come and sync each one: other values could not be kept. */
const only =
  (value: string, why: string): Check =>
  (given) =>
    given === value ? null : `must be ${value}: ${why}`

const configs: Readonly<Record<string, { readonly fallback: string; readonly check: Check }>> = {
  'cleanup.policy': { fallback: 'delete', check: policies },
  'compression.type': { fallback: 'producer', check: only('producer', 'batches are stored as they are received') },
  'delete.retention.ms': { fallback: '86400000', check: integer(0n) },
  'file.delete.delay.ms': { fallback: '60000', check: integer(0n) },
  'flush.messages': { fallback: '9223372036854775807', check: integer(1n) },
  'flush.ms': { fallback: '9223372036854775807', check: integer(0n) },
  'index.interval.bytes': { fallback: '4096', check: integer(0n, int31) },
  'max.compaction.lag.ms': { fallback: '9223372036854775807', check: integer(1n) },
  'max.message.bytes': { fallback: '1048588', check: integer(0n, int31) },
  'message.timestamp.type': { fallback: 'CreateTime', check: oneOf('CreateTime', 'LogAppendTime') },
  'min.cleanable.dirty.ratio': { fallback: '0.5', check: ratio },
  'min.compaction.lag.ms': { fallback: '0', check: integer(0n) },
  'min.insync.replicas': { fallback: '1', check: only('1', 'there is one broker') },
  preallocate: { fallback: 'false', check: oneOf('true', 'false') },
  'retention.bytes': { fallback: '-1', check: integer(-1n) },
  'retention.ms': { fallback: '604800000', check: integer(-1n) },
  'segment.bytes': { fallback: '1073741824', check: integer(14n, int31) },
  'segment.index.bytes': { fallback: '10485760', check: integer(4n, int31) },
  'segment.jitter.ms': { fallback: '0', check: integer(0n) },
  'segment.ms': { fallback: '604800000', check: integer(1n) },
  'unclean.leader.election.enable': { fallback: 'false', check: oneOf('true', 'false') },
}

export const configDefaults: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(configs).map(([name, { fallback }]) => [name, fallback]),
)

/** What is wrong with the configs, or null. */
export function configProblem(given: Readonly<Record<string, string>>): string | null {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(configs, name)) return `there is no topic config "${name}"`
    const problem = configs[name]!.check(value)
    if (problem !== null) return `${name}=${value}: ${problem}`
  }
  return null
}
