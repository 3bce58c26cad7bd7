// Writes down what clients do, in the order in which they ask; what was never answered stays unclear.
import type { History, Key, Op, Outcome, Poll, Send, Value } from './history.ts'

export interface Slot {
  /** The answer. Later ones for the same operation are not taken. */
  end(outcome: Outcome, told?: { readonly sends?: readonly Send[]; readonly polls?: readonly Poll[] }): void
}
/** A record that a transaction made out of another. */
export interface Copy {
  readonly group: string
  readonly from: Value
  readonly to: Value
}

export class Recorder {
  readonly #ops: Op[] = []
  readonly #keys = new Map<string, Key>()
  readonly #sendingOf = new Map<Slot, number>()
  readonly copies: Copy[] = []
  #values = 0
  #processes = 0
  /** Records that were acknowledged. */
  acked = 0

  keyOf(topic: string, partition: number): Key {
    const name = `${topic}/${partition}`
    const known = this.#keys.get(name)
    if (known !== undefined) return known
    const key = this.#keys.size
    this.#keys.set(name, key)
    return key
  }
  newValue(): Value {
    return this.#values++
  }
  newProcess(): number {
    return this.#processes++
  }
  /** Operations that send and have no answer yet. */
  get inFlight(): number {
    return this.#sendingOf.size
  }
  /** An operation is asked for: what it sends is known from here on. */
  begin(process: number, kind: Op['kind'], sends: readonly Omit<Send, 'offset'>[] = []): Slot {
    const at = this.#ops.length
    const unclear = sends.map((send) => ({ ...send, offset: null }))
    const blank = { process, kind, polls: [], rebalanced: [] }
    this.#ops.push({ ...blank, outcome: 'info', sends: unclear, endMs: performance.now() })
    const slot: Slot = {
      end: (outcome, told = {}) => {
        if (!this.#sendingOf.delete(slot) && sends.length > 0) return
        const { sends: sent = unclear, polls = [] } = told
        this.#ops[at] = { ...blank, outcome, sends: sent, polls, endMs: performance.now() }
        if (outcome === 'ok') this.acked += sent.length
      },
    }
    if (sends.length > 0) this.#sendingOf.set(slot, at)
    return slot
  }
  /** From here on the process reads like this, from wherever it likes. */
  reads(process: number, how: 'assign' | 'subscribe'): void {
    this.begin(process, how).end('ok')
  }
  polled(process: number, polls: readonly Poll[]): void {
    this.begin(process, 'poll').end('ok', { polls })
  }
  history(caughtUp: boolean): History {
    return { ops: this.#ops, caughtUp, keys: [...this.#keys.keys()] }
  }
}
