// Steps that tell something of a key without a window: running groups, ranges at each row, decayed sums.
import type { Draft } from './build.ts'
import { checkPositive } from './checks.ts'
import { type Column, PlanError } from './plan.ts'
import type { Aggregates } from './row-types.ts'
import type { Value } from './values.ts'

const columnsOf = (aggregates: Aggregates): Column[] =>
  Object.entries(aggregates).map(([name, { type, nullable }]) => ({ name, type, nullable }))
const named = (aggregates: Aggregates) =>
  Object.entries(aggregates).map(([name, { aggregation }]) => ({ name, aggregate: aggregation }))

/** One row per group, replaced as it grows. */
export function runningDraft(draft: Draft, groups: readonly Column[], aggregates: Aggregates): Draft {
  const keys = groups.map(({ name }) => name)
  return {
    body: { kind: 'running-aggregate', groups: keys, aggregates: named(aggregates) },
    inputs: [draft],
    columns: [...groups, ...columnsOf(aggregates)],
    changelog: { mode: 'upsert', key: keys },
    time: null,
    contract: null,
  }
}
/** Each row with aggregates of its key over (t - range, t]. */
export function overDraft(
  draft: Draft,
  place: string,
  keys: readonly Column[],
  rangeMs: number,
  aggregates: Aggregates,
): Draft {
  checkPositive(place, 'rangeMs', rangeMs)
  checkStream(draft, place, 'over')
  return {
    body: { kind: 'over', keys: keys.map(({ name }) => name), rangeMs, aggregates: named(aggregates) },
    inputs: [draft],
    columns: [...draft.columns, ...columnsOf(aggregates)],
    changelog: draft.changelog,
    time: draft.time,
    contract: null,
  }
}
export function decayedDraft(
  draft: Draft,
  place: string,
  name: string,
  keys: readonly Column[],
  value: Value,
  halfLifeMs: number,
): Draft {
  checkPositive(place, 'halfLifeMs', halfLifeMs)
  checkStream(draft, place, 'decayedSum')
  return {
    body: { kind: 'decayed-sum', keys: keys.map((key) => key.name), value: value.expression, halfLifeMs },
    inputs: [draft],
    columns: [...draft.columns, { name, type: { kind: 'float64' }, nullable: false }],
    changelog: draft.changelog,
    time: draft.time,
    contract: null,
  }
}
function checkStream(draft: Draft, place: string, step: string): void {
  if (draft.time === null)
    throw new PlanError(place, step, 'its rows have no time', 'Keep the column of the event time')
  if (draft.changelog.mode !== 'append')
    throw new PlanError(place, step, 'rows of a table may be replaced', 'Put it before the window')
}
