// Record batches out of the answers to Fetch: cut apart, checked, and without what transactions have not committed.
import { type Offset, offset } from '../../std/units.ts'
import {
  baseOffset,
  checkStored,
  isControl,
  isTransactional,
  lastOffset,
  nextBatchEnd,
  producerId,
  recordSlots,
  recordsOf,
  walkRecords,
} from '../../wire/record-batch.ts'
import { apis, type ResponseOf } from '../../wire/wire.ts'
import { WireError } from '../../wire/wire-error.ts'
import type { ClusterTopic, KafkaCluster } from './cluster.ts'
import { holdTo } from './refusal.ts'

export type FetchedPartition = ResponseOf<'fetch'>['responses'][number]['partitions'][number]
export const readUncommitted = 0
export const readCommitted = 1

/** The whole batches among the bytes; what was cut off at the end is asked for again. Throws a WireError for damage. */
export function wholeBatches(records: Uint8Array | null): Uint8Array[] {
  const batches: Uint8Array[] = []
  if (records === null) return batches
  for (let at = 0; ; ) {
    const end = nextBatchEnd(records, at)
    if (end < 0) return batches
    const batch = records.subarray(at, end)
    const problem = checkStored(batch)
    if (problem !== null) throw new WireError(problem.code, problem.message)
    batches.push(batch)
    at = end
  }
}

/** Of batches of one partition in their order: those that are committed, by the list of aborted transactions. */
export function committedAmong(
  batches: readonly Uint8Array[],
  aborted: FetchedPartition['abortedTransactions'],
): Uint8Array[] {
  const ahead = [...(aborted ?? [])].sort((a, b) => a.firstOffset - b.firstOffset)
  const open = new Set<bigint>()
  return batches.filter((batch) => {
    while (ahead.length > 0 && ahead[0]!.firstOffset <= lastOffset(batch)) open.add(ahead.shift()!.producerId)
    if (!isTransactional(batch)) return true
    if (isControl(batch)) {
      // The end of one of its transactions, whichever way it ended.
      open.delete(producerId(batch))
      return false
    }
    return !open.has(producerId(batch))
  })
}

export function fetchRequest(
  partitions: readonly {
    readonly topic: string
    readonly topicId: Uint8Array
    readonly partition: number
    readonly from: number
  }[],
  settings: {
    readonly isolationLevel: number
    readonly maxWaitMs: number
    readonly maxBytes: number
    readonly partitionMaxBytes: number
  },
) {
  const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, own]) => ({
    topic,
    topicId: own[0]!.topicId,
    partitions: own.map(({ partition, from }) => ({
      partition,
      fetchOffset: from,
      partitionMaxBytes: settings.partitionMaxBytes,
    })),
  }))
  const { isolationLevel, maxWaitMs, maxBytes } = settings
  return { isolationLevel, maxWaitMs, maxBytes, minBytes: 1, topics, forgottenTopicsData: [] }
}

/** One look into a partition, that does not wait for what is not there. */
export async function fetchOnce(
  cluster: KafkaCluster,
  topic: string,
  partition: number,
  from: number,
  maxBytes: number,
  isolationLevel: number,
): Promise<FetchedPartition> {
  const partitionMaxBytes = Math.min(Math.max(1, Math.floor(maxBytes)), 0x7fffffff)
  const topicId = cluster.topic(topic)?.id ?? new Uint8Array(16)
  const request = fetchRequest([{ topic, topicId, partition, from }], {
    isolationLevel,
    maxWaitMs: 0,
    maxBytes: partitionMaxBytes,
    partitionMaxBytes,
  })
  const { errorCode, responses } = await cluster.askLeader(topic, partition, apis.fetch, request)
  holdTo(errorCode, `reading ${topic}-${partition}`)
  const found = responses[0]?.partitions[0]
  holdTo(found === undefined ? -1 : found.errorCode, `reading ${topic}-${partition} from offset ${from}`)
  return found!
}

export interface StoredRecord {
  readonly offset: number
  readonly key: string
  /** Null: nothing under this key any more. */
  readonly value: Uint8Array | null
}
/** The records of a batch whose keys are text. */
export function recordsWithin(batch: Uint8Array): StoredRecord[] {
  const found: StoredRecord[] = []
  const base = baseOffset(batch)
  const { bytes, start, end } = recordsOf(batch)
  const slots = recordSlots(256)
  const decoder = new TextDecoder()
  for (let at = start; at < end; ) {
    at = walkRecords(bytes, at, end, slots)
    for (let i = 0; i < slots.count; i++) {
      const key = slots.keyStart[i]! < 0 ? '' : decoder.decode(bytes.subarray(slots.keyStart[i]!, slots.keyEnd[i]!))
      const value =
        slots.valueStart[i]! < 0 ? null : new Uint8Array(bytes.subarray(slots.valueStart[i]!, slots.valueEnd[i]!))
      found.push({ offset: base + slots.offsetDelta[i]!, key, value })
    }
  }
  return found
}

export type OffsetsFound = readonly {
  readonly topic: ClusterTopic
  readonly partition: number
  readonly start: Offset
  readonly end: Offset
}[]
/** First offset held and the one past the last, by topic and partition, asked of each leader in one go. */
export async function offsetRanges(cluster: KafkaCluster, topics: readonly ClusterTopic[]): Promise<OffsetsFound> {
  const places = topics.flatMap((topic) =>
    topic.leaders.flatMap((leader, partition) => (leader < 0 ? [] : [{ topic, partition, leader }])),
  )
  const found = await Promise.all(
    [...Map.groupBy(places, ({ leader }) => leader)].map(async ([leader, own]) => {
      const connection = await cluster.node(leader)
      const ask = async (timestamp: number): Promise<Map<string, number>> => {
        const asked = [...Map.groupBy(own, ({ topic }) => topic.name)].map(([name, partitions]) => ({
          name,
          partitions: partitions.map(({ partition }) => ({ partitionIndex: partition, timestamp })),
        }))
        const answer = await connection.ask(apis.listOffsets, {
          replicaId: -1,
          isolationLevel: readUncommitted,
          topics: asked,
          timeoutMs: 0,
        })
        const offsets = new Map<string, number>()
        for (const { name, partitions } of answer.topics) {
          for (const { partitionIndex, errorCode, offset: at } of partitions) {
            if (errorCode === 0) offsets.set(`${name}/${partitionIndex}`, at)
          }
        }
        return offsets
      }
      const [starts, ends] = await Promise.all([ask(earliest), ask(latest)])
      return own.flatMap(({ topic, partition }) => {
        const [start, end] = [starts.get(`${topic.name}/${partition}`), ends.get(`${topic.name}/${partition}`)]
        return start === undefined || end === undefined
          ? []
          : [{ topic, partition, start: offset(start), end: offset(end) }]
      })
    }),
  )
  return found.flat()
}
/** Questions in the place of a timestamp. */
const earliest = -2
const latest = -1
