// The state of the log as bytes, written when a segment of the journal is sealed: a start reads it instead of replaying.
//
//   0 4  bytes of the JSON (little-endian, as the arrays below)
//   4    JSON: topics, producers, jobs, producer windows, offsets of groups (`Written`), then zeros up to a multiple of 8
//        runs, one per partition with batches in the segment:
//        topic key 4, partition 4, batches 4, zero 4, then per batch four float64 (base offset, last offset, LSN,
//        largest timestamp), then per batch two uint32 (position, bytes), then zeros up to a multiple of 8
//
// Belongs to the seal (journal/seal.ts): its checksum covers it, its format version speaks for it.
import { assert } from '../std/assert.ts'
import { cursorOfText } from './cursors.ts'
import type { CapturedOffsets } from './groups/offset-table.ts'
import type { LogStartEntry, TopicEntry } from './house-entries.ts'
import { logStarts, restoreLogStart } from './log-starts.ts'
import type { Partition } from './partition.ts'
import type { KeptBatch } from './producer-window.ts'
import type { LogState } from './replay.ts'
import type { CapturedSettings } from './settings-table.ts'
import type { Manifest } from './settled/manifest.ts'
import type { CapturedPartitionTransactions } from './transactions/partition-transactions.ts'
import type { CapturedTransaction } from './transactions/transaction.ts'

interface Written {
  readonly topics: readonly (TopicEntry & { readonly op: 'create' })[]
  readonly nextKey: number
  readonly deleted: readonly number[]
  readonly nextProducer: number
  readonly epochs: readonly (readonly [id: number, epoch: number])[]
  readonly jobs: readonly (readonly [job: string, epoch: number, cursor: string])[]
  /** What jobs follow. Not in seals of before that was noted. */
  readonly jobTopics?: readonly (readonly [job: string, topics: readonly string[]])[]
  readonly lastJobLsn: number
  /** Topic key, partition, producer id, epoch, batches. */
  readonly windows: readonly (readonly [number, number, number, number, readonly KeptBatch[]])[]
  /** Not in seals of before there were groups: then nothing had been committed. */
  readonly offsets?: CapturedOffsets
  /** Of partitions whose first records were deleted. Not in seals of before that could be. */
  readonly starts?: readonly LogStartEntry[]
  /** Not in seals of before there were settings. */
  readonly settings?: CapturedSettings
  /** Topic key, partition, epochs (leader-epochs.ts). Not in seals of before there were epochs: all was of epoch 0. */
  readonly leaderEpochs?: readonly (readonly [number, number, readonly number[]])[]
  /** Not in seals of before there were transactions. */
  readonly transactions?: {
    readonly ids: readonly CapturedTransaction[]
    /** Topic key, partition. */
    readonly partitions: readonly (readonly [number, number, CapturedPartitionTransactions])[]
  }
}

const runHeaderBytes = 16
const floats = 4
const padded = (bytes: number): number => Math.ceil(bytes / 8) * 8

export function captureState(state: LogState, segment: number): Uint8Array {
  const { topics, producers, jobs } = state
  const windows: Written['windows'][number][] = []
  const leaderEpochs: NonNullable<Written['leaderEpochs']>[number][] = []
  const inTransactions: [number, number, CapturedPartitionTransactions][] = []
  const runs: { partition: Partition; first: number }[] = []
  let runsBytes = 0
  for (const topic of topics.assigned()) {
    for (const partition of topic.partitions) {
      for (const [id, { epoch, batches }] of partition.windows()) {
        windows.push([topic.key, partition.id, id, epoch, batches])
      }
      const captured = partition.epochs.capture()
      if (captured.length > 0) leaderEpochs.push([topic.key, partition.id, captured])
      const own = partition.transactions.capture()
      if (own !== null) inTransactions.push([topic.key, partition.id, own])
      const { index } = partition
      let first = index.count
      while (first > 0 && index.segment(first - 1) === segment) first--
      if (first === index.count) continue
      runs.push({ partition, first })
      runsBytes += runHeaderBytes + padded((index.count - first) * (floats * 8 + 8))
    }
  }
  const written: Written = {
    topics: topics.assigned().map((topic) => ({
      op: 'create',
      key: topic.key,
      name: topic.taken.name,
      id: Buffer.from(topic.taken.id).toString('hex'),
      partitions: topic.taken.partitions,
      configs: topic.taken.configs,
      internal: topic.taken.internal,
    })),
    nextKey: topics.nextKey,
    deleted: [...state.deleted],
    nextProducer: producers.next,
    epochs: producers.epochs(),
    jobs: jobs.all(),
    jobTopics: jobs.allTopics(),
    lastJobLsn: state.lastJobLsn,
    windows,
    leaderEpochs,
    offsets: state.offsets.capture(),
    transactions: { ids: state.transactions.capture(), partitions: inTransactions },
    starts: logStarts(topics),
    settings: state.settings.capture(),
  }
  const json = new TextEncoder().encode(JSON.stringify(written))
  const bytes = new Uint8Array(padded(4 + json.length) + runsBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, json.length, true)
  bytes.set(json, 4)
  let at = padded(4 + json.length)
  for (const { partition, first } of runs) {
    const { index } = partition
    const count = index.count - first
    view.setUint32(at, partition.topicKey, true)
    view.setUint32(at + 4, partition.id, true)
    view.setUint32(at + 8, count, true)
    let float = at + runHeaderBytes
    let word = float + count * floats * 8
    for (let entry = first; entry < index.count; entry++) {
      view.setFloat64(float, index.baseOffset(entry), true)
      view.setFloat64(float + 8, index.lastOffset(entry), true)
      view.setFloat64(float + 16, index.lsn(entry), true)
      view.setFloat64(float + 24, index.maxTimestampMs(entry), true)
      view.setUint32(word, index.position(entry), true)
      view.setUint32(word + 4, index.bytes(entry), true)
      float += floats * 8
      word += 8
    }
    at += runHeaderBytes + padded(count * (floats * 8 + 8))
  }
  assert(at === bytes.length, `a snapshot of ${at} bytes where ${bytes.length} were expected`)
  return bytes
}

/** Into a blank state; see `Snapshots.restore`. */
export function restoreState(
  state: LogState,
  captured: readonly { readonly segment: number; readonly payload: Uint8Array }[],
  manifest: Manifest,
): void {
  const newest = captured.at(-1)?.payload ?? manifest.state
  if (newest.length === 0) return
  const written = jsonOf(newest)
  const { topics, producers, jobs } = state
  for (const topic of written.topics) topics.add(topic, 'live')
  topics.keyUsed(written.nextKey - 1)
  for (const key of written.deleted) state.deleted.add(key)
  producers.restore(written.nextProducer, written.epochs)
  for (const [job, epoch, cursor] of written.jobs) jobs.apply({ job, epoch, step: null }, cursorOfText(cursor))
  for (const [job, followed] of written.jobTopics ?? []) jobs.setTopics(job, followed)
  state.lastJobLsn = written.lastJobLsn
  for (const start of written.starts ?? []) restoreLogStart(topics, start)
  if (written.settings !== undefined) state.settings.restore(written.settings)
  if (written.offsets !== undefined) state.offsets.restore(written.offsets)
  // The entry that deletes a topic may have been on its way when the state was written.
  state.offsets.keepTopics((key) => topics.byKey(key) !== null)
  // Before the runs, which do not know their epochs.
  for (const [topicKey, partition, captured] of written.leaderEpochs ?? []) {
    topics.byKey(topicKey)?.partitions[partition]?.epochs.restore(captured)
  }
  for (const settled of manifest.partitions) {
    topics.byKey(settled.topicKey)?.partitions[settled.partition]?.restoreSettled(settled)
  }
  for (const { segment, payload } of captured) restoreRuns(state, segment, payload)
  state.transactions.restore(written.transactions?.ids ?? [])
  // Of those that were on their way the epochs were not raised yet.
  for (const { producerId, epoch } of written.transactions?.ids ?? []) producers.seen(producerId, epoch)
  for (const [topicKey, partition, own] of written.transactions?.partitions ?? []) {
    topics.byKey(topicKey)?.partitions[partition]?.transactions.restore(own)
  }
  for (const [topicKey, partition, id, epoch, batches] of written.windows) {
    topics.byKey(topicKey)?.partitions[partition]?.setWindow(id, { epoch, batches })
  }
}

/** Of captured bytes, what a manifest keeps: the batches are in settled files then. */
export function withoutBatches(payload: Uint8Array): Uint8Array {
  if (payload.length === 0) return payload
  return payload.slice(0, padded(4 + new DataView(payload.buffer, payload.byteOffset).getUint32(0, true)))
}

function jsonOf(payload: Uint8Array): Written {
  const length = new DataView(payload.buffer, payload.byteOffset).getUint32(0, true)
  // A codec: these bytes are our own, whole, and of this format.
  return JSON.parse(new TextDecoder().decode(payload.subarray(4, 4 + length))) as Written
}

function restoreRuns(state: LogState, segment: number, payload: Uint8Array): void {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length)
  let at = padded(4 + view.getUint32(0, true))
  while (at < payload.length) {
    const topicKey = view.getUint32(at, true)
    const id = view.getUint32(at + 4, true)
    const count = view.getUint32(at + 8, true)
    // The topic may have been deleted since.
    const partition = state.topics.byKey(topicKey)?.partitions[id]
    if (partition !== undefined) {
      let float = at + runHeaderBytes
      let word = float + count * floats * 8
      for (let i = 0; i < count; i++) {
        partition.nextOffset = view.getFloat64(float, true)
        partition.placed(
          view.getFloat64(float + 8, true),
          view.getFloat64(float + 16, true),
          view.getFloat64(float + 24, true),
          segment,
          view.getUint32(word, true),
          view.getUint32(word + 4, true),
        )
        float += floats * 8
        word += 8
      }
      partition.durableEnd = partition.nextOffset
    }
    at += runHeaderBytes + padded(count * (floats * 8 + 8))
  }
}
