// Where the offsets of a group are to go: one rule for all partitions, held within what each of them has.
import { unreachable } from '../std/assert.ts'

export type ResetTo =
  | { readonly to: 'earliest' | 'latest' }
  | { readonly to: 'datetime'; readonly timeMs: number }
  | { readonly to: 'offset'; readonly offset: number }
  | { readonly to: 'shift'; readonly by: number }

/** How a partition is and was read. */
export interface Place {
  readonly committed: number | null
  readonly start: number
  readonly end: number
  /** The first offset at or after the time that was asked for; null if none was. */
  readonly atTime: number | null
}

/** The new offset; null: there is nothing to shift, as the group has committed nothing there. */
export function newOffset(reset: ResetTo, { committed, start, end, atTime }: Place): number | null {
  const within = (offset: number): number => Math.min(Math.max(offset, start), end)
  switch (reset.to) {
    case 'earliest':
      return start
    case 'latest':
      return end
    case 'datetime':
      return within(atTime ?? end)
    case 'offset':
      return within(reset.offset)
    case 'shift':
      return committed === null ? null : within(committed + reset.by)
    default:
      return unreachable(reset)
  }
}
