// The decoder's kernel: records of a batch against templates learned from earlier ones, values in place into columns.
// What matches no template is handed out, record by record, and comes back as a row or not at all. AssemblyScript.
import {
  ABSENT_FAULT,
  ABSENT_NUMBER,
  ABSENT_TEXT,
  CHECK_BOUNDS,
  CHECK_EVENT_TIME,
  COLUMN_BASES,
  F_ABOVE,
  F_ABSENT,
  F_AT_LEAST,
  F_CHECKS,
  F_COLUMN,
  F_CONSTANT,
  F_CONSTANT_LENGTH,
  F_CONSTANT_TEXT,
  F_KIND,
  F_LITERAL,
  F_LITERAL_BYTES,
  F_LITERAL_LENGTH,
  F_LITERAL_MASK,
  F_ONE_OF,
  F_OUTPUT,
  F_SCALE,
  F_TEXTS,
  FIELD_BYTES,
  KIND_ANY,
  KIND_BOOL,
  KIND_DATE,
  KIND_DECIMAL,
  KIND_FLOAT,
  KIND_ID,
  KIND_INT,
  KIND_PASSED_OVER,
  KIND_TEXT,
  KIND_TIMESTAMP,
  KIND_UUID,
  OUTPUT_ID,
  OUTPUT_NONE,
  OUTPUT_NUMBER,
  OUTPUT_TEXT,
  ROWS_IN_WORK,
  T_FIELDS,
  T_HITS,
  T_MISSING,
  T_TAIL,
  T_TAIL_LENGTH,
  TEMPLATE_COUNT,
  TEMPLATE_HEAD_BYTES,
  TEMPLATE_ORDER,
} from '../layout'
import { idOf } from './dictionary'
import { giveIds } from './ids'
import { newlines } from './lines'
import { anyNumberEnd, asFloat, asInteger, asMinor, numberEnd } from './number'
import { hashOf, isUuid, sameBytes, textEnd, textStops, uncheckedEnd } from './text'
import { dateDays, dateEnd, instantEnd, instantMs } from './time'

export { KERNEL_VERSION } from '../layout'
export { forget, forgetAll, put } from './dictionary'
export { hashOf } from './text'
export { newlines }

/** Hands a record out; 1 if it became row `row`. */
declare function fallback(record: i32, row: i32): i32

const NULL_WORD: u32 = 0x6c6c756e
const TRUE_WORD: u32 = 0x65757274
const ALSE_WORD: u32 = 0x65736c61
const QUOTE: u8 = 0x22

let timesBase: usize = 0

/**
 * Decodes `count` records: record i is [starts[i], ends[i]) moved by `shift`. `arrivals` is 0 where times may lie in the
 * future. Returns the number of rows.
 */
export function decode(
  count: i32,
  starts: usize,
  ends: usize,
  shift: i32,
  arrivals: usize,
  futureLimitMs: f64,
  times: usize,
  records: usize,
): i32 {
  timesBase = times
  let row = 0
  /** Rows before this one have their ids. */
  let done = 0
  /** A record that matched and is no row all the same: a text of it that nobody knew is not valid or not allowed. */
  let spurned = -1
  for (let record = 0; record < count || done < row; record++) {
    if (record === count || (row !== done && (row & (ROWS_IN_WORK - 1)) === 0)) {
      const wrong = giveIds(done, row)
      if (wrong >= 0) {
        row = wrong
        record = load<i32>(records + ((<usize>wrong) << 2))
        spurned = record
      }
      done = row
      if (record === count) break
    }
    const at = (<usize>record) << 2
    const start = load<i32>(starts + at)
    let taken = false
    if (start >= 0 && record !== spurned) {
      const from = <usize>(start + shift)
      const end = <usize>(load<i32>(ends + at) + shift)
      const templates = load<u32>(TEMPLATE_COUNT)
      let latestMs: f64 = Infinity
      if (arrivals !== 0) {
        const arrivalMs = load<f64>(arrivals + ((<usize>record) << 3))
        if (arrivalMs >= 0) latestMs = arrivalMs + futureLimitMs
      }
      for (let i: u32 = 0; i < templates; i++) {
        const template = <usize>load<u32>(TEMPLATE_ORDER + ((<usize>i) << 2))
        if (matches(template, from, end, row, latestMs)) {
          store<u32>(template, load<u32>(template, T_HITS) + 1, T_HITS)
          taken = true
          break
        }
      }
    }
    if (!taken) {
      // Ids are given in the order of the records: first to those before this one.
      if (done < row) {
        const wrong = giveIds(done, row)
        if (wrong >= 0) {
          row = wrong
          record = load<i32>(records + ((<usize>wrong) << 2))
        }
      }
      taken = fallback(record, row) !== 0
      done = taken ? row + 1 : row
    }
    if (taken) {
      store<i32>(records + ((<usize>row) << 2), record)
      row++
    }
  }
  return row
}

/** Does the record fit the template, byte for byte outside its values? Then its values stand in row `row`. */
function matches(template: usize, from: usize, end: usize, row: i32, latestMs: f64): bool {
  let at = from
  let field = template + TEMPLATE_HEAD_BYTES
  const fieldsEnd = field + <usize>load<u32>(template, T_FIELDS) * FIELD_BYTES
  for (; field < fieldsEnd; field += FIELD_BYTES) {
    const differs = v128.xor(v128.load(at), v128.load(field, F_LITERAL_BYTES))
    if (v128.any_true(v128.and(differs, v128.load(field, F_LITERAL_MASK)))) return false
    const length = load<u32>(field, F_LITERAL_LENGTH)
    if (length > 16 && !sameBytes(at + 16, load<u32>(field, F_LITERAL) + 16, length - 16)) return false
    at += length
    const kind = load<u32>(field, F_KIND)
    if (load<u8>(at) === 0x6e && kind !== KIND_ANY) {
      if (load<u32>(at) !== NULL_WORD || !absent(field, row, latestMs)) return false
      at += 4
      continue
    }
    switch (kind) {
      case KIND_PASSED_OVER:
        if (load<u8>(at) !== QUOTE) return false
        at = textEnd(at + 1)
        if (at === 0) return false
        at++
        break
      case KIND_ID:
        if (load<u8>(at) !== QUOTE) return false
        at = idEnd(field, row, at + 1)
        if (at === 0) return false
        break
      case KIND_TEXT:
      case KIND_UUID: {
        if (load<u8>(at) !== QUOTE) return false
        const text = at + 1
        at = textEnd(text)
        if (at === 0) return false
        const bytes = <u32>(at - text)
        if (kind === KIND_UUID && !isUuid(text, bytes)) return false
        if (!putText(field, row, text, bytes)) return false
        at++
        break
      }
      case KIND_INT:
        at = numberEnd(at)
        if (at === 0 || !putNumber(field, row, asInteger(), latestMs)) return false
        break
      case KIND_DECIMAL:
        at = numberEnd(at)
        if (at === 0 || !putNumber(field, row, asMinor(load<u32>(field, F_SCALE)), latestMs)) return false
        break
      case KIND_FLOAT:
        at = numberEnd(at)
        if (at === 0 || !putNumber(field, row, asFloat(), latestMs)) return false
        break
      case KIND_TIMESTAMP:
        if (load<u8>(at) !== QUOTE) return false
        at = instantEnd(at + 1)
        if (at === 0 || !putNumber(field, row, instantMs, latestMs)) return false
        break
      case KIND_DATE:
        if (load<u8>(at) !== QUOTE) return false
        at = dateEnd(at + 1)
        if (at === 0 || !putNumber(field, row, <f64>dateDays, latestMs)) return false
        break
      case KIND_BOOL: {
        const word = load<u32>(at)
        if (word === TRUE_WORD) at += 4
        else if (load<u8>(at) === 0x66 && load<u32>(at, 1) === ALSE_WORD) at += 5
        else return false
        if (!putNumber(field, row, word === TRUE_WORD ? 1 : 0, latestMs)) return false
        break
      }
      case KIND_ANY:
        at = scalarEnd(at)
        if (at === 0) return false
        break
      default:
        return false // nested: only null is taken here
    }
  }
  const tailLength = load<u32>(template, T_TAIL_LENGTH)
  // Reading ran past the end of the record if this is not it: then nothing that was read holds.
  if (at + tailLength !== end || !sameBytes(at, load<u32>(template, T_TAIL), tailLength)) return false
  const missingEnd = fieldsEnd + <usize>load<u32>(template, T_MISSING) * FIELD_BYTES
  for (; field < missingEnd; field += FIELD_BYTES) if (!absent(field, row, latestMs)) return false
  return true
}

/** Notes the text behind an opening quote; returns the address behind the closing one, 0 if there is none. */
function idEnd(field: usize, row: i32, text: usize): usize {
  const stops = textStops(text) | (textStops(text + 16) << 16)
  const end = stops !== 0 ? text + <usize>ctz(stops) : uncheckedEnd(text + 32)
  if (load<u8>(end) !== QUOTE) return 0
  noteText(field, row, text, <u32>(end - text))
  return end + 1
}

/** Where a value of a field nobody knows ends; 0 if it is nested, escaped or not valid. */
function scalarEnd(at: usize): usize {
  const first = load<u8>(at)
  if (first === QUOTE) {
    const end = textEnd(at + 1)
    return end === 0 ? 0 : end + 1
  }
  const word = load<u32>(at)
  if (word === TRUE_WORD || word === NULL_WORD) return at + 4
  if (first === 0x66) return load<u32>(at, 1) === ALSE_WORD ? at + 5 : 0
  return anyNumberEnd(at)
}

/** False if a rule is broken or the number is none (NaN). */
function putNumber(field: usize, row: i32, value: f64, latestMs: f64): bool {
  const checks = load<u32>(field, F_CHECKS)
  if ((checks & CHECK_BOUNDS) !== 0) {
    if (!(value > load<f64>(field, F_ABOVE)) || !(value >= load<f64>(field, F_AT_LEAST))) return false
  } else if (!(value >= -Infinity)) return false
  setNumber(field, row, value)
  return (checks & CHECK_EVENT_TIME) === 0 || inTime(row, value, latestMs)
}
function inTime(row: i32, ms: f64, latestMs: f64): bool {
  store<f64>(timesBase + ((<usize>row) << 3), ms)
  return !(ms > latestMs)
}
function setNumber(field: usize, row: i32, value: f64): void {
  if (load<u32>(field, F_OUTPUT) !== OUTPUT_NUMBER) return
  store<f64>(columnOf(field) + ((<usize>row) << 3), value)
}
function columnOf(field: usize): usize {
  return load<u32>(COLUMN_BASES + ((<usize>load<u32>(field, F_COLUMN)) << 2))
}

/** False if the text is not among the allowed ones. */
function putText(field: usize, row: i32, text: usize, length: u32): bool {
  const output = load<u32>(field, F_OUTPUT)
  const oneOf = <usize>load<u32>(field, F_ONE_OF)
  if (output === OUTPUT_NONE && oneOf === 0) return true
  if (output === OUTPUT_ID) {
    // Only UUIDs come here: other texts have a kind of their own.
    noteText(field, row, text, length)
    return true
  }
  if (oneOf !== 0 && idOf(oneOf, text, length, hashOf(text, length)) < 0) return false
  if (output === OUTPUT_TEXT) setText(field, row, <i32>text, length)
  return true
}
function setText(field: usize, row: i32, text: i32, length: u32): void {
  const bases = COLUMN_BASES + ((<usize>load<u32>(field, F_COLUMN)) << 2)
  store<i32>(<usize>load<u32>(bases) + ((<usize>row) << 2), text)
  store<u32>(<usize>load<u32>(bases, 4) + ((<usize>row) << 2), length)
}
/** Ids are found for many rows at once, and given out only once whole records have matched. */
function noteText(field: usize, row: i32, text: usize, length: u32): void {
  const at = <usize>load<u32>(field, F_TEXTS) + ((<usize>(row & (ROWS_IN_WORK - 1))) << 3)
  store<u64>(at, <u64>(<u32>text) | ((<u64>length) << 32))
}

/** What stands in for a value that is null or missing; false if nothing does. */
function absent(field: usize, row: i32, latestMs: f64): bool {
  const what = load<u32>(field, F_ABSENT)
  if (what === ABSENT_FAULT) return false
  if (what === ABSENT_NUMBER) {
    const value = load<f64>(field, F_CONSTANT)
    setNumber(field, row, value)
    return (load<u32>(field, F_CHECKS) & CHECK_EVENT_TIME) === 0 || inTime(row, value, latestMs)
  }
  const output = load<u32>(field, F_OUTPUT)
  if (what === ABSENT_TEXT) {
    const text = <usize>load<u32>(field, F_CONSTANT_TEXT)
    const length = load<u32>(field, F_CONSTANT_LENGTH)
    if (output === OUTPUT_TEXT) setText(field, row, <i32>text, length)
    else if (output === OUTPUT_ID) noteText(field, row, text, length)
    return true
  }
  if (output === OUTPUT_NUMBER) setNumber(field, row, NaN)
  else if (output === OUTPUT_ID) noteText(field, row, 0, 0)
  else if (output === OUTPUT_TEXT) setText(field, row, -1, 0)
  return (load<u32>(field, F_CHECKS) & CHECK_EVENT_TIME) === 0
}
