// Compacts topics while they are in use (`cleanup.policy=compact`): one partition at a time, in slices, whenever enough of
// it has been settled since the last time.

import { LogError } from '../../log/log.ts'
import type { WriteLog } from '../../std/log-line.ts'
import { FsError, type Timer, type World } from '../../world/world.ts'
import { streamKey } from '../journal/damage.ts'
import { isFull } from '../journal/disk-room.ts'
import type { Journal } from '../journal/journal.ts'
import type { Partition } from '../partition.ts'
import type { Pin } from '../pins.ts'
import type { LogState } from '../replay.ts'
import { settledFileBytes } from '../settled/file-format.ts'
import { KeeperError } from '../settled/keeping.ts'
import { mayComeBack } from '../settled/manifest.ts'
import type { Settled } from '../settled/settled.ts'
import type { Topic } from '../topic-table.ts'
import type { CleaningRules } from './cleaning.ts'
import { compactFiles, compactionDefaults, DamagedFileError } from './compact-files.ts'
import { type Compactable, type CompactionPlan, planCompaction } from './plan.ts'

export interface CompactorSettings {
  readonly journalId: Uint8Array
  /** It is looked for something to do this often. */
  readonly checkEveryMs: number
  readonly fileBytesMax: number
  /** Jobs that are further behind than this no longer keep topics from being compacted. */
  readonly pinnedBytesMax: number
  /** For the map of keys. Default 16 MiB: 630,000 keys in one pass. */
  readonly mapBytes?: number
  readonly sliceBytes?: number
}
export interface CompactionStats {
  readonly runs: number
  readonly recordsRead: number
  readonly recordsKept: number
  readonly bytesRead: number
  readonly bytesKept: number
  /** `topic-partition` at work on now, or null. */
  readonly now: string | null
}

/** Thrown out of a run when the broker closes. */
class Closing extends Error {}

export class Compactor {
  readonly #world: World
  readonly #journal: Journal
  readonly #settled: Settled
  readonly #state: LogState
  readonly #pins: () => readonly Pin[]
  readonly #settings: CompactorSettings
  readonly #write: WriteLog
  #timer: Timer | null = null
  #running: Promise<void> | null = null
  #closed = false
  #now: string | null = null
  /** By stream, damaged ones: they are left alone until the next start. */
  readonly #damaged = new Map<string, Error>()
  #counts = { runs: 0, recordsRead: 0, recordsKept: 0, bytesRead: 0, bytesKept: 0 }

  constructor(
    world: World,
    tiers: { readonly journal: Journal; readonly settled: Settled },
    state: LogState,
    pins: () => readonly Pin[],
    settings: CompactorSettings,
    write: WriteLog,
  ) {
    this.#world = world
    this.#journal = tiers.journal
    this.#settled = tiers.settled
    this.#state = state
    this.#pins = pins
    this.#settings = settings
    this.#write = write
  }

  start(): void {
    this.#timer = this.#world.clock.timer(
      this.#settings.checkEveryMs,
      () => {
        this.#running = this.#round().finally(() => {
          this.#running = null
          if (!this.#closed) this.start()
        })
      },
      { background: true },
    )
  }

  async #round(): Promise<void> {
    // New files need room, and give it back only afterwards.
    /** Of which nothing can be cleaned now: others get their turn. */
    const passed = new Set<number>()
    while (!this.#closed && this.#journal.pause() === null) {
      const left = this.#compactable().filter(({ topicKey, partition }) => !passed.has(streamKey(topicKey, partition)))
      const plan = planCompaction(left, this.#world.clock.nowMs())
      const outcome = plan === null ? 'failed' : await this.#compact(plan)
      if (plan === null || outcome === 'failed') return
      if (outcome === 'nothing') passed.add(streamKey(plan.topicKey, plan.partition))
    }
  }

  #compactable(): Compactable[] {
    const found: Compactable[] = []
    const pins = this.#pins()
    for (const topic of this.#state.topics.all()) {
      if (!topic.compacted || topic.state !== 'live') continue
      for (const partition of topic.partitions) {
        const files = partition.settled?.files ?? []
        if (files.length === 0 || partition.damage !== null || this.#damaged.has(nameOf(topic, partition))) continue
        found.push(this.#compactableOf(topic, partition, pins))
      }
    }
    return found
  }
  #compactableOf(topic: Topic, partition: Partition, pins: readonly Pin[]): Compactable {
    const { topics } = this.#state
    const files = partition.settled?.files ?? []
    let neededAfterLsn = Number.POSITIVE_INFINITY
    for (const { afterLsn, topics: names } of pins) {
      if (!names.has(topic.info.name)) continue
      let behindBytes = 0
      for (const file of files) if (file.lastLsn > afterLsn) behindBytes += settledFileBytes(file)
      if (behindBytes <= this.#settings.pinnedBytesMax) neededAfterLsn = Math.min(neededAfterLsn, afterLsn)
    }
    return {
      topicKey: topic.key,
      partition: partition.id,
      files,
      dirtyRatioMin: Number(topics.config(topic, 'min.cleanable.dirty.ratio')),
      lagMsMin: Number(topics.config(topic, 'min.compaction.lag.ms')),
      lagMsMax: Number(topics.config(topic, 'max.compaction.lag.ms')),
      stableEnd: partition.transactions.stableEnd(partition.start, partition.durableEnd),
      neededAfterLsn,
    }
  }

  /** 'nothing', 'failed': it is not to be tried again at once. */
  async #compact(plan: CompactionPlan): Promise<'done' | 'nothing' | 'failed'> {
    const topic = this.#state.topics.byKey(plan.topicKey)
    const partition = topic?.partitions[plan.partition]
    if (topic === null || partition === undefined) return 'done'
    const name = nameOf(topic, partition)
    this.#now = name
    const startedMono = this.#world.clock.monoMs()
    try {
      const compacted = await compactFiles(this.#world, this.#settled, plan, this.#rulesOf(topic, partition, plan), {
        ...compactionDefaults,
        ...(this.#settings.mapBytes === undefined ? {} : { mapBytes: this.#settings.mapBytes }),
        ...(this.#settings.sliceBytes === undefined ? {} : { sliceBytes: this.#settings.sliceBytes }),
        journalId: this.#settings.journalId,
        fileBytesMax: Math.min(this.#settings.fileBytesMax, Number(this.#state.topics.config(topic, 'segment.bytes'))),
        check: () => {
          if (this.#closed) throw new Closing()
        },
      })
      if (compacted === null) return 'nothing'
      const files = compacted.writers.map((writer) => writer.state())
      await this.#settled.replaceFiles(plan, compacted.old, files).catch((error: unknown) => {
        // The manifest names the old ones still; after a failed sync nobody knows which, and the next start tidies.
        const isUndone = error instanceof KeeperError && (error.code === 'CHANGED' || error.code === 'FULL')
        if (isUndone) for (const writer of compacted.writers) writer.undo()
        throw error
      })
      const { recordsRead, recordsKept, bytesRead, bytesKept } = compacted.counts
      this.#counts.runs++
      this.#counts.recordsRead += recordsRead
      this.#counts.recordsKept += recordsKept
      this.#counts.bytesRead += bytesRead
      this.#counts.bytesKept += bytesKept
      const tookMs = Math.round(this.#world.clock.monoMs() - startedMono)
      this.#write('info', 'broker', 'compacted', {
        partition: name,
        recordsRead,
        recordsKept,
        bytesRead,
        bytesKept,
        tookMs,
      })
      return 'done'
    } catch (error) {
      this.#failed(error, name)
      return 'failed'
    } finally {
      this.#now = null
    }
  }
  #rulesOf(topic: Topic, partition: Partition, plan: CompactionPlan): CleaningRules {
    const { start } = plan.files[0]!
    return {
      nowMs: this.#world.clock.nowMs(),
      deleteRetentionMs: Number(this.#state.topics.config(topic, 'delete.retention.ms')),
      aborted: partition.transactions.abortedIn(start, plan.end).map(({ producerId, firstOffset, lastOffset }) => ({
        producerId: BigInt(producerId),
        firstOffset,
        lastOffset,
      })),
      holdsLastSequence: ({ producerId }, lastOffset) => {
        const newest = partition.window(Number(producerId))?.batches.at(-1)
        if (newest === undefined) return false
        const { baseOffset, firstSequence, lastSequence } = newest
        const records =
          lastSequence >= firstSequence ? lastSequence - firstSequence : lastSequence - firstSequence + 2 ** 31
        return baseOffset + records === lastOffset
      },
    }
  }
  #failed(error: unknown, name: string): void {
    if (error instanceof Closing || this.#closed) return
    if (error instanceof DamagedFileError) {
      this.#damaged.set(name, error)
      this.#write('error', 'broker', 'a file is damaged and was not compacted', { err: error, partition: name })
      return
    }
    const isPassing =
      // Retention dropped a file meanwhile, or something was settled behind it.
      (error instanceof LogError && error.code === 'OFFSET_OUT_OF_RANGE') ||
      (error instanceof KeeperError && (error.code === 'CHANGED' || error.code === 'FULL')) ||
      (error instanceof FsError && (isFull(error) || mayComeBack(error)))
    if (isPassing) {
      this.#write('warn', 'broker', 'compaction is tried again later', { err: error, partition: name })
      return
    }
    if (error instanceof FsError || error instanceof KeeperError) this.#journal.fail(error)
    else throw error
  }

  stats(): CompactionStats {
    return { ...this.#counts, now: this.#now }
  }
  trouble(): Error | null {
    for (const error of this.#damaged.values()) return error
    return null
  }
  /** What is under way is given up; nothing of it counts. */
  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    await this.#running
  }
}

const nameOf = (topic: Topic, partition: Partition): string => `${topic.info.name}-${partition.id}`
