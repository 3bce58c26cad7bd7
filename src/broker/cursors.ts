// Cursors of the embedded log: `j` and the LSN of the last entry before the place. Opaque to everyone else.
import { type Cursor, LogError } from '../log/log.ts'

export function cursorAt(lsn: number): Cursor {
  return `j${lsn}` as Cursor
}
/** A cursor that was written down: only this log's own entries and callers that got it here have one. */
export function cursorOfText(text: string): Cursor {
  return text as Cursor
}
/** Throws a LogError OFFSET_OUT_OF_RANGE for a cursor of another log. */
export function lsnOfCursor(cursor: string, lastLsn: number): number {
  const lsn = /^j\d{1,16}$/.test(cursor) ? Number(cursor.slice(1)) : -1
  if (lsn < 0 || lsn > lastLsn) {
    throw new LogError(
      'OFFSET_OUT_OF_RANGE',
      `cursor ${cursor.slice(0, 40)} is not of this log, which ends at j${lastLsn}`,
    )
  }
  return lsn
}
