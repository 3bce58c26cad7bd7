// One simulated machine: its disk, the faults it is told to have, and the operations it counts so that a crash or an
// error can be put at the k-th of them.
import type { RandomStream } from '../src/std/random.ts'
import { FsError } from '../src/world/world.ts'
import { Disk } from './disk.ts'
import type { Scheduler } from './scheduler.ts'

/** Wall time when a simulation begins, before the offset of a process. */
export const epochMs = Date.UTC(2026, 0, 1)

/** Odds are per operation, 0..1. */
export interface DiskFaults {
  /** A read or write moves only a part, and nothing is wrong. */
  readonly shortOdds: number
  /** The disk is full for the next few operations: writes move a part, then fail with ENOSPC. */
  readonly fullOdds: number
  /** A sync fails with EIO and loses sectors that look clean from then on. */
  readonly syncErrorOdds: number
  /** Each sector and folder entry that was not synced survives a power cut with these odds. */
  readonly survival: number
}
export const noFaults: DiskFaults = { shortOdds: 0, fullOdds: 0, syncErrorOdds: 0, survival: 0.5 }

export type CrashKind = 'kill' | 'power'
/** What happens at the k-th operation from now, counted from 1. `forEver`: and at every later one of the same sort. */
export type Plan =
  | { readonly at: number; readonly crash: CrashKind }
  | { readonly at: number; readonly fail: 'EIO' | 'ENOSPC'; readonly forEver: boolean }

/** A process or a thread of one: nothing of it runs once it is not alive. */
export interface Context {
  readonly alive: boolean
  /** The machine's disk; once dead, a copy that nobody sees. */
  readonly disk: Disk
  readonly random: RandomStream
  /** Like the scheduler's, but never runs in the dead. */
  after(delayMs: number, run: () => void, options?: { readonly background?: boolean }): { cancel(): void }
  /** The process of this context dies now: of what it still computes in this turn, nothing is seen by anyone. */
  crash(kind: CrashKind): void
}

export type Operation = 'open' | 'write' | 'truncate' | 'mkdir' | 'rename' | 'link' | 'unlink' | 'sync' | 'synced'

export class Machine {
  readonly scheduler: Scheduler
  readonly random: RandomStream
  readonly capacityBytes: number
  disk: Disk
  faults: DiskFaults
  /** Operations that change the disk or wait for it, by live processes, since the machine was built. */
  operations = 0
  /** Draws what a crash leaves; its own stream, so that one run can be crashed at one point with other outcomes. */
  readonly crashRandom: RandomStream
  /** What happened, line by line, if it is kept. */
  readonly trace: string[] | null
  #plan: Plan | null = null
  #fullUntil = 0

  constructor(
    scheduler: Scheduler,
    random: RandomStream,
    settings: {
      faults: DiskFaults
      capacityBytes: number
      sectorBytes: number
      keepTrace: boolean
      crashOutcome: number
    },
  ) {
    this.scheduler = scheduler
    this.random = random
    this.crashRandom = random.fork(`crash-${settings.crashOutcome}`)
    this.faults = settings.faults
    this.capacityBytes = settings.capacityBytes
    this.disk = new Disk(settings.sectorBytes)
    this.trace = settings.keepTrace ? [] : null
  }

  /** Arms one crash or failure at the k-th operation from now; replaces the last one. Null: none. */
  plan(plan: Plan | null): void {
    this.#plan = plan === null ? null : { ...plan, at: this.operations + plan.at }
  }
  /** Has what was planned happened? */
  get planned(): boolean {
    return this.#plan !== null && this.operations >= this.#plan.at
  }

  note(text: string): void {
    this.trace?.push(`${this.scheduler.nowMs.toFixed(6)} ${text}`)
  }

  /**
   * Counts an operation of a live context. A planned failure is thrown; for a planned crash the answer says how much of
   * the operation happens before it (0..1), then the caller calls `context.crash`.
   */
  begin(
    context: Context,
    operation: Operation,
    path: string,
  ): { readonly crash: CrashKind; readonly part: number } | null {
    if (!context.alive) return null
    this.operations++
    if (this.trace !== null) this.note(`${operation} ${path}`)
    const plan = this.#plan
    if (plan === null) return null
    if ('crash' in plan) {
      if (this.operations !== plan.at) return null
      const draw = this.crashRandom.below(4)
      return { crash: plan.crash, part: draw === 0 ? 0 : draw === 1 ? 1 : this.crashRandom.float() }
    }
    if (this.operations < plan.at || (!plan.forEver && this.operations > plan.at)) return null
    const suits = plan.fail === 'EIO' ? operation === 'synced' : takesRoom(operation)
    // A single failure waits for the first operation that can have it.
    if (suits) {
      if (!plan.forEver) this.#plan = { ...plan, at: 0 }
      throw new FsError(plan.fail, operation, path)
    }
    if (!plan.forEver) this.#plan = { ...plan, at: this.operations + 1 }
    return null
  }

  /** Is it full for a while, as the faults have it, and not because of its capacity? */
  get fills(): boolean {
    return this.#fullUntil > this.operations
  }

  /** Bytes that can still be written. */
  freeBytes(): number {
    if (this.fills) return 0
    if (this.capacityBytes === Infinity) return Infinity
    let used = 0
    for (const node of this.disk.reachable()) if (node.kind === 'file') used += node.sizeBytes
    return Math.max(0, this.capacityBytes - used)
  }

  /** Draws whether the disk fills up now. */
  mayFill(): void {
    if (this.faults.fullOdds > 0 && this.random.float() < this.faults.fullOdds) {
      this.#fullUntil = this.operations + 1 + this.random.below(12)
      this.note(`full until operation ${this.#fullUntil}`)
    }
  }
  /** Someone made room. */
  makeRoom(): void {
    this.#fullUntil = 0
  }
}

function takesRoom(operation: Operation): boolean {
  return operation === 'open' || operation === 'write' || operation === 'mkdir'
}
