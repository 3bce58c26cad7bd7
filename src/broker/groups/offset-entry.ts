// The journal's entries about consumer groups (kind 8, stream `groups`): committed offsets, and what bears on their expiry.
//
//   big-endian; text: length 2, UTF-8; changing this needs a format version (journal/entry.ts)
//    0  1  what: 1 committed, 2 forgotten, 3 group deleted, 4 group has members, 5 group has none
//    1  …  group id, text
//   then, by what it is:
//    1  protocol type, text ('' = committed by no member) · time of the commit 8, ms since 1970 · count 4 · each:
//         topic key 4, partition 4, offset 8 (-1, -2 = none: see OffsetCommit), leader epoch 4 (-1 = not said), what the
//         client noted, text
//    2  count 4 · each: topic key 4, partition 4
//    3  nothing
//    4  protocol type, text
//    5  since when 8, ms since 1970
//
// Topics are named by their key in the journal, which is never reused: a topic made anew has no offsets.
import { assert, BrokenInvariant, unreachable } from '../../std/assert.ts'
import { readU32, readU64, writeU32, writeU64 } from '../journal/big-endian.ts'

export interface Committed {
  /** Below 0: none, told as it was committed. */
  readonly offset: number
  /** -1 = not said. */
  readonly leaderEpoch: number
  readonly metadata: string
  readonly committedMs: number
}
export interface OffsetPlace {
  readonly topicKey: number
  readonly partition: number
}
export type OffsetEntry =
  | {
      readonly what: 'committed'
      readonly group: string
      readonly protocolType: string
      readonly committedMs: number
      readonly offsets: readonly (OffsetPlace & Omit<Committed, 'committedMs'>)[]
    }
  | { readonly what: 'forgotten'; readonly group: string; readonly places: readonly OffsetPlace[] }
  | { readonly what: 'deleted'; readonly group: string }
  | { readonly what: 'peopled'; readonly group: string; readonly protocolType: string }
  | { readonly what: 'emptied'; readonly group: string; readonly sinceMs: number }

/** Numbers on disk: never reuse one. */
const codes = { committed: 1, forgotten: 2, deleted: 3, peopled: 4, emptied: 5 } as const

export function writeOffsetEntry(entry: OffsetEntry): Uint8Array {
  const size = new Measure()
  put(size, entry)
  const bytes = new Writer(size.at)
  put(bytes, entry)
  assert(bytes.at === bytes.bytes.length, 'an entry about a group fills its bytes')
  return bytes.bytes
}

interface Sink {
  u8(value: number): void
  u32(value: number): void
  u64(value: number): void
  text(value: string): void
}
function put(to: Sink, entry: OffsetEntry): void {
  to.u8(codes[entry.what])
  to.text(entry.group)
  switch (entry.what) {
    case 'committed':
      to.text(entry.protocolType)
      to.u64(entry.committedMs)
      to.u32(entry.offsets.length)
      for (const { topicKey, partition, offset, leaderEpoch, metadata } of entry.offsets) {
        to.u32(topicKey)
        to.u32(partition)
        to.u64(offset)
        to.u32(leaderEpoch)
        to.text(metadata)
      }
      return
    case 'forgotten':
      to.u32(entry.places.length)
      for (const { topicKey, partition } of entry.places) {
        to.u32(topicKey)
        to.u32(partition)
      }
      return
    case 'deleted':
      return
    case 'peopled':
      to.text(entry.protocolType)
      return
    case 'emptied':
      to.u64(entry.sinceMs)
      return
    default:
      unreachable(entry)
  }
}
class Measure implements Sink {
  at = 0
  u8(): void {
    this.at += 1
  }
  u32(): void {
    this.at += 4
  }
  u64(): void {
    this.at += 8
  }
  text(value: string): void {
    this.at += 2 + Buffer.byteLength(value)
  }
}
class Writer implements Sink {
  at = 0
  readonly bytes: Uint8Array
  constructor(sizeBytes: number) {
    this.bytes = new Uint8Array(sizeBytes)
  }
  u8(value: number): void {
    this.bytes[this.at++] = value
  }
  u32(value: number): void {
    writeU32(this.bytes, this.at, value >>> 0)
    this.at += 4
  }
  u64(value: number): void {
    writeU64(this.bytes, this.at, value)
    this.at += 8
  }
  text(value: string): void {
    const text = Buffer.from(value)
    assert(text.length <= 0xffff, `a text of ${text.length} bytes does not fit`)
    this.u8(text.length >> 8)
    this.u8(text.length)
    this.bytes.set(text, this.at)
    this.at += text.length
  }
}

export function readOffsetEntry(bytes: Uint8Array): OffsetEntry {
  let at = 0
  const u32 = (): number => {
    at += 4
    assert(at <= bytes.length, 'an entry about a group ends early')
    return readU32(bytes, at - 4)
  }
  const u64 = (): number => {
    at += 8
    assert(at <= bytes.length, 'an entry about a group ends early')
    return readU64(bytes, at - 8)
  }
  const i64 = (): number => (u32() | 0) * 0x1_0000_0000 + u32()
  const text = (): string => {
    assert(at + 2 <= bytes.length, 'an entry about a group ends early')
    const end = at + 2 + ((bytes[at]! << 8) | bytes[at + 1]!)
    assert(end <= bytes.length, 'an entry about a group ends early')
    const value = Buffer.from(bytes.buffer, bytes.byteOffset + at + 2, end - at - 2).toString()
    at = end
    return value
  }
  const read = (): OffsetEntry => {
    const code = bytes[at++]
    const group = text()
    switch (code) {
      case codes.committed: {
        const protocolType = text()
        const committedMs = u64()
        const offsets = Array.from({ length: u32() }, () => {
          const [topicKey, partition, offset, leaderEpoch] = [u32(), u32(), i64(), u32() | 0]
          return { topicKey, partition, offset, leaderEpoch, metadata: text() }
        })
        return { what: 'committed', group, protocolType, committedMs, offsets }
      }
      case codes.forgotten: {
        const places = Array.from({ length: u32() }, () => ({ topicKey: u32(), partition: u32() }))
        return { what: 'forgotten', group, places }
      }
      case codes.deleted:
        return { what: 'deleted', group }
      case codes.peopled:
        return { what: 'peopled', group, protocolType: text() }
      case codes.emptied:
        return { what: 'emptied', group, sinceMs: u64() }
      default:
        throw new BrokenInvariant(`an entry about a group says ${code}`)
    }
  }
  const entry = read()
  assert(at === bytes.length, 'an entry about a group ends with its bytes')
  return entry
}
