// One transactional id: whose it is now, and what its open transaction has touched. Data, and how entries change it.
import { unreachable } from '../../std/assert.ts'
import { streamKey } from '../journal/damage.ts'
import type { Identity, Place, StagedOffset, TurningEntry } from './transaction-entry.ts'

/** In Kafka's words. A decision that is not durable yet shows as `PrepareCommit` or `PrepareAbort`. */
export type TransactionState = 'Empty' | 'Ongoing' | 'CompleteCommit' | 'CompleteAbort'

export interface StagedGroup {
  protocolType: string
  /** By place. */
  readonly offsets: Map<number, StagedOffset>
}
export interface Transaction {
  readonly id: string
  identity: Identity
  timeoutMs: number
  state: TransactionState
  /** When the open transaction began, ms since 1970; -1 without one. */
  startedMs: number
  /** When anything last changed. */
  updatedMs: number
  /** What the open transaction writes to, by `placeKey`. */
  readonly places: Map<number, Place>
  /** Groups whose offsets it may commit. */
  readonly groups: Set<string>
  /** The offsets it commits if it commits. */
  readonly staged: Map<string, StagedGroup>
  /** Taken by the journal and not durable yet. */
  pending: { readonly entry: TurningEntry; readonly atMs: number } | null
  /** The newest entry that added something to it. */
  lsn: number
}

/** As Kafka's tools show it. */
export function shownState({ state, pending }: Transaction): string {
  if (pending?.entry.what !== 'ended') return state
  return pending.entry.commit ? 'PrepareCommit' : 'PrepareAbort'
}
/** All that Kafka knows. */
export const transactionStates: ReadonlySet<string> = new Set([
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
])
export const placeKey = ([topicKey, partition]: Place | StagedOffset): number => streamKey(topicKey, partition)

/** Nobody's yet: an identity is on its way. */
export function newTransaction(id: string): Transaction {
  return {
    id,
    identity: { producerId: -1, epoch: -1, lastProducerId: -1, lastEpoch: -1 },
    timeoutMs: 0,
    state: 'Empty',
    startedMs: -1,
    updatedMs: 0,
    places: new Map(),
    groups: new Set(),
    staged: new Map(),
    pending: null,
    lsn: 0,
  }
}

/** The entry is durable: the id has turned to what it says. */
export function turn(transaction: Transaction, entry: TurningEntry, atMs: number): void {
  transaction.updatedMs = atMs
  transaction.startedMs = -1
  transaction.places.clear()
  transaction.groups.clear()
  transaction.staged.clear()
  switch (entry.what) {
    case 'identity': {
      const { producerId, epoch, lastProducerId, lastEpoch, timeoutMs } = entry
      transaction.identity = { producerId, epoch, lastProducerId, lastEpoch }
      transaction.timeoutMs = timeoutMs
      transaction.state = 'Empty'
      return
    }
    case 'ended':
      transaction.identity = entry.next
      transaction.state = entry.commit ? 'CompleteCommit' : 'CompleteAbort'
      return
    case 'forgotten':
      return
    default:
      unreachable(entry)
  }
}

/** JSON-safe: part of the broker's snapshots (snapshot.ts). */
export interface CapturedTransaction extends Identity {
  readonly id: string
  readonly timeoutMs: number
  readonly state: TransactionState
  readonly startedMs: number
  readonly updatedMs: number
  readonly places: readonly Place[]
  readonly groups: readonly string[]
  readonly staged: readonly (readonly [group: string, protocolType: string, offsets: readonly StagedOffset[]])[]
}
/** As it will be when what was taken is durable. Null: forgotten by then. */
export function captureTransaction(transaction: Transaction): CapturedTransaction | null {
  const { id, places, groups, staged, pending } = transaction
  if (pending?.entry.what === 'forgotten') return null
  const copy: Transaction = {
    ...transaction,
    places: new Map(places),
    groups: new Set(groups),
    staged: new Map(staged),
  }
  if (pending !== null) turn(copy, pending.entry, pending.atMs)
  return {
    id,
    ...copy.identity,
    timeoutMs: copy.timeoutMs,
    state: copy.state,
    startedMs: copy.startedMs,
    updatedMs: copy.updatedMs,
    places: [...copy.places.values()],
    groups: [...copy.groups],
    staged: [...copy.staged].map(([group, { protocolType, offsets }]) => [group, protocolType, [...offsets.values()]]),
  }
}
export function restoreTransaction(captured: CapturedTransaction): Transaction {
  const { id, producerId, epoch, lastProducerId, lastEpoch, timeoutMs, state, startedMs, updatedMs } = captured
  return {
    ...newTransaction(id),
    identity: { producerId, epoch, lastProducerId, lastEpoch },
    timeoutMs,
    state,
    startedMs,
    updatedMs,
    places: new Map(captured.places.map((place) => [placeKey(place), place])),
    groups: new Set(captured.groups),
    staged: new Map(
      captured.staged.map(([group, protocolType, offsets]) => [
        group,
        { protocolType, offsets: new Map(offsets.map((offset) => [placeKey(offset), offset])) },
      ]),
    ),
  }
}
