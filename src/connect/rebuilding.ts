// What is new or changed in a job's Plans is computed from the log here, behind what runs, and its rows are gathered by key
// until the switch. Decisions: docs/decisions/0025-plans-change-while-they-run.md.
//
// A window of which the log holds a part only is left as it stands in its topic: nothing tells what the rest would add.
// Where the log is whole, what the old Plan had told and the new one has not is taken back, so the topic is the new table.
import type { Job, ResultBatch, Upgrade } from '../engine/engine.ts'
import type { Commit, Cursor, Follower, Log } from '../log/log.ts'
import type { Contract } from '../query/contract.ts'
import type { Plan } from '../query/plan.ts'
import type { WindowRange } from '../query/reprocessing.ts'
import { entryOf } from '../std/maps.ts'
import { partitionId } from '../std/units.ts'
import { maxTimestampMs } from '../wire/record-batch.ts'
import { WireError } from '../wire/wire-error.ts'
import type { Clock } from '../world/world.ts'
import { Appends } from './appends.ts'
import { decodeTick } from './job-ticks.ts'
import type { OutputTopics } from './outputs.ts'
import { recordSource } from './record-source.ts'
import { ResultTable } from './result-table.ts'

/** The tables of the new Plans grew beyond what is gathered for a switch. What ran goes on; see the cure. */
export class RebuildLimitError extends Error {
  override name = 'RebuildLimitError'
  readonly cure = 'state an instant from which to compute them (rebuildFromMs), or run the plans as a job of their own'
}
/** Rows that wait for the switch, over all plans. */
export const rebuiltBytesMax = 256 << 20
/** Of the log, taken in between two looks at the world. */
const stepBytes = 4 << 20
/** Rows told with one commit: about as much as a busy job commits at once. */
const commitBytes = 8 << 20

export interface RebuildSettings {
  readonly log: Log
  readonly clock: Clock
  readonly follower: Follower
  readonly upgrade: Upgrade
  /** The wanted plans, and where their rows go. */
  readonly plans: readonly Plan[]
  readonly outputs: OutputTopics
  readonly contracts: ReadonlyMap<string, Contract>
  /** What arrived before is left out; null: the log from its earliest retained record. */
  readonly fromMs: number | null
  readonly bytesMax?: number
}
export class Rebuilding {
  readonly #settings: RebuildSettings
  readonly #job: Job | null
  readonly #push: ReturnType<typeof recordSource> | null
  /** By plan, by key. */
  readonly #tables = new Map<string, ResultTable>()
  #bytes = 0
  /** From here on windows are whole; -Infinity: the log is. */
  #wholeFromMs: number
  /** Partitions whose beginning is gone and of which nothing has come yet. */
  readonly #cut = new Set<string>()

  constructor(settings: RebuildSettings) {
    this.#settings = settings
    const { log, upgrade, fromMs } = settings
    this.#job = upgrade.rebuilding
    this.#push = this.#job === null ? null : recordSource(this.#job)
    this.#wholeFromMs = fromMs ?? Number.NEGATIVE_INFINITY
    for (const topic of this.#job?.topics ?? [])
      for (let partition = 0; partition < (log.topic(topic)?.partitions ?? 0); partition++)
        if (log.offsets(topic, partitionId(partition)).start > 0) this.#cut.add(`${topic}/${partition}`)
  }
  /** Takes in some more of the log; true when it stands at `until`, where the other job stands. */
  step(until: Cursor): 'there' | 'more' | 'waits' {
    if (this.#job === null) return 'there'
    const { follower } = this.#settings
    for (let bytes = 0; bytes < stepBytes; ) {
      if (follower.cursor() === until) return 'there'
      // One entry at a time: the place must not be overshot.
      const entries = follower.poll(1)
      if (entries.length === 0) return 'waits'
      for (const entry of entries) {
        if (entry.kind === 'tick') this.#job.tick(decodeTick(entry.payload))
        else {
          bytes += entry.bytes.length
          this.#take(entry.topic, entry.partition, entry.baseOffset, entry.bytes)
        }
      }
      this.#gather(this.#job)
    }
    return 'more'
  }
  #take(topic: string, partition: number, baseOffset: number, bytes: Uint8Array): void {
    const { fromMs } = this.#settings
    if (fromMs !== null && maxTimestampMs(bytes) < fromMs) return
    try {
      this.#push?.(topic, partition, baseOffset, bytes)
    } catch (error) {
      // Told by the job that runs, or by one that ran before it.
      if (!(error instanceof WireError)) throw error
    }
    if (this.#cut.size === 0 || !this.#cut.delete(`${topic}/${partition}`)) return
    const newestMs = this.#job?.partitions(topic)[partition]?.eventTimeMsMax ?? Number.NEGATIVE_INFINITY
    // What is a little older may have come before the record that is the first now.
    const outOfOrderMs = this.#settings.contracts.get(topic)?.outOfOrderMs ?? 0
    this.#wholeFromMs = Math.max(this.#wholeFromMs, newestMs + outOfOrderMs)
  }
  #gather(job: Job): void {
    // Dead letters, late records and what reactions emit have been told already, or belong to a time that is over.
    for (const batch of job.take().results) this.#gatherRows(batch)
  }
  #gatherRows(batch: ResultBatch): void {
    const { upgrade, outputs, clock, bytesMax = rebuiltBytesMax } = this.#settings
    const { name } = batch.plan
    if (!upgrade.rebuilt.includes(name) || !outputs.results.has(name)) return
    const table = entryOf(this.#tables, name, () => new ResultTable(batch.plan, clock))
    this.#bytes += table.add(batch)
    if (this.#bytes > bytesMax)
      throw new RebuildLimitError(
        `the tables of the new plans have ${this.#bytes} bytes, over the limit of ${bytesMax}; nothing was switched`,
      )
  }

  /** The rows of the switch, in the pieces in which they are committed, the last one with `record`. */
  async commits(record: Commit['appends'][number]): Promise<Commit['appends'][]> {
    const { outputs } = this.#settings
    const pieces: Commit['appends'][] = []
    const appends = new Appends()
    for (const [plan, table] of this.#tables) {
      const to = outputs.results.get(plan)
      if (to === undefined) continue
      await table.compareWith(this.#settings.log, to.topic, (windows) => this.#isWhole(windows))
      table.tell(to, appends, () => {
        if (appends.pendingBytes > commitBytes) pieces.push(appends.take())
      })
    }
    // What is small enough is one step: the last rows, and that the plans are others from here on.
    return [...pieces, [...appends.take(), record]]
  }
  /** Was all of the row's window computed? */
  #isWhole(windows: WindowRange | null): boolean {
    if (this.#wholeFromMs === Number.NEGATIVE_INFINITY) return true
    return windows !== null && windows.fromMs >= this.#wholeFromMs
  }
  close(): void {
    this.#settings.follower.close()
  }
}
