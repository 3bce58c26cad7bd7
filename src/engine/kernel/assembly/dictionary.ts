// Texts to ids by open addressing. A cache: the ids are the engine's own, and when the memory for it is full everything
// is forgotten and asked for again. AssemblyScript.
import { ARENA, ARENA_END, D_MASK, D_SLOTS, D_USED, DICTIONARIES, DICTIONARY_BYTES } from '../layout'
import { firstBytes, sameBytes } from './text'

const SLOT_BYTES: usize = 16
const SLOTS_AT_FIRST: u32 = 1024
/** A text that is not found within so many slots counts as unknown: a crafted input costs no more than this. */
const PROBES_MAX: u32 = 64
/** Longer texts are asked for each time. */
const TEXT_BYTES_MAX: u32 = 4096

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
  const bytes = <usize>SLOTS_AT_FIRST * SLOT_BYTES
  if (arenaAt + bytes > <usize>ARENA_END) {
    forgetAll(dictionaries)
    return
  }
  const head = DICTIONARIES + <usize>number * DICTIONARY_BYTES
  store<u32>(head, <u32>arenaAt, D_SLOTS)
  store<u32>(head, SLOTS_AT_FIRST - 1, D_MASK)
  store<u32>(head, 0, D_USED)
  memory.fill(arenaAt, 0, bytes)
  arenaAt += bytes
}

/** The id, or -1. */
export function idOf(head: usize, text: usize, length: u32, hash: u32): i32 {
  const slots = <usize>load<u32>(head, D_SLOTS)
  const mask = load<u32>(head, D_MASK)
  let at = hash & mask
  for (let probe: u32 = 0; probe < PROBES_MAX; probe++) {
    const slot = slots + <usize>at * SLOT_BYTES
    const id = load<i32>(slot, 12)
    if (id === 0) return -1
    if (load<u32>(slot) === hash && load<u32>(slot, 8) === length && sameBytes(load<u32>(slot, 4), text, length))
      return id - 1
    at = (at + 1) & mask
  }
  return -1
}

/** The id of a text of up to 16 bytes, zeros behind its end; or -1. */
export function idOfShort(head: usize, bytes: v128, length: u32, hash: u32): i32 {
  const slots = <usize>load<u32>(head, D_SLOTS)
  const mask = load<u32>(head, D_MASK)
  let at = hash & mask
  for (let probe: u32 = 0; probe < PROBES_MAX; probe++) {
    const slot = slots + <usize>at * SLOT_BYTES
    const id = load<i32>(slot, 12)
    if (id === 0) return -1
    if (load<u32>(slot) === hash && load<u32>(slot, 8) === length) {
      const held = v128.load(<usize>load<u32>(slot, 4))
      if (!v128.any_true(v128.xor(bytes, firstBytes(held, length)))) return id - 1
    }
    at = (at + 1) & mask
  }
  return -1
}

/** Remembers an id, if there is a place for it. The text must not be there yet. */
export function remember(head: usize, text: usize, length: u32, hash: u32, id: i32): void {
  if (length > TEXT_BYTES_MAX) return
  const used = load<u32>(head, D_USED)
  // Compared 16 bytes at a time: so far its memory reaches.
  const bytes = (<usize>length + 31) & ~15
  if ((used * 4 > load<u32>(head, D_MASK) * 3 && !enlarge(head)) || arenaAt + bytes > <usize>ARENA_END) {
    forgetAll(dictionaries)
    return
  }
  if (!put(head, <u32>arenaAt, length, hash, id + 1)) return
  memory.copy(arenaAt, text, length)
  arenaAt += bytes
  store<u32>(head, used + 1, D_USED)
}
/** False if there is no place near enough. */
export function put(head: usize, text: u32, length: u32, hash: u32, id: i32): bool {
  const slots = <usize>load<u32>(head, D_SLOTS)
  const mask = load<u32>(head, D_MASK)
  let at = hash & mask
  for (let probe: u32 = 0; probe < PROBES_MAX; probe++) {
    const slot = slots + <usize>at * SLOT_BYTES
    if (load<i32>(slot, 12) === 0) {
      store<u32>(slot, hash)
      store<u32>(slot, text, 4)
      store<u32>(slot, length, 8)
      store<i32>(slot, id, 12)
      return true
    }
    at = (at + 1) & mask
  }
  return false
}
/** Twice the slots, elsewhere; false if there is no memory left. */
function enlarge(head: usize): bool {
  const old = <usize>load<u32>(head, D_SLOTS)
  const count = load<u32>(head, D_MASK) + 1
  const bytes = <usize>count * 2 * SLOT_BYTES
  if (arenaAt + bytes > <usize>ARENA_END) return false
  memory.fill(arenaAt, 0, bytes)
  store<u32>(head, <u32>arenaAt, D_SLOTS)
  store<u32>(head, count * 2 - 1, D_MASK)
  arenaAt += bytes
  for (let i: u32 = 0; i < count; i++) {
    const slot = old + <usize>i * SLOT_BYTES
    const id = load<i32>(slot, 12)
    if (id !== 0) put(head, load<u32>(slot, 4), load<u32>(slot, 8), load<u32>(slot), id)
  }
  return true
}
