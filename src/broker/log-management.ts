// What keeps the log in bounds while it is written: settles finished segments of the journal, drops what retention lets go,
// removes the files of deleted topics, and says which jobs lost what they needed.
import type { WriteLog } from '../std/log-line.ts'
import type { Timer, World } from '../world/world.ts'
import { lsnOfCursor } from './cursors.ts'
import { ownStream } from './journal/entry.ts'
import type { Journal, SealedSegment } from './journal/journal.ts'
import type { Partition } from './partition.ts'
import type { Pin } from './pins.ts'
import type { LogState } from './replay.ts'
import { KeeperError, type PartitionPlace, type TopicRoll } from './settled/keeping.ts'
import { planRetention, type RetainedPartition, ticksToDrop } from './settled/retention.ts'
import type { Settled } from './settled/settled.ts'
import { SettlingTime, type SettlingTimeSettings } from './settling-time.ts'
import { withoutBatches } from './snapshot.ts'
import type { Topic } from './topic-table.ts'

export interface LogManagementSettings {
  /** False: the journal grows, and nothing is dropped. */
  readonly settles: boolean
  /** A segment with entries of this age is finished and settled, however small it is. */
  readonly settleAfterMs: number
  /** What is let pass before large segments are settled. */
  readonly settlingTime: SettlingTimeSettings
  /** Age and size are looked at this often. */
  readonly checkEveryMs: number
  /** The whole log, journal included, for topics that do not say themselves what they keep. */
  readonly logBytesMax: number
  /** What jobs may keep beyond retention, at most: behind that they must be rebuilt. */
  readonly pinnedBytesMax: number
  /** Of a settled file, at most, where a topic does not say less. */
  readonly fileBytesMax: number
  /** Where damaged segments of the journal go once they are settled. */
  readonly quarantine: string
}
export interface LogManagementStats {
  readonly logBytesMax: number
  readonly pinnedBytesMax: number
  readonly settledBytes: number
  readonly settledFiles: number
  readonly settledLsn: number
  /** What retention would drop and a job still needs. */
  readonly pinnedBytes: number
  /** Jobs that have lost entries they needed: they must be rebuilt from what the log still holds. */
  readonly mustRebuild: readonly string[]
}

export class LogManagement {
  readonly #world: World
  readonly #journal: Journal
  readonly #settled: Settled
  readonly #state: LogState
  readonly #pins: () => readonly Pin[]
  readonly #settings: LogManagementSettings
  readonly #write: WriteLog
  readonly #time: SettlingTime
  #timer: Timer | null = null
  /** A segment waits for a burst to pass. */
  #waiting: Timer | null = null
  /** One step at a time. */
  #running: Promise<void> | null = null
  #again = false
  #closed = false
  /** Why settling has stopped until the next start. */
  #stopped: Error | null = null
  #pinnedBytes = 0
  #toldToRebuild = new Set<string>()
  /** Keys of deleted topics, and the LSN behind which none of their entries lies. */
  #deletedBefore: { readonly lsn: number; readonly keys: readonly number[] } | null = null

  constructor(
    world: World,
    tiers: { readonly journal: Journal; readonly settled: Settled },
    state: LogState,
    pins: () => readonly Pin[],
    settings: LogManagementSettings,
    write: WriteLog,
  ) {
    this.#world = world
    this.#journal = tiers.journal
    this.#settled = tiers.settled
    this.#state = state
    this.#pins = pins
    this.#settings = settings
    this.#write = write
    this.#time = new SettlingTime(world.clock, settings.settlingTime)
    tiers.settled.onChange(({ topicKey }, now) => {
      state.topics.byKey(topicKey)?.partitions[now.partition]?.nowSettled(now)
    })
  }

  start(): void {
    if (!this.#settings.settles) return
    this.#journal.onSealed(() => this.look())
    this.#look()
    this.#later()
  }
  #later(): void {
    this.#timer = this.#world.clock.timer(
      this.#settings.checkEveryMs,
      () => {
        this.#journal.rollIfOlder(this.#settings.settleAfterMs)
        this.look()
        this.#later()
      },
      { background: true },
    )
  }

  /** There may be something to settle or to drop. */
  look(): void {
    // What called may still be in the middle of its work.
    if (this.#settings.settles && !this.#closed) this.#world.clock.soon(() => this.#look())
  }
  #look(): void {
    if (this.#closed) return
    if (this.#running !== null) {
      this.#again = true
      return
    }
    this.#again = false
    this.#running = this.#round().finally(() => {
      this.#running = null
      if (this.#again) this.look()
    })
  }
  async #round(): Promise<void> {
    try {
      for (let next = this.#next(); next !== null; next = this.#next()) await this.#settle(next)
      await this.#retain()
    } catch (error) {
      if (!(error instanceof KeeperError)) throw error
      this.#failed(error)
    }
  }
  #next(): SealedSegment | null {
    if (this.#closed || this.#stopped !== null) return null
    const next = this.#journal.oldestSealed()
    if (next === null) return null
    const waitMs = this.#time.waitMs(next.end, this.#journal.stats())
    if (waitMs === 0) return next
    this.#waiting ??= this.#world.clock.timer(waitMs, () => this.#waited(), { background: true })
    return null
  }
  #waited(): void {
    this.#waiting = null
    this.look()
  }
  #failed(error: KeeperError): void {
    if (this.#closed) return
    // Where there was no room the next look tries again.
    if (error.code === 'FAILED') {
      this.#stopped = error
      this.#journal.fail(error)
    } else this.#write('warn', 'broker', 'the journal could not be settled', { err: error })
    if (error.code !== 'DAMAGED') return
    this.#stopped = error
    const segment = this.#journal.oldestSealed()
    if (segment !== null) this.#journal.distrust(segment)
  }

  // --- Settling ---

  async #settle(next: SealedSegment): Promise<void> {
    const { salt, generation, path, end, lastLsn, isDamaged, ending } = next
    const { topics, deleted } = this.#state
    await this.#settled.settle({
      segment: { salt, generation, path, end, lastLsn },
      isDamaged,
      streams: ending.streams,
      state: withoutBatches(ending.payload),
      topics: topics.known().map((topic) => this.#rollOf(topic)),
      // One that is being deleted may come back, if the journal does not take it.
      deleted: [...deleted].filter((key) => topics.byKey(key) === null),
      damage: this.#settled.damage,
    })
    const paths = this.#journal.drop(next)
    await this.#settled.clear(paths, isDamaged ? this.#settings.quarantine : null)
  }
  #rollOf(topic: Topic): TopicRoll {
    const { topics } = this.#state
    return {
      topicKey: topic.key,
      fileBytesMax: Math.min(this.#settings.fileBytesMax, Number(topics.config(topic, 'segment.bytes'))),
      // Only closed files are compacted: who wants it by then has them closed by then (as Kafka rolls).
      fileMsMax: Math.min(
        Number(topics.config(topic, 'segment.ms')),
        topic.compacted ? Math.max(1, Number(topics.config(topic, 'max.compaction.lag.ms'))) : Number.POSITIVE_INFINITY,
      ),
    }
  }

  // --- Dropping ---

  /** Of a deleted topic whose last entry is settled and whose files are gone nothing is left that its key would tell of. */
  #forgetDeleted(): void {
    const { deleted, topics } = this.#state
    const known = this.#deletedBefore
    if (known !== null && this.#settled.settledLsn < known.lsn) return
    if (known !== null) {
      const held = new Set<number>()
      for (const { topicKey } of this.#settled.partitions()) held.add(topicKey)
      for (const key of known.keys) if (!held.has(key)) deleted.delete(key)
    }
    // One that is being deleted may come back, and its entry is not in the journal yet.
    const keys = [...deleted].filter((key) => topics.byKey(key) === null)
    this.#deletedBefore = keys.length === 0 ? null : { lsn: this.#journal.durableLsn, keys }
  }

  async #retain(): Promise<void> {
    this.#forgetDeleted()
    if (this.#closed || this.#settled.files === 0) return
    const { topics } = this.#state
    const retained: RetainedPartition[] = []
    const orphans: PartitionPlace[] = []
    let ticks: RetainedPartition['files'] = []
    for (const { topicKey, partition, files } of this.#settled.partitions()) {
      const topic = topics.byKey(topicKey)
      const found = topic?.partitions[partition]
      if (topicKey === 0) {
        if (partition === ownStream.ticks) ticks = files
      } else if (found !== undefined) retained.push(this.#retainedOf(topic!, found))
      // Where topics are lost to damage, what they left is not deleted.
      else if (this.#state.deleted.has(topicKey)) orphans.push({ topicKey, partition })
    }
    const pins = this.#pins()
    const { fileBytes } = this.#journal.stats()
    const nowMs = this.#world.clock.nowMs()
    const plan = planRetention(retained, pins, {
      nowMs,
      logBytesMax: this.#settings.logBytesMax,
      otherBytes: Math.max(0, fileBytes - retained.reduce((sum, { journalBytes }) => sum + journalBytes, 0)),
      pinnedBytesMax: this.#settings.pinnedBytesMax,
    })
    this.#pinnedBytes = plan.pinnedBytes
    const dropped = new Set(plan.drop.map(({ file }) => file.number))
    let oldestLsn = this.#journal.firstLsn
    for (const { files } of retained) {
      for (const file of files) if (!dropped.has(file.number)) oldestLsn = Math.min(oldestLsn, file.firstLsn)
    }
    const drop = [...plan.drop.map(({ file }) => file), ...ticksToDrop(ticks, oldestLsn, pins, nowMs)]
    if (drop.length > 0 || orphans.length > 0) await this.#settled.drop(drop, orphans)
    if (plan.drop.length > 0) {
      const reasons: Record<string, number> = {}
      for (const { reason } of plan.drop) reasons[reason] = (reasons[reason] ?? 0) + 1
      this.#write('info', 'broker', 'files of the log were dropped', { files: plan.drop.length, ...reasons })
    }
    for (const job of this.mustRebuild()) {
      if (this.#toldToRebuild.has(job)) continue
      this.#toldToRebuild.add(job)
      const what = 'a job has lost entries it had not read, and must be rebuilt from what the log still holds'
      this.#write('error', 'broker', what, { job, pinnedBytesMax: this.#settings.pinnedBytesMax })
    }
  }
  #retainedOf(topic: Topic, partition: Partition): RetainedPartition {
    const { topics } = this.#state
    const { configs } = topic.info
    const retentionMs = Number(topics.config(topic, 'retention.ms'))
    return {
      topic: topic.info.name,
      files: partition.settled?.files ?? [],
      start: partition.start,
      stableEnd: partition.transactions.stableEnd(partition.start, partition.durableEnd),
      journalBytes: partition.journalBytes,
      mayDelete: topics.config(topic, 'cleanup.policy').includes('delete'),
      isExplicit: configs['retention.bytes'] !== undefined || configs['retention.ms'] === '-1',
      retentionMs,
      retentionBytes: Number(topics.config(topic, 'retention.bytes')),
    }
  }

  /** Jobs whose place is before what was dropped of their topics. */
  mustRebuild(): string[] {
    const { jobs, topics } = this.#state
    const jobsLost: string[] = []
    const gone = new Map<string, number>()
    for (const { topicKey, goneLsn } of this.#settled.partitions()) {
      const name = topics.byKey(topicKey)?.info.name
      if (name !== undefined) gone.set(name, Math.max(gone.get(name) ?? 0, goneLsn))
    }
    for (const [job, , cursor] of jobs.all()) {
      const at = lsnOfCursor(cursor, Number.MAX_SAFE_INTEGER)
      const lost = at > 0 && (jobs.topics(job) ?? []).some((name) => (gone.get(name) ?? 0) > at)
      if (lost) jobsLost.push(job)
    }
    return jobsLost
  }
  stats(): LogManagementStats {
    return {
      logBytesMax: this.#settings.logBytesMax,
      pinnedBytesMax: this.#settings.pinnedBytesMax,
      settledBytes: this.#settled.bytes,
      settledFiles: this.#settled.files,
      settledLsn: this.#settled.settledLsn,
      pinnedBytes: this.#pinnedBytes,
      mustRebuild: this.mustRebuild(),
    }
  }
  /** Why settling has stopped, or null. */
  trouble(): Error | null {
    return this.#stopped
  }

  /** The step under way comes to its end. */
  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    this.#waiting?.cancel()
    await this.#running
    await this.#settled.close()
  }
}
