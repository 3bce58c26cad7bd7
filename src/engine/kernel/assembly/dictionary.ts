// Texts to ids by open addressing: an index of words, and entries one after another, each with its text, so that a text
// that is found costs two cache lines. A cache: the ids are the engine's own, and when the memory for it is full
// everything is forgotten and asked for again. AssemblyScript.
//
//   index word: 11 highest bits of the hash | address of the entry / 16, 21 bits; 0 is free
//   entry:      u32 hash | u32 length | i32 id | u32 0 | the text; entries are multiples of 32 bytes
import { ARENA, ARENA_END, D_INDEX, D_MASK, D_USED, DICTIONARIES, DICTIONARY_BYTES, ENTRY_HEAD_BYTES } from '../layout'
import { sameBytes } from './text'

const WORDS_AT_FIRST: u32 = 1024
/** A text that is not found within so many words counts as unknown: a crafted input costs no more than this. */
const PROBES_MAX: u32 = 64
/** Longer texts are asked for each time. */
const TEXT_BYTES_MAX: u32 = 4096
const HASH_BITS: u32 = 0xffe00000

let arenaAt: usize = ARENA
let dictionaries: u32 = 0

/** Forgets everything; `count` dictionaries with numbers 0 to count - 1 begin empty. */
export function forgetAll(count: u32): void {
  dictionaries = count
  arenaAt = ARENA
  for (let number: u32 = 0; number < count; number++) forget(number)
}
/** Begins this one anew. Its memory comes back with the next `forgetAll`. */
export function forget(number: u32): void {
  const bytes = (<usize>WORDS_AT_FIRST) << 2
  if (arenaAt + bytes > <usize>ARENA_END) {
    forgetAll(dictionaries)
    return
  }
  const head = DICTIONARIES + <usize>number * DICTIONARY_BYTES
  store<u32>(head, <u32>arenaAt, D_INDEX)
  store<u32>(head, WORDS_AT_FIRST - 1, D_MASK)
  store<u32>(head, 0, D_USED)
  memory.fill(arenaAt, 0, bytes)
  arenaAt += bytes
}

/** The id, or -1. */
export function idOf(head: usize, text: usize, length: u32, hash: u32): i32 {
  const index = <usize>load<u32>(head, D_INDEX)
  const mask = load<u32>(head, D_MASK)
  let at = hash & mask
  for (let probe: u32 = 0; probe < PROBES_MAX; probe++) {
    const word = load<u32>(index + ((<usize>at) << 2))
    if (word === 0) return -1
    const entry = <usize>((word & ~HASH_BITS) << 4)
    if (
      load<u32>(entry) === hash &&
      load<u32>(entry, 4) === length &&
      sameBytes(entry + ENTRY_HEAD_BYTES, text, length)
    )
      return load<i32>(entry, 8)
    at = (at + 1) & mask
  }
  return -1
}

/** The id of a text of up to 32 bytes, in two blocks with zeros behind its end, and the masks that made them; or -1. */
export function idOfShort(
  head: usize,
  first: v128,
  second: v128,
  firstMask: v128,
  secondMask: v128,
  length: u32,
  hash: u32,
): i32 {
  const index = <usize>load<u32>(head, D_INDEX)
  const mask = load<u32>(head, D_MASK)
  let at = hash & mask
  for (let probe: u32 = 0; probe < PROBES_MAX; probe++) {
    const word = load<u32>(index + ((<usize>at) << 2))
    if (word === 0) return -1
    if (((word ^ hash) & HASH_BITS) === 0) {
      const entry = <usize>((word & ~HASH_BITS) << 4)
      const differs = v128.or(
        v128.xor(v128.and(v128.load(entry, ENTRY_HEAD_BYTES), firstMask), first),
        v128.xor(v128.and(v128.load(entry, ENTRY_HEAD_BYTES + 16), secondMask), second),
      )
      if (!v128.any_true(differs) && load<u32>(entry, 4) === length) return load<i32>(entry, 8)
    }
    at = (at + 1) & mask
  }
  return -1
}

/** Remembers an id, if there is a place for it. The text must not be there yet. */
export function remember(head: usize, text: usize, length: u32, hash: u32, id: i32): void {
  if (length > TEXT_BYTES_MAX) return
  const used = load<u32>(head, D_USED)
  const bytes = (ENTRY_HEAD_BYTES + <usize>length + 31) & ~31
  // A third of the words are free: most texts are found at the first.
  if ((used * 2 > load<u32>(head, D_MASK) && !enlarge(head)) || arenaAt + bytes > <usize>ARENA_END) {
    forgetAll(dictionaries)
    return
  }
  if (!put(head, arenaAt, text, length, hash, id)) return
  arenaAt += bytes
  store<u32>(head, used + 1, D_USED)
}
/** Writes an entry, to where up to 16 bytes behind it may be read, and its word; false if there is no place near enough. */
export function put(head: usize, entry: usize, text: usize, length: u32, hash: u32, id: i32): bool {
  if (!enter(head, entry, hash)) return false
  store<u32>(entry, hash)
  store<u32>(entry, length, 4)
  store<i32>(entry, id, 8)
  store<u32>(entry, 0, 12)
  memory.copy(entry + ENTRY_HEAD_BYTES, text, length)
  return true
}
function enter(head: usize, entry: usize, hash: u32): bool {
  const index = <usize>load<u32>(head, D_INDEX)
  const mask = load<u32>(head, D_MASK)
  let at = hash & mask
  for (let probe: u32 = 0; probe < PROBES_MAX; probe++) {
    const word = index + ((<usize>at) << 2)
    if (load<u32>(word) === 0) {
      store<u32>(word, (hash & HASH_BITS) | (<u32>entry >> 4))
      return true
    }
    at = (at + 1) & mask
  }
  return false
}
/** Twice the words, elsewhere; false if there is no memory left. */
function enlarge(head: usize): bool {
  const old = <usize>load<u32>(head, D_INDEX)
  const count = load<u32>(head, D_MASK) + 1
  const bytes = (<usize>count) << 3
  if (arenaAt + bytes > <usize>ARENA_END) return false
  memory.fill(arenaAt, 0, bytes)
  store<u32>(head, <u32>arenaAt, D_INDEX)
  store<u32>(head, count * 2 - 1, D_MASK)
  arenaAt += bytes
  for (let i: u32 = 0; i < count; i++) {
    const word = load<u32>(old + ((<usize>i) << 2))
    if (word === 0) continue
    const entry = <usize>((word & ~HASH_BITS) << 4)
    enter(head, entry, load<u32>(entry))
  }
  return true
}
