// Cursors of the embedded log. Opaque to everyone else.
//
//   j<LSN>             behind the entry with this LSN
//   j<LSN>+<batches>   the same, and behind so many batches of what the marker that comes next makes visible
import { type Cursor, LogError } from '../log/log.ts'

export interface CursorPlace {
  readonly afterLsn: number
  /** Of a transaction, from its partition, that were handed out when its marker was met. */
  readonly batches: number
}

export function cursorAt(lsn: number, batches = 0): Cursor {
  return (batches === 0 ? `j${lsn}` : `j${lsn}+${batches}`) as Cursor
}
/** A cursor that was written down: only this log's own entries and callers that got it here have one. */
export function cursorOfText(text: string): Cursor {
  return text as Cursor
}
/** Throws a LogError OFFSET_OUT_OF_RANGE for a cursor of another log. */
export function placeOfCursor(cursor: string, lastLsn: number): CursorPlace {
  const read = /^j(\d{1,16})(?:\+(\d{1,15}))?$/.exec(cursor)
  const afterLsn = read === null ? -1 : Number(read[1])
  if (afterLsn < 0 || afterLsn > lastLsn) {
    throw new LogError(
      'OFFSET_OUT_OF_RANGE',
      `cursor ${cursor.slice(0, 40)} is not of this log, which ends at j${lastLsn}`,
    )
  }
  return { afterLsn, batches: Number(read?.[2] ?? 0) }
}
export function lsnOfCursor(cursor: string, lastLsn: number): number {
  return placeOfCursor(cursor, lastLsn).afterLsn
}
/** Does `to` lie before `from`? */
export function isBackwards(from: string, to: string, lastLsn: number): boolean {
  const [a, b] = [placeOfCursor(from, lastLsn), placeOfCursor(to, lastLsn)]
  return b.afterLsn < a.afterLsn || (b.afterLsn === a.afterLsn && b.batches < a.batches)
}
