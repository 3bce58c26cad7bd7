// Transactions on the journal: joining is an entry; an end is one atomic group of the decision, a marker for each
// partition and the offsets of groups, durable together or not at all.
import { offset, partitionId } from '../../std/units.ts'
import { batchEntry } from '../appending.ts'
import { type OffsetEntry, writeOffsetEntry } from '../groups/offset-entry.ts'
import { type EntryKind, entryKind, ownStream } from '../journal/entry.ts'
import type { GroupPlace, NewEntry } from '../journal/new-entry.ts'
import type { Partition } from '../partition.ts'
import type { LogState } from '../replay.ts'
import type { Topic } from '../topic-table.ts'
import { controlBatch } from './control-batch.ts'
import type { EndedTransaction, NamedPartition, TransactionLog } from './coordinator.ts'
import type { Transaction } from './transaction.ts'
import {
  type EndedEntry,
  type JoinedEntry,
  type MarkedEntry,
  type Part,
  type Place,
  type StagedEntry,
  type TurningEntry,
  writeTransactionEntry,
} from './transaction-entry.ts'

/** What the log lends. */
export interface LogHands {
  readonly state: LogState
  nowMs(): number
  /** See `EmbeddedLog`. */
  take<T>(
    entries: readonly NewEntry[],
    placed: (place: GroupPlace) => () => void,
    durable: (place: GroupPlace) => T,
  ): Promise<T>
  /** Resolves when the entry with this LSN is durable. */
  durable(lsn: number): Promise<void>
  placeBatches(
    place: GroupPlace,
    from: number,
    batches: readonly { readonly partition: Partition; readonly batch: Uint8Array }[],
  ): () => void
  /** The batch with this LSN is durable. */
  moveEnd(partition: Partition, batchLsn: number): void
}

const own = (kind: EntryKind, stream: number, payload: Uint8Array): NewEntry => {
  return { kind, topicKey: 0, partition: stream, payload }
}

export class JournaledTransactions implements TransactionLog {
  readonly #hands: LogHands

  constructor(hands: LogHands) {
    this.#hands = hands
  }
  get table() {
    return this.#hands.state.transactions
  }
  newProducerId(): number {
    return this.#hands.state.producers.take()
  }
  placeOf(topicName: string, partition: number): Place | null {
    const topic = this.#hands.state.topics.live(topicName)
    return topic?.state === 'live' && topic.partitions[partition] !== undefined ? [topic.key, partition] : null
  }
  nameOf([topicKey, partition]: Place): NamedPartition | null {
    const topic = this.#hands.state.topics.byKey(topicKey)
    return topic === null ? null : { topic: topic.info.name, partition: partitionId(partition) }
  }
  durable(lsn: number): Promise<void> {
    return this.#hands.durable(lsn)
  }

  join(entry: JoinedEntry | StagedEntry): Promise<void> {
    return this.#hands.take(
      [transactionEntry(entry)],
      ({ firstLsn, appendedMs }) => this.table.join(entry, firstLsn, appendedMs),
      () => {},
    )
  }
  turn(entry: TurningEntry): Promise<void> {
    return this.#hands.take(
      [transactionEntry(entry)],
      ({ appendedMs }) => this.table.await(entry, appendedMs),
      ({ appendedMs }) => this.#turned(entry, appendedMs),
    )
  }
  #turned(entry: TurningEntry, appendedMs: number): void {
    this.table.isDurable(entry, appendedMs)
    if (entry.what === 'forgotten') return
    // Fences what is not of a transaction, too.
    const { producerId, epoch } = entry.what === 'ended' ? entry.next : entry
    this.#hands.state.producers.seen(producerId, epoch)
  }

  end(transaction: Transaction, { commit, next, markerEpoch }: EndedTransaction): Promise<void> {
    const { offsets } = this.#hands.state
    const { id, identity, places, staged } = transaction
    const { producerId } = identity
    const partitions = [...places.values()].flatMap((place) => this.#writable(place) ?? [])
    const parts = partsOf(partitions, producerId)
    const entry: EndedEntry = { what: 'ended', id, producerId, commit, next, parts }
    const committed = commit ? this.#committed(staged) : []
    return this.#mark(entry, partitions, markerEpoch, {
      entries: committed.map((each) => own(entryKind.groupOffset, ownStream.groups, writeOffsetEntry(each))),
      placed: ({ appendedMs }) => {
        const ways = [this.table.await(entry, appendedMs), ...committed.map((each) => offsets.take(each))]
        return () => {
          for (const way of ways.reverse()) way()
        }
      },
      durable: ({ appendedMs }) => {
        for (const each of committed) offsets.takenIsDurable(each)
        this.#turned(entry, appendedMs)
      },
    })
  }
  mark(producerId: number, epoch: number, commit: boolean, places: readonly Place[]): Promise<void> {
    // Once each: the markers of one group get their offsets before any is placed.
    const partitions = [...new Set(places.flatMap((place) => this.#writable(place) ?? []))]
    if (partitions.length === 0) return Promise.resolve()
    const entry: MarkedEntry = { what: 'marked', producerId, commit, parts: partsOf(partitions, producerId) }
    const nothing = { entries: [], placed: () => () => {}, durable: () => {} }
    return this.#mark(entry, partitions, epoch, nothing)
  }
  /** One group: the decision, a marker for each partition, and what comes with them. */
  #mark(
    decision: EndedEntry | MarkedEntry,
    partitions: readonly Partition[],
    epoch: number,
    more: {
      readonly entries: readonly NewEntry[]
      readonly placed: (place: GroupPlace) => () => void
      readonly durable: (place: GroupPlace) => void
    },
  ): Promise<void> {
    const { take, placeBatches, moveEnd, nowMs } = this.#hands
    const { commit, producerId } = decision
    const timestampMs = nowMs()
    const batches = partitions.map((partition, i) => ({
      partition,
      batch: controlBatch(commit, { id: producerId, epoch }, decision.parts[i]![2], timestampMs),
    }))
    const entries = [
      transactionEntry(decision),
      ...batches.map(({ partition, batch }) => batchEntry(partition, batch, partition.nextOffset)),
      ...more.entries,
    ]
    return take(
      entries,
      (place) => {
        const unplace = placeBatches(place, 1, batches)
        const undo = more.placed(place)
        return () => {
          undo()
          unplace()
        }
      },
      (place) => {
        for (const [i, partition] of partitions.entries()) {
          partition.transactions.ended(producerId)
          moveEnd(partition, place.firstLsn + 1 + i)
        }
        more.durable(place)
      },
    )
  }
  /** A partition that is gone, or takes nothing any more, has no part in an end. */
  #writable([topicKey, partition]: Place): Partition | null {
    const found = this.#live(topicKey)?.partitions[partition] ?? null
    return found?.damage === null ? found : null
  }
  #live(topicKey: number): Topic | null {
    const topic = this.#hands.state.topics.byKey(topicKey)
    return topic?.state === 'live' ? topic : null
  }
  #committed(staged: Transaction['staged']): OffsetEntry[] {
    const committedMs = this.#hands.nowMs()
    return [...staged].map(([group, { protocolType, offsets }]) => ({
      what: 'committed',
      group,
      protocolType,
      committedMs,
      offsets: [...offsets.values()]
        .filter(([topicKey]) => this.#live(topicKey) !== null)
        .map(([topicKey, partition, at, leaderEpoch, metadata]) => {
          return { topicKey, partition, offset: offset(at), leaderEpoch, metadata }
        }),
    }))
  }

  /** Open in a partition without a transaction that knows of it: what began it was lost. Aborted one by one. */
  async abortHanging(): Promise<void> {
    for (const topic of this.#hands.state.topics.all()) {
      for (const partition of topic.partitions) {
        for (const producerId of [...partition.transactions.producers()]) {
          const transaction = this.table.ofProducer(producerId)
          if (transaction?.state === 'Ongoing') continue
          const epoch = Math.max(0, this.#hands.state.producers.epoch(producerId))
          await this.mark(producerId, epoch, false, [[topic.key, partition.id]])
        }
      }
    }
  }
}

const transactionEntry = (entry: Parameters<typeof writeTransactionEntry>[0]): NewEntry =>
  own(entryKind.transaction, ownStream.transactions, writeTransactionEntry(entry))

function partsOf(partitions: readonly Partition[], producerId: number): Part[] {
  return partitions.map(({ topicKey, id, nextOffset, transactions }) => {
    const first = transactions.firstOffset(producerId)
    return [topicKey, id, first < 0 ? nextOffset : first, nextOffset]
  })
}
