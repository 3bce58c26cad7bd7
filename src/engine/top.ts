// The first rows of a window by some of its columns: which groups are chosen, and which rows stand outside, so that one
// that leaves the top is taken back. Nulls come last whichever way is sorted; ties go by group key, text in the order of
// its UTF-8 bytes.
import type { StateReader, StateWriter } from './state-bytes.ts'

export interface TopSettings {
  /** Rows at most, per window and part. */
  readonly rowsMax: number
  /** Do two groups compete? Those of one part do: the key of the part, '' where there is but one. */
  readonly partOf: (group: number) => string
}
/** Which of two groups goes first, by their values: negative for the first. */
export type Ranking = (a: number, b: number) => number

export class TopRows {
  readonly #settings: TopSettings
  /** Groups of the rows that stand outside, by the end of their window: those a correction may still replace. */
  readonly #standing = new Map<number, readonly number[]>()

  constructor(settings: TopSettings) {
    this.#settings = settings
  }
  /** The groups to give out, first to last; `groups` come in the order of their keys, which decides ties. */
  choose(groups: readonly number[], ranking: Ranking): number[] {
    const { rowsMax, partOf } = this.#settings
    const taken = new Map<string, number>()
    return groups.toSorted(ranking).filter((group) => {
      const part = partOf(group)
      const before = taken.get(part) ?? 0
      taken.set(part, before + 1)
      return before < rowsMax
    })
  }
  /** These stand for the window from now on; those that did and do no more. */
  replace(endMs: number, chosen: readonly number[]): number[] {
    const before = this.#standing.get(endMs)
    this.#standing.set(endMs, chosen)
    if (before === undefined) return []
    const now = new Set(chosen)
    return before.filter((group) => !now.has(group))
  }
  /** Windows that end up to here are never given out again. */
  forget(endMs: number): void {
    for (const end of this.#standing.keys()) if (end <= endMs) this.#standing.delete(end)
  }
  write(out: StateWriter): void {
    out.u32(this.#standing.size)
    for (const [end, groups] of this.#standing) {
      out.f64(end)
      out.numbers(groups)
    }
  }
  restore(from: StateReader): void {
    this.#standing.clear()
    const windows = from.u32()
    for (let i = 0; i < windows; i++) this.#standing.set(from.f64(), from.numbers())
  }
  bytes(): number {
    let bytes = 0
    for (const groups of this.#standing.values()) bytes += 96 + groups.length * 8
    return bytes
  }
}

/** Of sums in two lanes, low + high * 2^52, NaN being null: nulls last. */
export function compareLanes(lowA: number, highA: number, lowB: number, highB: number, descending: boolean): number {
  if (Number.isNaN(lowA) || Number.isNaN(lowB)) return Number(Number.isNaN(lowA)) - Number(Number.isNaN(lowB))
  // Both differences are exact, and no sum of integers of this size rounds to 0 or past it.
  const order = (highA - highB) * 2 ** 52 + (lowA - lowB)
  return descending ? 0 - order : order
}
