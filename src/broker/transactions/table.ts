// All transactional ids, as the journal tells them. What joins an open transaction counts when it is taken, with a way
// back; what turns an id (a new identity, the end of a transaction) when it is durable, and until then nothing else may.
import { assert, unreachable } from '../../std/assert.ts'
import { entryOf } from '../../std/maps.ts'
import { committedBytes } from '../groups/offset-table.ts'
import {
  type CapturedTransaction,
  captureTransaction,
  newTransaction,
  placeKey,
  restoreTransaction,
  type Transaction,
  turn,
} from './transaction.ts'
import type { JoinedEntry, Place, StagedEntry, TransactionEntry, TurningEntry } from './transaction-entry.ts'

const back = (): void => {}

export class TransactionTable {
  readonly #byId = new Map<string, Transaction>()
  readonly #byProducer = new Map<number, Transaction>()
  /** With an open transaction. */
  readonly #ongoing = new Set<Transaction>()
  /** Open transactions that may commit offsets of a group. */
  readonly #byGroup = new Map<string, Set<Transaction>>()
  #places = 0
  #groups = 0
  #stagedBytes = 0
  /** Told of each transaction that opens. */
  began: (transaction: Transaction) => void = () => {}

  get size(): number {
    return this.#byId.size
  }
  /** Partitions in open transactions. */
  get places(): number {
    return this.#places
  }
  /** Groups in open transactions. */
  get groups(): number {
    return this.#groups
  }
  /** Memory that offsets of open transactions take, about. */
  get stagedBytes(): number {
    return this.#stagedBytes
  }
  get(id: string): Transaction | null {
    return this.#byId.get(id) ?? null
  }
  ofProducer(producerId: number): Transaction | null {
    return this.#byProducer.get(producerId) ?? null
  }
  all(): IterableIterator<Transaction> {
    return this.#byId.values()
  }
  ongoing(): ReadonlySet<Transaction> {
    return this.#ongoing
  }
  /** Does an open transaction hold an offset of the group for this partition? */
  holdsOffset(group: string, place: Place): boolean {
    for (const { staged } of this.#byGroup.get(group) ?? []) {
      if (staged.get(group)?.offsets.has(placeKey(place)) === true) return true
    }
    return false
  }

  // --- What joins an open transaction ---

  /** The journal has taken the entry. Returns the way back. */
  join(entry: JoinedEntry | StagedEntry, lsn: number, atMs: number): () => void {
    const transaction = this.#byId.get(entry.id)
    // Its beginning is among entries that were lost.
    if (transaction === undefined) return back
    const ways = [this.#begin(transaction, lsn, atMs)]
    if (entry.what === 'joined') {
      for (const place of entry.places) ways.push(this.#addPlace(transaction, place))
      for (const group of entry.groups) ways.push(this.#addGroup(transaction, group))
    } else ways.push(this.#addGroup(transaction, entry.group), this.#stage(transaction, entry))
    return () => {
      for (const way of ways.reverse()) way()
    }
  }
  /** A batch of the producer's transaction was taken. Returns the way back. */
  wrote(producerId: number, place: Place, lsn: number, atMs: number): () => void {
    const transaction = this.#byProducer.get(producerId)
    if (transaction === undefined || transaction.places.has(placeKey(place))) return back
    const unbegin = this.#begin(transaction, lsn, atMs)
    const unadd = this.#addPlace(transaction, place)
    return () => {
      unadd()
      unbegin()
    }
  }
  #begin(transaction: Transaction, lsn: number, atMs: number): () => void {
    const { state, startedMs, updatedMs, lsn: before } = transaction
    transaction.updatedMs = atMs
    transaction.lsn = lsn
    if (state !== 'Ongoing') {
      transaction.state = 'Ongoing'
      transaction.startedMs = atMs
      this.#ongoing.add(transaction)
      this.began(transaction)
    }
    return () => {
      Object.assign(transaction, { state, startedMs, updatedMs, lsn: before })
      if (state !== 'Ongoing') this.#ongoing.delete(transaction)
    }
  }
  #addPlace({ places }: Transaction, place: Place): () => void {
    const key = placeKey(place)
    if (places.has(key)) return back
    places.set(key, place)
    this.#places++
    return () => {
      places.delete(key)
      this.#places--
    }
  }
  #addGroup(transaction: Transaction, group: string): () => void {
    if (transaction.groups.has(group)) return back
    transaction.groups.add(group)
    this.#groups++
    entryOf(this.#byGroup, group, () => new Set()).add(transaction)
    return () => {
      transaction.groups.delete(group)
      this.#groups--
      this.#leaveGroup(transaction, group)
    }
  }
  #leaveGroup(transaction: Transaction, group: string): void {
    const transactions = this.#byGroup.get(group)
    transactions?.delete(transaction)
    if (transactions?.size === 0) this.#byGroup.delete(group)
  }
  #stage({ staged }: Transaction, { group, protocolType, offsets }: StagedEntry): () => void {
    const held = entryOf(staged, group, () => ({ protocolType: '', offsets: new Map() }))
    const before = offsets.map((each) => held.offsets.get(placeKey(each)))
    const typeBefore = held.protocolType
    const bytesBefore = this.#stagedBytes
    held.protocolType = protocolType
    for (const [i, each] of offsets.entries()) {
      this.#stagedBytes += committedBytes(each[4]) - (before[i] === undefined ? 0 : committedBytes(before[i][4]))
      held.offsets.set(placeKey(each), each)
    }
    return () => {
      this.#stagedBytes = bytesBefore
      held.protocolType = typeBefore
      for (const [i, each] of offsets.entries()) {
        const known = before[i]
        if (known === undefined) held.offsets.delete(placeKey(each))
        else held.offsets.set(placeKey(each), known)
      }
      if (held.offsets.size === 0) staged.delete(group)
    }
  }

  // --- What turns an id ---

  /** The journal has taken the entry; see `isDurable`. Returns the way back. */
  await(entry: TurningEntry, atMs: number): () => void {
    const known = this.#byId.get(entry.id)
    const transaction = known ?? newTransaction(entry.id)
    assert(transaction.pending === null, `transactional id ${entry.id} turns twice at a time`)
    transaction.pending = { entry, atMs }
    if (known === undefined) this.#byId.set(entry.id, transaction)
    return () => {
      transaction.pending = null
      if (known === undefined) this.#byId.delete(entry.id)
    }
  }
  isDurable(entry: TurningEntry, atMs: number): void {
    const transaction = entryOf(this.#byId, entry.id, () => newTransaction(entry.id))
    transaction.pending = null
    this.#close(transaction)
    this.#byProducer.delete(transaction.identity.producerId)
    turn(transaction, entry, atMs)
    if (entry.what === 'forgotten') this.#byId.delete(entry.id)
    else this.#byProducer.set(transaction.identity.producerId, transaction)
  }
  /** The open transaction is no more. */
  #close(transaction: Transaction): void {
    this.#ongoing.delete(transaction)
    this.#places -= transaction.places.size
    this.#groups -= transaction.groups.size
    for (const group of transaction.groups) this.#leaveGroup(transaction, group)
    this.#stagedBytes -= stagedBytesOf(transaction)
  }

  // --- A start ---

  /** An entry of the journal, in order. */
  replay(entry: TransactionEntry, lsn: number, atMs: number): void {
    switch (entry.what) {
      case 'identity':
      case 'ended':
      case 'forgotten':
        this.isDurable(entry, atMs)
        return
      case 'joined':
      case 'staged':
        this.join(entry, lsn, atMs)
        return
      case 'marked':
        return
      default:
        unreachable(entry)
    }
  }
  capture(): CapturedTransaction[] {
    const captured: CapturedTransaction[] = []
    for (const transaction of this.#byId.values()) {
      const one = captureTransaction(transaction)
      if (one !== null) captured.push(one)
    }
    return captured
  }
  /** Into an empty table. */
  restore(captured: readonly CapturedTransaction[]): void {
    for (const each of captured) {
      const transaction = restoreTransaction(each)
      this.#byId.set(transaction.id, transaction)
      this.#byProducer.set(transaction.identity.producerId, transaction)
      this.#places += transaction.places.size
      this.#groups += transaction.groups.size
      this.#stagedBytes += stagedBytesOf(transaction)
      for (const group of transaction.groups) entryOf(this.#byGroup, group, () => new Set()).add(transaction)
      if (transaction.state === 'Ongoing') this.#ongoing.add(transaction)
    }
  }
}

/** Memory that the offsets of its open transaction take, about. */
export function stagedBytesOf({ staged }: Transaction): number {
  let bytes = 0
  for (const { offsets } of staged.values()) {
    for (const [, , , , metadata] of offsets.values()) bytes += committedBytes(metadata)
  }
  return bytes
}
