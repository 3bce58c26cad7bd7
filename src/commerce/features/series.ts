// Sums of closed windows by whom they are about, as far back as features look. Bounded, plain data.
import { newRecent, peek, type Recent, use } from '../../std/recent.ts'

/** Ends of windows, ascending, and the sum of each. */
export interface Series {
  readonly ends: number[]
  readonly sums: number[]
}
export type SeriesTable = Recent<Series>
export interface TableRules {
  /** Windows are gathered into bins of this size; one counts when it is over. */
  readonly binMs: number
  /** What ended earlier than this before the newest is forgotten. */
  readonly horizonMs: number
  readonly entitiesMax: number
}

export function newSeriesTable(): SeriesTable {
  return newRecent()
}
/** Takes a closed window in: `endMs` is where it ends. */
export function gather(table: SeriesTable, entity: string, endMs: number, value: number, rules: TableRules): void {
  const { ends, sums } = use(table, entity, rules.entitiesMax, (): Series => ({ ends: [], sums: [] }))
  const end = Math.ceil(endMs / rules.binMs) * rules.binMs
  let at = ends.length
  while (at > 0 && ends[at - 1]! > end) at--
  if (at > 0 && ends[at - 1] === end) sums[at - 1]! += value
  else {
    ends.splice(at, 0, end)
    sums.splice(at, 0, value)
  }
  let old = 0
  while (old < ends.length && ends[old]! <= ends[ends.length - 1]! - rules.horizonMs) old++
  if (old > 0) {
    ends.splice(0, old)
    sums.splice(0, old)
  }
}
/** The sum of what ended in (fromMs, toMs]. */
export function sumBetween(table: SeriesTable, entity: string, fromMs: number, toMs: number): number {
  const series = peek(table, entity)
  if (series === undefined) return 0
  let sum = 0
  for (let i = series.ends.length - 1; i >= 0 && series.ends[i]! > fromMs; i--)
    if (series.ends[i]! <= toMs) sum += series.sums[i]!
  return sum
}
