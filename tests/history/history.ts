// What clients did to a broker and what they were told: the operations of a Kafka history, as the checker reads them.

/** A topic's partition, numbered by the recorder. */
export type Key = number
/** What a record carries, numbered from 0 over the whole history: no value is sent twice. */
export type Value = number
/** Read where no value can be: the record was never sent, or its bytes are not those that were sent. */
export const garbage: Value = -1

export interface Send {
  readonly key: Key
  readonly value: Value
  /** As acknowledged; null where the client was not told. */
  readonly offset: number | null
}
export interface Poll {
  readonly key: Key
  /** Parallel, in the order in which they were handed out. */
  readonly offsets: readonly number[]
  readonly values: readonly Value[]
}

/**
 * `ok`: it happened. `fail`: it did not, and never will. `info`: nobody knows. A transaction that asked for its commit and
 * got no answer is `info`; one that never asked is `fail`.
 */
export type Outcome = 'ok' | 'fail' | 'info'

export interface Op {
  /** One client after another: who got an unclear answer goes on under a new number. */
  readonly process: number
  readonly outcome: Outcome
  /** `assign` and `subscribe` say how the process reads from here on, and that it starts anew. */
  readonly kind: 'send' | 'poll' | 'txn' | 'assign' | 'subscribe'
  readonly sends: readonly Send[]
  readonly polls: readonly Poll[]
  /** Keys that changed hands before these polls: positions in them start anew. */
  readonly rebalanced: readonly Key[]
  /** Monotonic time at which it was answered; for the metric only. */
  readonly endMs: number
}

/** Operations in the order in which they were asked for. */
export interface History {
  readonly ops: readonly Op[]
  /** At the end somebody read every key from its beginning to its end, with `read_committed`. */
  readonly caughtUp: boolean
  /** Names of keys for messages, `topic/partition`. */
  readonly keys: readonly string[]
}
