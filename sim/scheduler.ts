// Virtual time: events run one by one by (time, seeded tie-break); between two of them every promise job is done.
import { assert } from '../src/std/assert.ts'
import type { RandomStream } from '../src/std/random.ts'

export interface ScheduledEvent {
  cancel(): void
}
interface Entry extends ScheduledEvent {
  readonly timeMs: number
  readonly tie: number
  readonly order: number
  run: (() => void) | null
}

/** Events of one lane keep the order in which they were scheduled: messages of one port, bytes of one connection. */
export interface Lane {
  after(delayMs: number, run: () => void): ScheduledEvent
}

export type Ending = 'done' | 'stalled' | 'hung'

/** Apart enough to order two events, close enough to mean the same time. */
const tickMs = 1e-6

export class Scheduler {
  #nowMs = 0
  #steps = 0
  #order = 0
  readonly #heap: Entry[] = []
  readonly #outside = new Set<Promise<unknown>>()
  readonly #random: RandomStream

  constructor(random: RandomStream) {
    this.#random = random
  }

  /** Virtual milliseconds since the simulation began. */
  get nowMs(): number {
    return this.#nowMs
  }
  /** How many events have run. */
  get steps(): number {
    return this.#steps
  }

  after(delayMs: number, run: () => void): ScheduledEvent {
    return this.#at(this.#nowMs + delayMs, run)
  }

  lane(): Lane {
    let lastMs = 0
    return {
      after: (delayMs, run) => {
        lastMs = Math.max(this.#nowMs + delayMs, lastMs + tickMs)
        return this.#at(lastMs, run)
      },
    }
  }

  /** Virtual time stands still until this real promise (the loading of a module) has settled. */
  holdFor(promise: Promise<unknown>): void {
    const held: Promise<unknown> = promise.then(
      () => this.#outside.delete(held),
      () => this.#outside.delete(held),
    )
    this.#outside.add(held)
  }

  /** Runs events until `done()`; `stalled` if nothing is left to happen before that, `hung` after `stepsMax` events. */
  async run(done: () => boolean, stepsMax: number): Promise<Ending> {
    const stepsLimit = this.#steps + stepsMax
    await this.#settle()
    while (!done()) {
      if (this.#steps >= stepsLimit) return 'hung'
      const event = this.#pop()
      if (event === null) return 'stalled'
      this.#nowMs = Math.max(this.#nowMs, event.timeMs)
      this.#steps++
      const run = event.run
      event.run = null
      run?.()
      await this.#settle()
    }
    return 'done'
  }

  /** One turn of the real event loop runs every promise job there is. */
  async #settle(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve))
    while (this.#outside.size > 0) {
      await Promise.all(this.#outside)
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
  }

  #at(timeMs: number, run: () => void): ScheduledEvent {
    assert(timeMs >= this.#nowMs, `an event in the past: ${timeMs} < ${this.#nowMs}`)
    const entry: Entry = {
      timeMs,
      tie: this.#random.u32(),
      order: this.#order++,
      run,
      cancel: () => {
        entry.run = null
      },
    }
    const heap = this.#heap
    let at = heap.length
    heap.push(entry)
    while (at > 0) {
      const parent = (at - 1) >>> 1
      if (!before(entry, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = entry
    return entry
  }

  /** The next event that was not cancelled. */
  #pop(): Entry | null {
    for (;;) {
      const heap = this.#heap
      const first = heap[0]
      if (first === undefined) return null
      const last = heap.pop()!
      if (heap.length > 0) {
        let at = 0
        for (;;) {
          let child = 2 * at + 1
          if (child >= heap.length) break
          if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
          if (!before(heap[child]!, last)) break
          heap[at] = heap[child]!
          at = child
        }
        heap[at] = last
      }
      if (first.run !== null) return first
    }
  }
}

function before(a: Entry, b: Entry): boolean {
  if (a.timeMs !== b.timeMs) return a.timeMs < b.timeMs
  if (a.tie !== b.tie) return a.tie < b.tie
  return a.order < b.order
}
