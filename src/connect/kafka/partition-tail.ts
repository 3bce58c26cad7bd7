// What was fetched of one partition and not yet handed out: whole batches, committed ones only, in order.
import { baseOffset, lastOffset } from '../../wire/record-batch.ts'
import { committedAmong, type FetchedPartition, wholeBatches } from './reading.ts'

export interface Fetched {
  readonly bytes: Uint8Array
  readonly base: number
  readonly last: number
}

export class PartitionTail {
  readonly topic: string
  readonly topicId: Uint8Array
  /** The text of the topic's id, or what stands for the job's own. */
  readonly id: string
  readonly partition: number
  readonly #batches: Fetched[] = []
  /** Where to fetch next. */
  from: number
  /** One past what is known to be readable; grows with what the brokers and our own appends tell. */
  end = 0
  bytes = 0
  /** A broker has told how far it goes. */
  isLookedAt = false

  constructor(topic: { readonly name: string; readonly id: Uint8Array }, id: string, partition: number, from: number) {
    this.topic = topic.name
    this.topicId = topic.id
    this.id = id
    this.partition = partition
    this.from = from
  }

  get first(): Fetched | undefined {
    return this.#batches[0]
  }
  shift(): Fetched | undefined {
    const first = this.#batches.shift()
    if (first !== undefined) this.bytes -= first.bytes.length
    return first
  }
  /** Returns how many batches came; throws a WireError for damage. */
  take({ records, abortedTransactions, lastStableOffset }: FetchedPartition): number {
    const batches = wholeBatches(records).filter((batch) => lastOffset(batch) >= this.from)
    const last = batches.at(-1)
    const committed = committedAmong(batches, abortedTransactions)
    for (const bytes of committed) {
      this.#batches.push({ bytes, base: baseOffset(bytes), last: lastOffset(bytes) })
      this.bytes += bytes.length
    }
    if (last !== undefined) this.from = lastOffset(last) + 1
    this.end = Math.max(this.end, lastStableOffset)
    this.isLookedAt = true
    return committed.length
  }
  /** Is everything that is known to be readable fetched? */
  get isFetched(): boolean {
    return this.isLookedAt && this.from >= this.end
  }
}
