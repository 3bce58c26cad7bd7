// The journal's entries about transactions (kind 9, stream `transactions`), as JSON. Read back they are checked.
//
//   identity   {"what":"identity","id":…,"producerId":17,"epoch":3,"lastProducerId":-1,"lastEpoch":2,"timeoutMs":60000}
//   joined     {"what":"joined","id":…,"places":[[topic key,partition],…],"groups":[…]}
//   staged     {"what":"staged","id":…,"group":…,"protocolType":…,
//               "offsets":[[topic key,partition,offset,leader epoch,metadata],…]}
//   ended      {"what":"ended","id":…,"producerId":17,"commit":true,
//               "next":{"producerId":17,"epoch":4,"lastProducerId":-1,"lastEpoch":3},
//               "parts":[[topic key,partition,first offset,offset of the marker],…]}
//   marked     {"what":"marked","producerId":17,"commit":false,"parts":[…]}
//   forgotten  {"what":"forgotten","id":…}
//
// `ended` and `marked` stand first in their atomic group; the markers (control batches, one per part) and the offsets
// of groups that the transaction commits (offset-entry.ts) follow in it: all of it happens or nothing. A batch of a
// transaction needs no entry beside it: it joins its partition to its producer's transaction.
//
// Changing this needs a format version (journal/entry.ts).
import { assert, BrokenInvariant } from '../../std/assert.ts'

/** Topic key, partition. */
export type Place = readonly [topicKey: number, partition: number]
/** Topic key, partition, offset, leader epoch (-1 = not said), what the client noted. */
export type StagedOffset = readonly [
  topicKey: number,
  partition: number,
  offset: number,
  leaderEpoch: number,
  metadata: string,
]
/** What a transaction wrote to a partition lies from the first offset to the marker. Without any both are the marker's. */
export type Part = readonly [topicKey: number, partition: number, firstOffset: number, markerOffset: number]

/** -1 where there is none. */
export interface Identity {
  readonly producerId: number
  readonly epoch: number
  /** What it had before, for a retry of the request that changed it. */
  readonly lastProducerId: number
  readonly lastEpoch: number
}
export type IdentityEntry = Identity & { readonly what: 'identity'; readonly id: string; readonly timeoutMs: number }
export interface JoinedEntry {
  readonly what: 'joined'
  readonly id: string
  readonly places: readonly Place[]
  readonly groups: readonly string[]
}
export interface StagedEntry {
  readonly what: 'staged'
  readonly id: string
  readonly group: string
  readonly protocolType: string
  readonly offsets: readonly StagedOffset[]
}
export interface EndedEntry {
  readonly what: 'ended'
  readonly id: string
  /** Of the transaction that ended. */
  readonly producerId: number
  readonly commit: boolean
  readonly next: Identity
  readonly parts: readonly Part[]
}
export interface MarkedEntry {
  readonly what: 'marked'
  readonly producerId: number
  readonly commit: boolean
  readonly parts: readonly Part[]
}
export interface ForgottenEntry {
  readonly what: 'forgotten'
  readonly id: string
}
/** Those that settle what their transactional id is; until they are durable nothing else is done with it. */
export type TurningEntry = IdentityEntry | EndedEntry | ForgottenEntry
export type TransactionEntry = TurningEntry | JoinedEntry | StagedEntry | MarkedEntry

export function writeTransactionEntry(entry: TransactionEntry): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(entry))
}

export function readTransactionEntry(payload: Uint8Array): TransactionEntry {
  const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))
  const entry = fieldsOf(value)
  const id = (): string => text(entry.id)
  switch (entry.what) {
    case 'identity':
      return { what: 'identity', id: id(), ...identityOf(entry), timeoutMs: whole(entry.timeoutMs) }
    case 'joined':
      return { what: 'joined', id: id(), places: list(entry.places, placeOf), groups: list(entry.groups, text) }
    case 'staged': {
      const offsets = list(entry.offsets, stagedOf)
      return {
        what: 'staged',
        id: id(),
        group: text(entry.group),
        protocolType: text(entry.protocolType),
        offsets,
      }
    }
    case 'ended':
      return { what: 'ended', id: id(), ...outcomeOf(entry), next: identityOf(fieldsOf(entry.next)) }
    case 'marked':
      return { what: 'marked', ...outcomeOf(entry) }
    case 'forgotten':
      return { what: 'forgotten', id: id() }
    default:
      throw new BrokenInvariant(`an entry about a transaction says ${String(entry.what)}`)
  }
}

type Fields = Readonly<Record<string, unknown>>
function fieldsOf(value: unknown): Fields {
  assert(typeof value === 'object' && value !== null, 'an entry about a transaction is a JSON object')
  return { ...value }
}
function text(value: unknown): string {
  assert(typeof value === 'string', `a text of an entry about a transaction is ${String(value)}`)
  return value
}
function whole(value: unknown): number {
  assert(typeof value === 'number' && Number.isSafeInteger(value), `a number of an entry is ${String(value)}`)
  return value
}
function list<T>(value: unknown, of: (each: unknown) => T): T[] {
  assert(Array.isArray(value), 'a list of an entry about a transaction is a list')
  return value.map(of)
}
const placeOf = (value: unknown): Place => {
  const [topicKey, partition] = list(value, whole)
  return [whole(topicKey), whole(partition)]
}
const partOf = (value: unknown): Part => {
  const [topicKey, partition, first, marker] = list(value, whole)
  return [whole(topicKey), whole(partition), whole(first), whole(marker)]
}
const stagedOf = (value: unknown): StagedOffset => {
  const [topicKey, partition, offset, leaderEpoch, metadata] = list(value, (each) => each)
  return [whole(topicKey), whole(partition), whole(offset), whole(leaderEpoch), text(metadata)]
}
const identityOf = (entry: Fields): Identity => ({
  producerId: whole(entry.producerId),
  epoch: whole(entry.epoch),
  lastProducerId: whole(entry.lastProducerId),
  lastEpoch: whole(entry.lastEpoch),
})
const outcomeOf = (entry: Fields) => ({
  producerId: whole(entry.producerId),
  commit: entry.commit === true,
  parts: list(entry.parts, partOf),
})
