// Simulated threads: each module runs on this one thread, its events mixed with all others in the seeded order.
import type { RandomStream } from '../src/std/random.ts'
import type { Thread, ThreadMain, ThreadPort, Threads, World } from '../src/world/world.ts'
import type { Disk } from './disk.ts'
import type { Context, CrashKind, Machine } from './machine.ts'
import type { Lane } from './scheduler.ts'

/** How a thread gets a world of its own. */
export type WorldFor = (context: Context) => World

export function simThreads(machine: Machine, context: Context, worldFor: WorldFor): Threads {
  let spawned = 0
  const threads: Threads = {
    spawn(module, data) {
      const random = context.random.fork(`thread-${spawned++}`)
      const thread = new SimThread(machine, context, random)
      const copy: unknown = structuredClone(data)
      thread.within.after(machine.random.float() * 20, () => {
        const loading = import(module.href).then((loaded: { readonly default: ThreadMain }) => {
          if (thread.within.alive)
            thread.within.guard(() => loaded.default(thread.inside, copy, worldFor(thread.within)))
        })
        machine.scheduler.holdFor(loading.catch((error: unknown) => thread.within.fail(error)))
      })
      return thread
    },
    // A process that dies alone is a thread that is stopped: both share nothing with us.
    spawnProcess: (module, data) => threads.spawn(module, data),
  }
  return threads
}

/** The inside of a thread: alive as long as its process is and nobody has stopped it. */
class ThreadContext implements Context {
  readonly random: RandomStream
  readonly #process: Context
  readonly #exit: (error: Error | null) => void
  listens = false
  #stopped = false
  #pending = 0

  constructor(process: Context, random: RandomStream, exit: (error: Error | null) => void) {
    this.#process = process
    this.random = random
    this.#exit = exit
  }

  get alive(): boolean {
    return !this.#stopped && this.#process.alive
  }
  get disk(): Disk {
    return this.#process.disk
  }

  after(delayMs: number, run: () => void, options?: { readonly background?: boolean }): { cancel(): void } {
    let counts = options?.background !== true
    if (counts) this.#pending++
    const over = (): void => {
      if (counts) this.#pending--
      counts = false
    }
    const event = this.#process.after(delayMs, () => {
      over()
      if (this.alive) this.guard(run)
    })
    return {
      cancel: () => {
        event.cancel()
        over()
      },
    }
  }

  /** Runs a piece of the thread; what it throws ends the thread, and so does having nothing left to wait for. */
  guard(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.fail(error)
      return
    }
    // Looked at once its promise jobs are done: they may have asked for more.
    if (this.#pending === 0 && !this.listens)
      this.#process.after(0, () => {
        if (this.alive && this.#pending === 0 && !this.listens) this.stop(null)
      })
  }

  fail(error: unknown): void {
    this.stop(error instanceof Error ? error : new Error(String(error)))
  }

  stop(error: Error | null): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#exit(error)
  }

  crash(kind: CrashKind): void {
    this.#process.crash(kind)
  }
}

class SimThread implements Thread {
  readonly within: ThreadContext
  /** The port as the thread itself sees it. */
  readonly inside: ThreadPort
  readonly #machine: Machine
  readonly #process: Context
  readonly #inward: Lane
  #early: unknown[] = []
  #earlyInside: unknown[] = []
  #onMessage: ((message: unknown) => void) | null = null
  #onMessageInside: ((message: unknown) => void) | null = null
  #onExit: ((error: Error | null) => void) | null = null
  #exit: { readonly error: Error | null } | null = null

  constructor(machine: Machine, process: Context, random: RandomStream) {
    this.#machine = machine
    this.#process = process
    this.#inward = machine.scheduler.lane()
    const outward = machine.scheduler.lane()
    this.within = new ThreadContext(process, random, (error) => {
      outward.after(this.#delayMs(), () => this.#ended(error))
    })
    this.inside = {
      post: (message, transfer = []) => {
        const copy: unknown = structuredClone(message, { transfer: [...transfer] })
        if (this.within.alive) outward.after(this.#delayMs(), () => this.#arrived(copy))
      },
      onMessage: (handler) => {
        this.#onMessageInside = handler
        this.within.listens = true
        const early = this.#earlyInside
        this.#earlyInside = []
        if (early.length > 0) this.within.after(0, () => early.forEach(handler))
      },
    }
  }

  post(message: unknown, transfer: readonly ArrayBuffer[] = []): void {
    const copy: unknown = structuredClone(message, { transfer: [...transfer] })
    this.#inward.after(this.#delayMs(), () => {
      if (!this.within.alive) return
      const handler = this.#onMessageInside
      if (handler === null) this.#earlyInside.push(copy)
      else this.within.guard(() => handler(copy))
    })
  }

  onMessage(handler: (message: unknown) => void): void {
    this.#onMessage = handler
    const early = this.#early
    this.#early = []
    if (early.length > 0) this.#process.after(0, () => early.forEach(handler))
  }

  onExit(handler: (error: Error | null) => void): void {
    this.#onExit = handler
    const exit = this.#exit
    if (exit !== null) this.#process.after(0, () => handler(exit.error))
  }

  stop(): Promise<void> {
    this.within.stop(null)
    return new Promise((resolve) => {
      this.#process.after(this.#delayMs(), resolve)
    })
  }

  #arrived(message: unknown): void {
    if (!this.#process.alive) return
    if (this.#onMessage === null) this.#early.push(message)
    else this.#onMessage(message)
  }

  #ended(error: Error | null): void {
    if (!this.#process.alive) return
    this.#exit = { error }
    this.#onExit?.(error)
  }

  #delayMs(): number {
    return 0.01 + this.#machine.random.float()
  }
}
