// When and how a job's entries go through worker threads: one thread until it is more than half busy, then shards until
// one thread would be mostly idle again. Results do not depend on it, so the decision is nobody's business: it is not
// recorded, and a replay may decide otherwise.
import type { Job, ShardSettings } from '../engine/engine.ts'
import { shardable } from '../engine/engine.ts'
import type { LogEntry } from '../log/log.ts'
import type { Plan } from '../query/plan.ts'
import type { World } from '../world/world.ts'
import { decodeTick } from './job-ticks.ts'
import { ringBytesDefault, Shards } from './shards.ts'

export interface ShardingSettings {
  readonly plans: readonly Plan[]
  readonly settings: ShardSettings
  readonly partitionsOf: (topic: string) => number
  /** Threads at most; 0: the job's own thread does everything. */
  readonly shardsMax: number
  /** From the first entry on, whatever the load: for tests. */
  readonly always: boolean
}
/** What the job's runner does with entries. */
export interface EntryWork {
  /** All of it on the job's own thread. */
  inline(entry: LogEntry): void
  /** The entry is in the job; why the rest of its batch could not be read, if so. */
  done(entry: LogEntry, unreadable: string | null): void
}

/** Looks at the load so often. */
const windowMs = 1000
/** Two windows in a row above this: more threads. */
const busyShare = 0.5
/** What one thread would be busy with, for so many windows in a row: one thread again. */
const idleShare = 0.2
const idleWindows = 10
/** Batches taken in between two looks at the world: about 4 ms. */
const absorbedAtOnce = 16

export class Sharding {
  readonly #world: World
  readonly #job: Job
  readonly #settings: ShardingSettings
  readonly #work: EntryWork
  readonly #possible: boolean
  /** Since the start, for figures. */
  batchBytes = 0
  busyMs = 0
  #shards: Shards | null = null
  #active = false
  #windowStartMs: number
  #busyMs = 0
  #bytes = 0
  /** Of one thread doing everything: measured until shards take over. */
  #msPerByte = 0
  #busyWindows = 0
  #quietWindows = 0

  constructor(world: World, job: Job, settings: ShardingSettings, work: EntryWork) {
    this.#world = world
    this.#job = job
    this.#settings = settings
    this.#work = work
    this.#possible = settings.shardsMax > 0 && shardable(settings.plans)
    this.#windowStartMs = world.clock.monoMs()
    if (settings.always) this.#open()
  }
  /** Threads at work; 0: the job's own does everything. */
  get shards(): number {
    return this.#active ? (this.#shards?.count ?? 0) : 0
  }
  /** Something is on its way through the shards. */
  get underWay(): boolean {
    return this.#active && this.#shards !== null && !this.#shards.idle
  }
  queuedBytes(): number {
    return this.#shards?.queuedBytes().reduce((sum, bytes) => sum + bytes, 0) ?? 0
  }
  #open(): void {
    if (!this.#possible || this.#shards !== null) return
    const { plans, settings, partitionsOf, shardsMax } = this.#settings
    this.#shards = new Shards(this.#world, this.#job, {
      plans,
      settings,
      partitionsOf,
      count: shardsMax,
      ringBytes: ringBytesDefault,
    })
  }

  /** Takes the entries in, or gives them out: their bytes are the follower's again when this resolves. */
  async take(entries: readonly LogEntry[]): Promise<void> {
    if (!this.#active && this.#shards?.ready) this.#active = true
    if (this.#active && this.#shards !== null) {
      await this.#giveOut(this.#shards, entries)
      this.#note(entries, 0)
      return
    }
    const startedMs = this.#world.clock.monoMs()
    for (const entry of entries) this.#work.inline(entry)
    this.#note(entries, this.#world.clock.monoMs() - startedMs)
    if (this.#settings.always && this.#shards !== null && !this.#shards.ready) await this.#shards.arrived()
  }
  async #giveOut(shards: Shards, entries: readonly LogEntry[]): Promise<void> {
    for (const entry of entries) {
      if (entry.kind === 'tick') await this.#tick(shards, entry)
      else if (shards.takes(entry)) {
        // Its bytes are the follower's again by then; those in the ring are still there.
        const done = (unreadable: string | null, bytes: Uint8Array): void =>
          this.#work.done({ ...entry, bytes }, unreadable)
        while (!shards.offer(entry, done)) await this.#absorbSome(shards)
      } else {
        await this.settle()
        this.#work.inline(entry)
        shards.tellPartition(entry.topic, entry.partition)
      }
      this.#absorb(shards)
    }
    shards.wake()
  }
  #absorb(shards: Shards): number {
    const startedMs = this.#world.clock.monoMs()
    const taken = shards.absorb(absorbedAtOnce)
    this.busyMs += this.#world.clock.monoMs() - startedMs
    return taken
  }
  async #tick(shards: Shards, entry: Extract<LogEntry, { kind: 'tick' }>): Promise<void> {
    const tick = decodeTick(entry.payload)
    const run = (): void => {
      this.#job.tick(tick)
      this.#work.done(entry, null)
    }
    while (!shards.flush(run)) await this.#absorbSome(shards)
    if (tick.idle.length === 0) return
    // Partitions that hold time back no longer: nothing goes out before their threads know.
    await this.#drain(shards)
    for (const { topic, partition } of tick.idle) shards.tellPartition(topic, partition)
  }
  async #absorbSome(shards: Shards): Promise<void> {
    if (this.#absorb(shards) === 0) await shards.arrived()
    else await new Promise<void>((resolve) => this.#world.clock.soon(resolve))
  }
  async #drain(shards: Shards): Promise<void> {
    while (!shards.idle) await this.#absorbSome(shards)
  }
  /** Waits for some of what is on its way. */
  async absorb(): Promise<void> {
    if (this.#shards !== null && this.underWay) await this.#absorbSome(this.#shards)
  }
  /** All that was given out is in the job, and nothing is held elsewhere: its state can be kept. */
  async settle(): Promise<void> {
    const shards = this.#shards
    if (!this.#active || shards === null) return
    while (!shards.flush(() => {})) await this.#absorbSome(shards)
    await this.#drain(shards)
  }

  #note(entries: readonly LogEntry[], busyMs: number): void {
    let bytes = 0
    for (const entry of entries) if (entry.kind === 'batch') bytes += entry.bytes.length
    this.#bytes += bytes
    this.batchBytes += bytes
    this.#busyMs += busyMs
    this.busyMs += busyMs
  }
  /** Once in a while: are more threads worth it, or fewer? */
  async look(): Promise<void> {
    const nowMs = this.#world.clock.monoMs()
    const elapsedMs = nowMs - this.#windowStartMs
    if (elapsedMs < windowMs || this.#settings.always || !this.#possible) return
    if (!this.#active && this.#bytes > 0) this.#msPerByte = this.#busyMs / this.#bytes
    const share = this.#active ? (this.#bytes * this.#msPerByte) / elapsedMs : this.#busyMs / elapsedMs
    this.#busyWindows = share > busyShare ? this.#busyWindows + 1 : 0
    this.#quietWindows = share < idleShare ? this.#quietWindows + 1 : 0
    this.#windowStartMs = nowMs
    this.#busyMs = 0
    this.#bytes = 0
    if (this.#busyWindows >= 2) this.#open()
    else if (this.#active && this.#quietWindows >= idleWindows) {
      await this.settle()
      await this.stop()
    }
  }
  async stop(): Promise<void> {
    const shards = this.#shards
    this.#shards = null
    this.#active = false
    await shards?.stop()
  }
}
