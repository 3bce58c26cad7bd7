// One partition: its next offset, what of it is durable, where its batches are, and its producers.
import { assert } from '../std/assert.ts'
import { type CurrentEpoch, LeaderEpochs } from './leader-epochs.ts'
import { OffsetIndex } from './offset-index.ts'
import type { ProducerWindow } from './producer-window.ts'
import { settledFileBytes } from './settled/file-format.ts'
import type { SettledPartition } from './settled/manifest.ts'
import type { ReadPlace } from './settled/reading.ts'
import { PartitionTransactions } from './transactions/partition-transactions.ts'

/** Producers remembered per partition; the one that wrote longest ago is forgotten first. */
export const partitionProducersMax = 10_000

export class Partition {
  readonly topicKey: number
  readonly id: number
  readonly index = new OffsetIndex()
  readonly epochs = new LeaderEpochs()
  readonly transactions = new PartitionTransactions()
  /** The offset the next batch gets. */
  nextOffset = 0
  /** One past the last durable record: what readers see. */
  durableEnd = 0
  /** The first offset still held: what readers may ask for. */
  start = 0
  /** The same, with deletions that are not durable yet. */
  startTaken = 0
  /** Of its batches in the journal, durable or not. */
  journalBytes = 0
  /** What of it has left the journal; null: nothing has. Offsets from `settled.end` on are in the index. */
  settled: SettledPartition | null = null
  /** Where the last read of settled files ended. */
  settledPlace: ReadPlace | null = null
  /** Why nothing may be appended any more; null: all is well. */
  damage: string | null = null
  readonly #epoch: CurrentEpoch
  readonly #windows = new Map<number, ProducerWindow>()

  constructor(topicKey: number, id: number, epoch: CurrentEpoch = { current: 0 }) {
    this.#epoch = epoch
    this.topicKey = topicKey
    this.id = id
  }

  /** What it takes on the disk. */
  get bytes(): number {
    let bytes = this.journalBytes
    for (const file of this.settled?.files ?? []) bytes += settledFileBytes(file)
    return bytes
  }

  /** Of the batches that are appended now. */
  get currentEpoch(): number {
    return this.#epoch.current
  }
  window(producerId: number): ProducerWindow | undefined {
    return this.#windows.get(producerId)
  }
  /** Undefined forgets the producer. */
  setWindow(producerId: number, window: ProducerWindow | undefined): void {
    // Taking it out first keeps the map in the order of use.
    this.#windows.delete(producerId)
    if (window === undefined) return
    this.#windows.set(producerId, window)
    if (this.#windows.size <= partitionProducersMax) return
    for (const oldest of this.#windows.keys()) {
      this.#windows.delete(oldest)
      break
    }
  }
  /** In the order of use. */
  windows(): IterableIterator<[number, ProducerWindow]> {
    return this.#windows.entries()
  }
  get producers(): number {
    return this.#windows.size
  }

  /** Files were settled, dropped or replaced: what of them is in the journal too is not needed from there. */
  nowSettled(settled: SettledPartition): void {
    this.settled = settled
    this.journalBytes -= this.index.dropUpTo(settled.lastLsn)
    this.startTaken = Math.max(this.startTaken, settled.start)
    this.start = Math.max(this.start, settled.start)
  }
  /** After a start: where the journal goes on from. */
  restoreSettled(settled: SettledPartition): void {
    this.nextOffset = settled.end
    this.durableEnd = settled.end
    this.nowSettled(settled)
  }
  /** LSN of its newest batch; 0: it never had one. */
  get lastLsn(): number {
    const { index } = this
    return index.count === 0 ? (this.settled?.lastLsn ?? 0) : index.lsn(index.count - 1)
  }

  /** A batch got its place, durable or not yet. */
  placed(
    lastOffset: number,
    lsn: number,
    maxTimestampMs: number,
    segment: number,
    position: number,
    bytes: number,
  ): void {
    assert(lastOffset >= this.nextOffset, `offset ${lastOffset} after ${this.nextOffset}`)
    this.epochs.note(this.#epoch.current, this.nextOffset)
    this.index.add(this.nextOffset, lastOffset, lsn, maxTimestampMs, segment, position, bytes)
    this.journalBytes += bytes
    this.nextOffset = lastOffset + 1
  }
  /** The newest batch was taken back. */
  takenBack(baseOffset: number): void {
    this.journalBytes -= this.index.bytes(this.index.count - 1)
    this.index.removeLast()
    this.nextOffset = baseOffset
    this.epochs.takenBack(baseOffset)
  }
  /** Index entries that are durable. */
  get durableEntries(): number {
    const { index } = this
    let entries = index.count
    // What is not durable yet is a few batches at the end.
    while (entries > 0 && index.lastOffset(entries - 1) >= this.durableEnd) entries--
    return entries
  }
}
