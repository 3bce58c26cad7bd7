// The encoder's kernel: rows of columns to JSON bytes, by a program of steps that is the same for each row. What is not for
// it (a double of 17 digits, a year beyond 9999) its owner writes, value by value. AssemblyScript.
import {
  FIRST_CODE,
  PROGRAM,
  S_BASE,
  S_EXTRA,
  S_KIND,
  S_LITERAL,
  S_LITERAL_BYTES,
  S_LITERAL_LENGTH,
  S_OTHER,
  S_TABLE,
  S_VALUES,
  STEP_ASKED,
  STEP_BOOL,
  STEP_BYTES,
  STEP_CHOICE,
  STEP_DATE,
  STEP_DECIMAL,
  STEP_END,
  STEP_EPOCH_SECONDS,
  STEP_EVIDENCE,
  STEP_EXACT_TIME,
  STEP_FLOAT,
  STEP_LITERAL,
  STEP_MILLISECONDS,
  STEP_PLAIN_TEXT,
  STEP_SECONDS,
  STEP_TEXT,
} from '../encode-layout'
import { EXACT, putDate, putInstant, TO_MILLISECONDS, TO_SECONDS } from './calendar'
import { putDecimal, putFloat, putWhole } from './digits'

export { ENCODER_VERSION } from '../encode-layout'

/** Writes the value of a row and returns where it ends. `number` is what the step holds in S_EXTRA. */
declare function ask(number: i32, row: i32, at: usize): usize

const QUOTE: u8 = 0x22
const COMMA: u8 = 0x2c
const NULL_WORD: u32 = 0x6c6c756e
const TRUE_WORD: u32 = 0x65757274
const FALS_WORD: u32 = 0x736c6166

/** Runs the program's first `steps` steps for rows 0 to `count` - 1, writing from `out` on; returns where that ends. */
export function encode(steps: i32, count: i32, out: usize, ends: usize): usize {
  const programEnd = <usize>PROGRAM + <usize>steps * STEP_BYTES
  let at = out
  for (let row = 0; row < count; row++) {
    for (let step: usize = PROGRAM; step < programEnd; step += STEP_BYTES) {
      v128.store(at, v128.load(step, S_LITERAL_BYTES))
      const length = <usize>load<u32>(step, S_LITERAL_LENGTH)
      if (length > 16) copyRest(at, <usize>load<u32>(step, S_LITERAL), length)
      at += length
      const kind = load<u32>(step, S_KIND)
      if (kind === STEP_TEXT) {
        at = putText(step, row, at)
        continue
      }
      if (kind === STEP_END) {
        store<u32>(ends, <u32>(at - out))
        ends += 4
        continue
      }
      if (kind === STEP_LITERAL) continue
      if (kind === STEP_CHOICE) {
        const entry =
          <usize>load<u32>(step, S_OTHER) + ((<usize>load<u8>(<usize>load<u32>(step, S_VALUES) + <usize>row)) << 3)
        at = copy(at, <usize>load<u32>(entry), <usize>load<u32>(entry, 4))
        continue
      }
      if (kind === STEP_PLAIN_TEXT) {
        at = putPlainText(step, row, at)
        continue
      }
      if (kind === STEP_EVIDENCE) {
        at = putEvidence(step, row, at)
        continue
      }
      at = kind === STEP_ASKED ? ask(load<i32>(step, S_EXTRA), row, at) : putNumber(kind, step, row, at)
    }
  }
  return at
}

/** How many bytes the texts of the rows take at most: what is not a text has its most beforehand. */
export function textBytes(steps: i32, count: i32): f64 {
  const programEnd = <usize>PROGRAM + <usize>steps * STEP_BYTES
  let bytes: f64 = 0
  for (let step: usize = PROGRAM; step < programEnd; step += STEP_BYTES) {
    const kind = load<u32>(step, S_KIND)
    if (kind !== STEP_TEXT && kind !== STEP_PLAIN_TEXT) continue
    const starts = <usize>load<u32>(step, S_VALUES)
    const lengths = <usize>load<u32>(step, S_OTHER)
    const table = <usize>load<u32>(step, S_TABLE)
    let sum: u64 = 0
    for (let row: usize = 0; row < <usize>count; row++) {
      const start = load<i32>(starts + (row << 2))
      if (start >= 0) sum += load<u32>(lengths + (row << 2)) + 2
      else sum += start === -1 ? 4 : load<u32>(table + ((<usize>(FIRST_CODE - start)) << 3), 4)
    }
    bytes += <f64>sum
  }
  return bytes
}

function putText(step: usize, row: i32, at: usize): usize {
  const start = load<i32>(<usize>load<u32>(step, S_VALUES) + ((<usize>row) << 2))
  if (start >= 0) {
    const from = <usize>load<u32>(step, S_BASE) + <usize>start
    const length = <usize>load<u32>(<usize>load<u32>(step, S_OTHER) + ((<usize>row) << 2))
    store<u8>(at, QUOTE)
    const end = copy(at + 1, from, length)
    store<u8>(end, QUOTE)
    return end + 1
  }
  if (start === -1) {
    store<u32>(at, NULL_WORD)
    return at + 4
  }
  const entry = <usize>load<u32>(step, S_TABLE) + ((<usize>(FIRST_CODE - start)) << 3)
  return copy(at, <usize>load<u32>(entry), <usize>load<u32>(entry, 4))
}

function putPlainText(step: usize, row: i32, at: usize): usize {
  const start = load<i32>(<usize>load<u32>(step, S_VALUES) + ((<usize>row) << 2))
  if (start >= 0) {
    const length = <usize>load<u32>(<usize>load<u32>(step, S_OTHER) + ((<usize>row) << 2))
    return copy(at, <usize>load<u32>(step, S_BASE) + <usize>start, length)
  }
  if (start === -1) return at
  const entry = <usize>load<u32>(step, S_TABLE) + ((<usize>(FIRST_CODE - start)) << 3)
  return copy(at, <usize>load<u32>(entry), <usize>load<u32>(entry, 4))
}

function putNumber(kind: u32, step: usize, row: i32, at: usize): usize {
  const value = load<f64>(<usize>load<u32>(step, S_VALUES) + ((<usize>row) << 3))
  if (!(value >= -Infinity)) {
    store<u32>(at, NULL_WORD)
    return at + 4
  }
  let end: usize = 0
  switch (kind) {
    case STEP_DECIMAL:
      end = putDecimal(at, value, load<u32>(step, S_BASE))
      break
    case STEP_FLOAT:
      end = putFloat(at, value)
      break
    case STEP_BOOL:
      if (value === 1) {
        store<u32>(at, TRUE_WORD)
        return at + 4
      }
      store<u32>(at, FALS_WORD)
      store<u8>(at, 0x65, 4)
      return at + 5
    case STEP_SECONDS:
      end = putInstant(at, value, TO_SECONDS)
      break
    case STEP_MILLISECONDS:
      end = putInstant(at, value, TO_MILLISECONDS)
      break
    case STEP_EXACT_TIME:
      end = putInstant(at, value, EXACT)
      break
    case STEP_EPOCH_SECONDS:
      end = putDecimal(at, floor(value / 1000), 0)
      break
    case STEP_DATE:
      end = putDate(at, value)
      break
    default:
      break
  }
  return end !== 0 ? end : ask(load<i32>(step, S_EXTRA), row, at)
}

function putEvidence(step: usize, row: i32, at: usize): usize {
  const which = load<i32>(<usize>load<u32>(step, S_VALUES) + ((<usize>row) << 2))
  const table = <usize>load<u32>(step, S_TABLE)
  if (which < 0) {
    const offset = load<f64>(<usize>load<u32>(step, S_OTHER) + ((<usize>row) << 3))
    return putLane(at, table + ((<usize>(-1 - which)) << 4), offset, offset)
  }
  const lanes = <usize>load<u32>(step, S_EXTRA)
  const offsets = <usize>load<u32>(step, S_BASE) + ((<usize>which * lanes) << 4)
  let first = true
  for (let lane: usize = 0; lane < lanes; lane++) {
    const greatest = load<f64>(offsets + (lane << 4), 8)
    if (!(greatest >= 0)) continue
    if (!first) {
      store<u8>(at, COMMA)
      at++
    }
    first = false
    at = putLane(at, table + (lane << 4), load<f64>(offsets + (lane << 4)), greatest)
  }
  return at
}
/** `[partition,least,greatest]`, with what the lane has in front and behind. */
function putLane(at: usize, lane: usize, least: f64, greatest: f64): usize {
  at = copy(at, <usize>load<u32>(lane), <usize>load<u32>(lane, 4))
  at = putWhole(at, <u64>least)
  store<u8>(at, COMMA)
  at = putWhole(at + 1, <u64>greatest)
  return copy(at, <usize>load<u32>(lane, 8), <usize>load<u32>(lane, 12))
}

/** Up to 15 bytes behind the end are overwritten, and as many read behind the source. */
function copy(to: usize, from: usize, length: usize): usize {
  v128.store(to, v128.load(from))
  if (length > 16) copyRest(to, from, length)
  return to + length
}
function copyRest(to: usize, from: usize, length: usize): void {
  if (length > 128) {
    memory.copy(to, from, length)
    return
  }
  for (let done: usize = 16; done < length; done += 16) v128.store(to + done, v128.load(from + done))
}
