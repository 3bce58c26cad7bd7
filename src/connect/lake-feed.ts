// The log into the lake: what each topic has that the lake has not goes there in batches, late enough that files are not
// tiny, as committed and each offset once. The lake's own manifest tells how far it is.
import type { Log } from '../log/log.ts'
import { offset as offsetOf, partitionId } from '../std/units.ts'
import {
  type Lake,
  LakeError,
  type LakeFile,
  type LakeTopic,
  type OffsetSpan,
  type Spool,
  SpoolWriter,
} from '../stores/stores.ts'
import type { Timer, World } from '../world/world.ts'
import { spoolBatch } from './lake/spool-batch.ts'

export interface LakeFeedSettings {
  /** What a topic leaves there; null: nothing. */
  readonly topicOf: (topic: string) => LakeTopic | null
  /** A batch is written once so many records wait … */
  readonly recordsMin: number
  /** … or one of them waits so long. */
  readonly ageMsMax: number
  /** How often it is looked for them. */
  readonly lookMs: number
  /** Of one batch. */
  readonly recordsMax: number
  readonly bytesMax: number
  /** After batches of a topic: compaction and whatever else keeps the lake tidy. */
  readonly tidy?: (topic: LakeTopic) => Promise<void>
}
export const lakeFeedDefaults = {
  recordsMin: 100_000,
  ageMsMax: 10 * 60_000,
  lookMs: 5_000,
  recordsMax: 250_000,
  bytesMax: 96 << 20,
} as const

export interface LakeFeed {
  /** Writes what the topics hold now, all of them if none are named. Resolves when it is durable. */
  flush(topics?: readonly string[]): Promise<void>
  /** Records in the log that are not in the lake. */
  lag(): { readonly records: number; readonly oldestMs: number | null }
  readonly counts: {
    readonly batches: number
    readonly records: number
    readonly files: number
    readonly skipped: number
  }
  /** What keeps it from writing at the moment. */
  trouble(): Error | null
  stop(): Promise<void>
}

const readBytes = 1 << 20

/** Begins to look by itself; `lookMs` 0: only `flush` writes. */
export function startLakeFeed(world: World, log: Log, lake: Lake, settings: LakeFeedSettings): LakeFeed {
  const counts = { batches: 0, records: 0, files: 0, skipped: 0 }
  /** Since when a topic has something to write. */
  const waitingSince = new Map<string, number>()
  let trouble: Error | null = null
  let stopped = false
  let timer: Timer | null = null
  let last: Promise<unknown> = Promise.resolve()

  const topicsNow = (): LakeTopic[] =>
    log.topics().flatMap(({ name, internal }) => {
      const topic = internal ? null : settings.topicOf(name)
      return topic === null ? [] : [topic]
    })
  const pendingOf = ({ topic }: LakeTopic): number => {
    let pending = 0
    for (let partition = 0; partition < (log.topic(topic)?.partitions ?? 0); partition++) {
      const { start, end } = log.offsets(topic, partitionId(partition))
      pending += Math.max(0, end - Math.max(start, lake.place(topic, partition)))
    }
    return pending
  }

  /** One batch, or what a crash left of one; false when there was nothing. */
  const batchOf = async (topic: LakeTopic): Promise<boolean> => {
    const unfinished = lake.unfinished()
    const wanted = unfinished?.topic === topic.topic ? unfinished.ranges : null
    const spool = new SpoolWriter(world, `${lake.workFolder}/spool`)
    const ranges: OffsetSpan[] = []
    const partitions = log.topic(topic.topic)?.partitions ?? 0
    for (let partition = 0; partition < partitions; partition++) {
      const span = wanted?.find(([one]) => one === partition)
      if (wanted !== null && span === undefined) continue
      const id = partitionId(partition)
      const { start, end } = log.offsets(topic.topic, id)
      const place = lake.place(topic.topic, partition)
      const from = Math.max(place, span === undefined ? start : 0)
      const to = span === undefined ? end : span[2]
      let next = Math.max(from, start)
      while (next < to) {
        if (stopped) throw new LakeError('CLOSED', 'the lake is being closed')
        const read = await log.readCommitted(topic.topic, id, offsetOf(next), readBytes)
        const wantedOf = { partition, from: next, to: span === undefined ? Infinity : to, headers: topic.bronze }
        for (const batch of read.batches) if (!spoolBatch(spool, wantedOf, batch)) counts.skipped++
        // The bytes of a read are its own; lines still in memory point into them.
        spool.flush()
        // From here on records wait for the end of a transaction.
        if (read.next === next) break
        next = read.next
        await new Promise<void>((resolve) => world.clock.soon(resolve))
        if (span === undefined && (spool.records >= settings.recordsMax || spool.sizeBytes >= settings.bytesMax)) break
      }
      const reached = span === undefined ? next : to
      if (reached > from) ranges.push([partition, from, reached])
      if (wanted === null && (spool.records >= settings.recordsMax || spool.sizeBytes >= settings.bytesMax)) break
    }
    const ended = spool.end()
    if (ranges.length === 0) return false
    const files: readonly LakeFile[] = await lake.write({ topic, ranges, spool: ended })
    counts.batches++
    counts.records += ended.records
    counts.files += files.length
    return true
  }

  const write = (topics: readonly LakeTopic[]): Promise<void> => {
    const mine = last.then(async () => {
      // What a crash interrupted comes first, so that its files are the ones that were meant.
      const unfinished = lake.unfinished()
      const first = unfinished === null ? null : settings.topicOf(unfinished.topic)
      if (first !== null && log.topic(first.topic) !== null) await batchOf(first)
      for (const topic of topics) {
        const ends = pendingOf(topic)
        let more = ends > 0
        let left = ends
        while (more && left > 0) {
          const before = counts.records
          more = await batchOf(topic)
          left -= Math.max(1, counts.records - before)
        }
        waitingSince.delete(topic.topic)
        if (ends > 0) await settings.tidy?.(topic)
      }
    })
    last = mine.catch(() => {})
    return mine
  }

  const look = async (): Promise<void> => {
    const nowMs = world.clock.monoMs()
    const due: LakeTopic[] = []
    for (const topic of topicsNow()) {
      const pending = pendingOf(topic)
      if (pending === 0) continue
      const since = waitingSince.get(topic.topic) ?? nowMs
      waitingSince.set(topic.topic, since)
      if (pending >= settings.recordsMin || nowMs - since >= settings.ageMsMax) due.push(topic)
    }
    if (due.length === 0) return
    try {
      await write(due)
      trouble = null
    } catch (error) {
      // The place has not moved: it is tried again.
      trouble = error instanceof Error ? error : new Error(String(error))
    }
  }
  const again = (): void => {
    if (stopped || settings.lookMs === 0) return
    timer = world.clock.timer(settings.lookMs, () => void look().finally(again), { background: true })
  }
  again()

  return {
    counts,
    async flush(names) {
      const topics = topicsNow().filter(({ topic }) => names === undefined || names.includes(topic))
      await write(topics)
      trouble = null
    },
    lag() {
      const records = topicsNow().reduce((sum, topic) => sum + pendingOf(topic), 0)
      const oldest = Math.min(...waitingSince.values())
      return { records, oldestMs: Number.isFinite(oldest) ? world.clock.monoMs() - oldest : null }
    },
    trouble: () => trouble,
    async stop() {
      stopped = true
      timer?.cancel()
      await last
    },
  }
}

/** The newest records of a topic as a spool: about `recordsMax` of them over all partitions. */
export async function spoolTopic(
  world: World,
  log: Log,
  topic: string,
  recordsMax: number,
  path: string,
): Promise<Spool> {
  const spool = new SpoolWriter(world, path)
  const partitions = log.topic(topic)?.partitions ?? 0
  const each = Math.ceil(recordsMax / Math.max(1, partitions))
  for (let partition = 0; partition < partitions; partition++) {
    const id = partitionId(partition)
    const { start, end } = log.offsets(topic, id)
    for (let next = Math.max(start, end - each); next < end; ) {
      const read = await log.readCommitted(topic, id, offsetOf(next), readBytes)
      for (const batch of read.batches) spoolBatch(spool, { partition, from: next, to: Infinity, headers: true }, batch)
      spool.flush()
      if (read.next === next) break
      next = read.next
    }
  }
  return spool.end()
}
