// What time it is for a reaction over rows in the order of event time: that of the newest row; where no rows come any more,
// the clock's, a little behind. Plain data.
import type { ReactionInput } from '../../query/reaction.ts'

export interface EventClock {
  /** Never goes back; null before the first row. */
  nowMs: number | null
  /** Of the first tick since the last row; null after a row. */
  silentSinceMs: number | null
}
/** Rows come out of order by less, and a silent partition is idle by then. */
const SILENCE_MS = 60_000
/** The clock says nothing about data this old: it is being imported or replayed. */
const LIVE_MS = 6 * 3_600_000

export function newEventClock(): EventClock {
  return { nowMs: null, silentSinceMs: null }
}
/** Takes a row's time or a tick in; null before the first row. */
export function advance(clock: EventClock, input: ReactionInput, rowMs: number): number | null {
  if (input.kind === 'row') {
    clock.silentSinceMs = null
    clock.nowMs = Math.max(clock.nowMs ?? rowMs, rowMs)
    return clock.nowMs
  }
  const { nowMs } = clock
  clock.silentSinceMs ??= input.atMs
  if (nowMs === null || input.atMs - nowMs > LIVE_MS || input.atMs - clock.silentSinceMs < SILENCE_MS) return nowMs
  clock.nowMs = Math.max(nowMs, input.atMs - SILENCE_MS)
  return clock.nowMs
}
