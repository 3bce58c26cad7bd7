// Cursors of the embedded log. Opaque to everyone else.
//
//   j<LSN>            behind the entry with this LSN
//   j<LSN>+<offset>   the same, and of what the marker that comes next makes visible in its partition, before this offset
import { type Cursor, LogError } from '../log/log.ts'

export interface CursorPlace {
  readonly afterLsn: number
  /** What the marker that comes next makes visible was handed out up to here; 0: nothing of it. */
  readonly offset: number
}

export function cursorAt(lsn: number, offset = 0): Cursor {
  return (offset === 0 ? `j${lsn}` : `j${lsn}+${offset}`) as Cursor
}
/** A cursor that was written down: only this log's own entries and callers that got it here have one. */
export function cursorOfText(text: string): Cursor {
  return text as Cursor
}
/** Throws a LogError OFFSET_OUT_OF_RANGE for a cursor of another log. */
export function placeOfCursor(cursor: string, lastLsn: number): CursorPlace {
  const read = /^j(\d{1,16})(?:\+(\d{1,16}))?$/.exec(cursor)
  const afterLsn = read === null ? -1 : Number(read[1])
  if (afterLsn < 0 || afterLsn > lastLsn) {
    throw new LogError(
      'OFFSET_OUT_OF_RANGE',
      `cursor ${cursor.slice(0, 40)} is not of this log, which ends at j${lastLsn}`,
    )
  }
  return { afterLsn, offset: Number(read?.[2] ?? 0) }
}
export function lsnOfCursor(cursor: string, lastLsn: number): number {
  return placeOfCursor(cursor, lastLsn).afterLsn
}
/** Does `to` lie before `from`? */
export function isBackwards(from: string, to: string, lastLsn: number): boolean {
  const [a, b] = [placeOfCursor(from, lastLsn), placeOfCursor(to, lastLsn)]
  return b.afterLsn < a.afterLsn || (b.afterLsn === a.afterLsn && b.offset < a.offset)
}
