// The payloads of the house's own entries: topics, producers, jobs as JSON; ticks as bytes. Read back they are checked.
//
//   topic      {"op":"create","key":1,"name":…,"id":hex,"partitions":6,"configs":{…},"internal":false}
//              {"op":"delete","key":1} | {"op":"partitions","key":1,"partitions":12} | {"op":"configs","key":1,"configs":{…}}
//              (`internal` may be missing: then the name tells; `partitions` and `configs` are all there are from then on)
//   producer   {"id":17,"epoch":0}
//   logStart   {"key":1,"partition":0,"start":500}
//   jobTaken   {"job":…,"epoch":2}
//   jobCommit  {"job":…,"epoch":2,"previous":…,"cursor":…,"topics":[…]}, topics only where they are not those of before
//   tick       length of the job's name 2 (big-endian), the name in UTF-8, the job's own bytes
//
// Changing them needs a format version (entry.ts).
import { assert } from '../std/assert.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

export type TopicEntry =
  | {
      readonly op: 'create'
      readonly key: number
      readonly name: string
      /** 32 hexadecimal digits. */
      readonly id: string
      readonly partitions: number
      readonly configs: Readonly<Record<string, string>>
      /** Missing in entries of before clients could make topics with names like those of the house. */
      readonly internal?: boolean
    }
  | { readonly op: 'delete'; readonly key: number }
  | { readonly op: 'partitions'; readonly key: number; readonly partitions: number }
  | { readonly op: 'configs'; readonly key: number; readonly configs: Readonly<Record<string, string>> }
export interface ProducerEntry {
  readonly id: number
  readonly epoch: number
}
export interface JobEntry {
  readonly job: string
  readonly epoch: number
  /** Null: the job was taken over, and stands where it stood. */
  readonly step: { readonly previous: string; readonly cursor: string } | null
  /** What the job follows; undefined: what it followed before. */
  readonly topics?: readonly string[]
}

const write = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value))
function read(payload: Uint8Array): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(decoder.decode(payload))
  assert(typeof value === 'object' && value !== null, 'an entry of the house is a JSON object')
  return { ...value }
}
function numberOf(value: unknown, what: string): number {
  assert(typeof value === 'number' && Number.isSafeInteger(value) && value >= 0, `${what} is ${String(value)}`)
  return value
}
function textOf(value: unknown, what: string): string {
  assert(typeof value === 'string', `${what} is ${String(value)}`)
  return value
}

export function writeTopic(entry: TopicEntry): Uint8Array {
  return write(entry)
}
export function readTopic(payload: Uint8Array): TopicEntry {
  const fields = read(payload)
  const { op } = fields
  const key = numberOf(fields.key, 'the key of a topic')
  const partitions = (): number => numberOf(fields.partitions, 'the partitions of a topic')
  switch (op) {
    case 'delete':
      return { op, key }
    case 'partitions':
      return { op, key, partitions: partitions() }
    case 'configs':
      return { op, key, configs: configsOf(fields.configs) }
    default: {
      assert(op === 'create', `a topic entry says ${String(op)}`)
      const { internal } = fields
      return {
        op,
        key,
        name: textOf(fields.name, 'the name of a topic'),
        id: textOf(fields.id, 'the id of a topic'),
        partitions: partitions(),
        configs: configsOf(fields.configs),
        ...(internal === undefined ? {} : { internal: internal === true }),
      }
    }
  }
}
function configsOf(value: unknown): Readonly<Record<string, string>> {
  assert(typeof value === 'object' && value !== null, 'the configs of a topic are an object')
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, textOf(each, name)]))
}

export function writeProducer(entry: ProducerEntry): Uint8Array {
  return write(entry)
}
export function readProducer(payload: Uint8Array): ProducerEntry {
  const { id, epoch } = read(payload)
  return { id: numberOf(id, 'a producer id'), epoch: numberOf(epoch, 'a producer epoch') }
}

/** Records of a partition before `start` were deleted. */
export interface LogStartEntry {
  readonly key: number
  readonly partition: number
  readonly start: number
}
export function writeLogStart(entry: LogStartEntry): Uint8Array {
  return write(entry)
}
export function readLogStart(payload: Uint8Array): LogStartEntry {
  const { key, partition, start } = read(payload)
  return {
    key: numberOf(key, 'the key of a topic'),
    partition: numberOf(partition, 'a partition'),
    start: numberOf(start, 'the first offset of a partition'),
  }
}

export function writeJob({ job, epoch, step, topics }: JobEntry): Uint8Array {
  return write({ job, epoch, ...step, topics })
}
export function readJob(payload: Uint8Array): JobEntry {
  const { job, epoch, previous, cursor, topics } = read(payload)
  assert(topics === undefined || Array.isArray(topics), 'the topics of a job are a list')
  return {
    ...(topics === undefined ? {} : { topics: topics.map((topic) => textOf(topic, 'a topic of a job')) }),
    job: textOf(job, 'the name of a job'),
    epoch: numberOf(epoch, 'the epoch of a job'),
    step:
      cursor === undefined
        ? null
        : {
            previous: textOf(previous, 'the cursor before a commit'),
            cursor: textOf(cursor, 'the cursor of a commit'),
          },
  }
}

export function writeTick(job: string, payload: Uint8Array): Uint8Array {
  const name = encoder.encode(job)
  const bytes = new Uint8Array(2 + name.length + payload.length)
  bytes[0] = name.length >> 8
  bytes[1] = name.length
  bytes.set(name, 2)
  bytes.set(payload, 2 + name.length)
  return bytes
}
/** The job's own bytes, or null if the tick is of another job. */
export function readTick(tick: Uint8Array, job: Uint8Array): Uint8Array | null {
  const length = (tick[0]! << 8) | tick[1]!
  if (length !== job.length) return null
  for (let i = 0; i < length; i++) if (tick[2 + i] !== job[i]) return null
  return tick.subarray(2 + length)
}
