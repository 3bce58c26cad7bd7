// Ids of the rows in work, up to 64 at once: column by column, so that the look-ups of many rows wait for memory together.
// What a dictionary holds was valid and allowed when it went in: only unknown texts are looked at more closely, and get
// their ids in the order of the records and, within a record, of the contract, as JSON would give them. AssemblyScript.
import {
  COLUMN_BASES,
  CONSTANTS_END,
  D_NUMBER,
  I_COLUMN,
  I_DICTIONARY,
  I_ONE_OF,
  I_TEXTS,
  ID_COLUMN_BYTES,
  ID_COLUMNS,
  ID_COUNT,
  ROWS_IN_WORK,
} from '../layout'
import { idOf, idOfShort, remember } from './dictionary'
import { firstMask, hashOf, hashOfShort, secondMask, textEnd } from './text'

/** The id of a text that a dictionary of this kernel does not hold. */
declare function newId(dictionary: u32, text: usize, length: u32): i32

const UNKNOWN: i32 = -2

/** Rows [from, to), which end before the next multiple of 64. Returns the first row that is none after all, or -1. */
export function giveIds(from: i32, to: i32): i32 {
  const end = ID_COLUMNS + <usize>load<u32>(ID_COUNT) * ID_COLUMN_BYTES
  let unknown: u64 = 0
  for (let column = ID_COLUMNS; column < end; column += ID_COLUMN_BYTES) unknown |= findIds(column, from, to)
  const first = from & ~(ROWS_IN_WORK - 1)
  while (unknown !== 0) {
    const row = first + <i32>ctz(unknown)
    unknown &= unknown - 1
    for (let column = ID_COLUMNS; column < end; column += ID_COLUMN_BYTES) if (isWrong(column, row)) return row
    for (let column = ID_COLUMNS; column < end; column += ID_COLUMN_BYTES) settle(column, row)
  }
  return -1
}

function idsOf(column: usize): usize {
  return <usize>load<u32>(COLUMN_BASES + ((<usize>load<u32>(column, I_COLUMN)) << 2))
}
function textOf(column: usize, row: i32): usize {
  return <usize>load<u32>(column, I_TEXTS) + ((<usize>(row & (ROWS_IN_WORK - 1))) << 3)
}

/** Ids where they are known; bits of the rows where they are not. */
function findIds(column: usize, from: i32, to: i32): u64 {
  const head = <usize>load<u32>(column, I_DICTIONARY)
  const ids = idsOf(column)
  let unknown: u64 = 0
  for (let row = from; row < to; row++) {
    const noted = load<u64>(textOf(column, row))
    const text = <usize>(<u32>noted)
    const length = <u32>(noted >> 32)
    let id: i32 = -1
    if (text !== 0) {
      if (length <= 32) {
        const maskA = firstMask(length)
        const maskB = secondMask(length)
        const a = v128.and(v128.load(text), maskA)
        const b = v128.and(v128.load(text, 16), maskB)
        id = idOfShort(head, a, b, maskA, maskB, length, hashOfShort(a, b, length))
      } else id = idOf(head, text, length, hashOf(text, length))
      if (id < 0) {
        id = UNKNOWN
        unknown |= (<u64>1) << (<u64>(row & (ROWS_IN_WORK - 1)))
      }
    }
    store<i32>(ids + ((<usize>row) << 2), id)
  }
  return unknown
}

/** Is it an unknown text that is not UTF-8, or not among the allowed ones? */
function isWrong(column: usize, row: i32): bool {
  if (load<i32>(idsOf(column) + ((<usize>row) << 2)) !== UNKNOWN) return false
  const at = textOf(column, row)
  const text = <usize>load<u32>(at)
  const length = load<u32>(at, 4)
  // Defaults are the contract's own.
  if (text < <usize>CONSTANTS_END) return false
  if (textEnd(text) !== text + length) return true
  const oneOf = <usize>load<u32>(column, I_ONE_OF)
  return oneOf !== 0 && idOf(oneOf, text, length, hashOf(text, length)) < 0
}
function settle(column: usize, row: i32): void {
  const place = idsOf(column) + ((<usize>row) << 2)
  if (load<i32>(place) !== UNKNOWN) return
  const at = textOf(column, row)
  const text = <usize>load<u32>(at)
  const length = load<u32>(at, 4)
  const head = <usize>load<u32>(column, I_DICTIONARY)
  const hash = hashOf(text, length)
  // A row before it in the same piece may have brought it.
  let id = idOf(head, text, length, hash)
  if (id < 0) {
    id = newId(load<u32>(head, D_NUMBER), text, length)
    remember(head, text, length, hash, id)
  }
  store<i32>(place, id)
}
