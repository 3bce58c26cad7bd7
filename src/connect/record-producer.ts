// What everything that takes records for topics offers, wherever they go: to a log in this process or to a Kafka cluster.

/** Records in. The same shape as the generator's sink, so traffic can be poured straight in. */
export interface RecordProducer {
  /**
   * Takes one record; the bytes are copied. Never waits: ask `room` between portions. A null key spreads records over the
   * partitions a batch at a time. Throws the `ProduceError` of an earlier record, if one failed.
   */
  record(topic: string, key: Uint8Array | null, value: Uint8Array | null, timeMs: number): void
  /** Null while there is room. Else resolves when there is again; rejects with a `ProduceError` once a send has failed. */
  room(): Promise<void> | null
  /** Sends what is waiting and resolves when everything taken so far is acknowledged; rejects with a `ProduceError`. */
  flush(): Promise<void>
  counts(): ProducerCounts
  /** Why what was taken is not sent at the moment, though it will be (the receiver's disk is full); null: it is. */
  trouble(): Error | null
  /** Flushes, then lets go of timers and connections. Nothing may be recorded afterwards. Rejects rather than wait out a trouble. */
  close(): Promise<void>
}

export interface ProducerCounts {
  /** Records taken. */
  readonly records: number
  /** Records known to be durable as the receiver understands it. */
  readonly acknowledged: number
  /** Batches or requests handed over, and their bytes as handed over. */
  readonly sends: number
  readonly sentBytes: number
  /** Bytes of finished batches that are not yet acknowledged. */
  readonly waitingBytes: number
}

/** A record that could not be delivered. What came after it was not delivered either. */
export class ProduceError extends Error {
  override name = 'ProduceError'
  readonly topic: string
  constructor(topic: string, what: string, cure: string, options?: ErrorOptions) {
    super(`topic '${topic}': ${what}. ${cure}`, options)
    this.topic = topic
  }
}

/** A gate that is open or shut; those who wait while it is shut go on together. */
export interface Gate {
  /** Null when open. */
  wait(): Promise<void> | null
  shut(): void
  open(): void
  /** Lets everybody go with this error, now and later. */
  fail(error: Error): void
}
export function gate(): Gate {
  let waiting: PromiseWithResolvers<void> | null = null
  let failed: Error | null = null
  return {
    wait() {
      if (failed !== null) return Promise.reject(failed)
      return waiting?.promise ?? null
    },
    shut() {
      if (waiting !== null || failed !== null) return
      waiting = Promise.withResolvers()
      // Whoever waits gets the failure; a failure nobody waits for is told by the next `record` or `flush`.
      waiting.promise.catch(() => {})
    },
    open() {
      waiting?.resolve()
      waiting = null
    },
    fail(error) {
      failed ??= error
      waiting?.reject(failed)
      waiting = null
    },
  }
}
