// The steps of a query: each returns a new stage. Drafts are shared, never changed.
import { type Draft, finishPlan, type PlanSettings } from './build.ts'
import { checkPositive } from './checks.ts'
import { decayedDraft, overDraft, runningDraft } from './keyed-steps.ts'
import type { Changelog, Column, Emit, NodeBody, TableData, Window } from './plan.ts'
import { PlanError } from './plan.ts'
import type { ColumnsOf, Derived } from './row-types.ts'
import type { Grouped, Stream, Table, Windowed } from './stages.ts'
import { type Condition, columnValues, type Row } from './values.ts'

/** What a deduplication may hold unless told otherwise. */
const HORIZON_BYTES_MAX = 64 * 2 ** 20

/** Drafts behind stages: a join takes its other side's from here. */
const drafts = new WeakMap<object, { readonly draft: Draft; readonly settings: PlanSettings }>()

function draftOf(stage: object, step: string): Draft {
  const known = drafts.get(stage)
  if (known === undefined) throw new PlanError('', step, 'its other side is no query', 'Build both with `from`')
  return known.draft
}

export function streamOf<R extends Row>(draft: Draft, settings: PlanSettings): Stream<R> {
  const next = <N extends Row>(after: Draft): Stream<N> => streamOf<N>(after, settings)
  const made: Stream<R> = {
    derive: (make) => next(derived(draft, make(columnValues<ColumnsOf<R>>(draft.columns)))),
    filter: (make) => next(filtered(draft, make(columnValues<ColumnsOf<R>>(draft.columns)))),
    select: (...names) => next(selected(draft, names)),
    rename: (names) => next(renamed(draft, names)),
    lookup: (table, how) =>
      next(
        'data' in table
          ? lookedUp(draft, table.data, how)
          : lookedUpFresh(draft, draftOf(table.of, 'lookup'), table.key, how),
      ),
    deduplicate(how) {
      const { horizonMs, horizonBytesMax = HORIZON_BYTES_MAX } = how
      checkPositive('deduplicate', 'horizonMs', horizonMs)
      checkPositive('deduplicate', 'horizonBytesMax', horizonBytesMax, 'bytes')
      const identity = how.identity.map((name) => columnNamed(draft, name).name)
      return next(after(draft, { kind: 'deduplicate', identity, horizonMs, horizonBytesMax }, draft.columns))
    },
    unnest: (column) => next(unnested(draft, column)),
    union: (other) => next(united(draft, draftOf(other, 'union'))),
    join: (right, how) => next(joined(draft, draftOf(right, 'join'), how)),
    window: (window) => windowed<R, never>(draft, settings, window, []),
    groupBy: (...names) => groupedBy(draft, settings, names),
    aggregate: (make) => groupedBy<R, never>(draft, settings, []).aggregate(make),
    over(how, make) {
      const keys = how.by.map((name) => columnNamed(draft, name))
      const made = overDraft(draft, placeOf(draft), keys, how.rangeMs, make(columnValues<ColumnsOf<R>>(draft.columns)))
      noDoubles(draft, 'over', made.columns, 'Rename one')
      return next(made)
    },
    decayedSum(name, how) {
      const keys = how.by.map((key) => columnNamed(draft, key))
      const value = how.of(columnValues<ColumnsOf<R>>(draft.columns))
      const made = decayedDraft(draft, placeOf(draft), name, keys, value, how.halfLifeMs)
      noDoubles(draft, 'decayedSum', made.columns, 'Give it another name')
      return next(made)
    },
    top(how) {
      const key = how.key ?? identityOf(draft)
      if (key === null)
        throw new PlanError(placeOf(draft), 'top', 'nothing tells its rows apart', 'Name the columns of their `key`')
      for (const name of key) columnNamed(draft, name)
      const within = (how.within ?? []).map((name) => columnNamed(draft, name).name)
      const changelog = { mode: 'upsert', key: [...new Set([...within, ...key])] } as const
      return tableOf(topped({ ...draft, changelog }, draft, how, within), settings)
    },
    lateness: (latenessMs) => streamOf<R>(draft, { ...settings, latenessMs: checkedLateness(draft, latenessMs) }),
    output: (output) => streamOf<R>(draft, { ...settings, output: { ...settings.output, ...output } }),
    named: (name) => finishPlan(name, draft, settings),
  }
  drafts.set(made, { draft, settings })
  return made
}

function windowed<R extends Row, G extends string>(
  draft: Draft,
  settings: PlanSettings,
  window: Window,
  groups: readonly string[],
): Windowed<R, G> {
  return {
    groupBy: (...names) => windowed(draft, settings, window, names),
    aggregate(make) {
      const made = Object.entries(make(columnValues<ColumnsOf<R>>(draft.columns)))
      const columns: Column[] = [
        { name: 'window_start', type: { kind: 'timestamp' }, nullable: false },
        { name: 'window_end', type: { kind: 'timestamp' }, nullable: false },
        ...groups.map((name) => columnNamed(draft, name)),
        ...made.map(([name, aggregate]) => ({ name, type: aggregate.type, nullable: aggregate.nullable })),
      ]
      noDoubles(draft, 'aggregate', columns, 'Rename one')
      if (draft.time === null)
        throw new PlanError(placeOf(draft), 'window', 'its rows have no time', 'Keep the column of the event time')
      const aggregates = made.map(([name, aggregate]) => ({ name, aggregate: aggregate.aggregation }))
      const body = { kind: 'window-aggregate', window, groups, aggregates } as const
      const changelog = { mode: 'upsert', key: ['window_start', 'window_end', ...groups] } as const
      return tableOf({ body, inputs: [draft], columns, changelog, time: 'window_end', contract: null }, settings)
    },
  }
}

function groupedBy<R extends Row, G extends string>(
  draft: Draft,
  settings: PlanSettings,
  groups: readonly string[],
): Grouped<R, G> {
  return {
    aggregate(make) {
      const columns = groups.map((name) => columnNamed(draft, name))
      const made = runningDraft(draft, columns, make(columnValues<ColumnsOf<R>>(draft.columns)))
      noDoubles(draft, 'aggregate', made.columns, 'Rename one')
      // Without an end of its own a table is of use while it runs.
      return tableOf(made, { emit: { mode: 'on-change' }, ...settings })
    },
  }
}

export function tableOf<R extends Row>(draft: Draft, settings: PlanSettings): Table<R> {
  const next = <N extends Row>(after: Draft): Table<N> => tableOf<N>(after, settings)
  const made: Table<R> = {
    derive: (make) => next(derived(draft, make(columnValues<ColumnsOf<R>>(draft.columns)))),
    filter: (make) => next(filtered(draft, make(columnValues<ColumnsOf<R>>(draft.columns)))),
    select: (...names) => next(selected(draft, names)),
    rename: (names) => next(renamed(draft, names)),
    lookup: (table, how) => next(lookedUp(draft, table.data, how)),
    join: (right, how) => next(joined(draft, draftOf(right, 'join'), { how: 'window', ...how })),
    window: (window) => windowed<R, never>(draft, settings, window, []),
    groupBy: (...names) => groupedBy(draft, settings, names),
    aggregate: (make) => groupedBy<R, never>(draft, settings, []).aggregate(make),
    top(how) {
      const bounds = ['window_start', 'window_end'].filter((name) => draft.columns.some((one) => one.name === name))
      const within = [...bounds, ...(how.within ?? []).map((name) => columnNamed(draft, name).name)]
      return next(topped(draft, draft, how, within))
    },
    emit(how) {
      const emit: Emit = typeof how === 'string' ? { mode: how } : { mode: 'interval', everyMs: how.everyMs }
      if (emit.mode === 'interval') checkPositive('emit', 'everyMs', emit.everyMs)
      return tableOf<R>(draft, { ...settings, emit })
    },
    lateness: (latenessMs) => tableOf<R>(draft, { ...settings, latenessMs: checkedLateness(draft, latenessMs) }),
    output: (output) => tableOf<R>(draft, { ...settings, output: { ...settings.output, ...output } }),
    named: (name) => finishPlan(name, draft, settings),
  }
  drafts.set(made, { draft, settings })
  return made
}

// --- drafts of one step each ---

/** A step that leaves key and time as they are; the time is gone if its column is. */
export function after(draft: Draft, body: NodeBody, columns: readonly Column[]): Draft {
  const { changelog } = draft
  const time = columns.some(({ name }) => name === draft.time) ? draft.time : null
  return { body, inputs: [draft], columns, changelog, time, contract: null }
}
function derived(draft: Draft, columns: Derived): Draft {
  const made = Object.entries(columns)
  const added = made.map(([name, value]) => ({ name, type: value.type, nullable: value.nullable }))
  const derive = made.map(([name, value]) => ({ name, value: value.expression }))
  const kept = draft.columns.filter((column) => !added.some((other) => other.name === column.name))
  if (draft.time !== null && added.some(({ name }) => name === draft.time))
    throw new PlanError(
      placeOf(draft),
      'derive',
      `'${draft.time}' is the event time: windows and joins would still go by the old one`,
      'Give the column another name',
    )
  keepsKey(
    draft,
    'derive',
    kept.map(({ name }) => name),
  )
  return after(draft, { kind: 'project', keep: 'all', derive }, [...kept, ...added])
}
function filtered(draft: Draft, condition: Condition): Draft {
  return after(draft, { kind: 'filter', condition: condition.expression }, draft.columns)
}
function selected(draft: Draft, names: readonly string[]): Draft {
  const kept = names.map((name) => columnNamed(draft, name))
  keepsKey(draft, 'select', names)
  const derive = kept.map(({ name, type }) => ({ name, value: { op: 'column', name, type } as const }))
  return after(draft, { kind: 'project', keep: 'none', derive }, kept)
}
function renamed(draft: Draft, names: { readonly [name: string]: string | undefined }): Draft {
  for (const name of Object.keys(names)) columnNamed(draft, name)
  const nameOf = (name: string): string => names[name] ?? name
  const columns = draft.columns.map((column) => ({ ...column, name: nameOf(column.name) }))
  noDoubles(draft, 'rename', columns, 'Choose another name')
  const derive = draft.columns.map(({ name, type }) => ({
    name: nameOf(name),
    value: { op: 'column', name, type } as const,
  }))
  const { changelog, time } = draft
  return {
    body: { kind: 'project', keep: 'none', derive },
    inputs: [draft],
    columns,
    changelog: changelog.mode === 'upsert' ? { mode: 'upsert', key: changelog.key.map(nameOf) } : changelog,
    time: time === null ? null : nameOf(time),
    contract: null,
  }
}
interface LookupHow {
  readonly by: string
  readonly unknown: 'dead-letter' | 'drop' | 'null'
}
function lookedUp(draft: Draft, data: TableData, { by, unknown }: LookupHow): Draft {
  columnNamed(draft, by)
  if (unknown === 'dead-letter' && draft.changelog.mode === 'upsert')
    throw new PlanError(
      placeOf(draft),
      `lookup '${data.name}'`,
      'rows of a table are no records: there is no dead letter to make',
      "Say `unknown: 'drop'` or `'null'`",
    )
  const added = data.columns.map((column) => ({ ...column, nullable: column.nullable || unknown === 'null' }))
  const columns = [...draft.columns, ...added]
  noClash(draft, `lookup '${data.name}'`, draft.columns, added, 'Rename it in the table')
  return after(draft, { kind: 'lookup', table: data, by, unknown }, columns)
}
function lookedUpFresh(draft: Draft, of: Draft, key: string, { by, unknown }: LookupHow): Draft {
  const step = `lookup in '${placeOf(of)}'`
  if (unknown === 'dead-letter')
    throw new PlanError(
      placeOf(draft),
      step,
      'what a topic does not hold yet is no fault of the record',
      "Say `unknown: 'drop'` or `'null'`",
    )
  const [left, right] = [columnNamed(draft, by), columnNamed(of, key)]
  sameType(draft, step, left, right)
  if (draft.changelog.mode !== 'append' || of.changelog.mode !== 'append')
    throw new PlanError(placeOf(draft), step, 'it joins single rows with single rows', 'Look up before the window')
  const added = of.columns
    .filter(({ name }) => name !== key)
    .map((column) => ({ ...column, nullable: column.nullable || unknown === 'null' }))
  noClash(draft, step, draft.columns, added, 'Rename it on one side before')
  const body = { kind: 'lookup', table: { compacted: placeOf(of), key, columns: added }, by, unknown } as const
  return { ...after(draft, body, [...draft.columns, ...added]), inputs: [draft, of] }
}
function unnested(draft: Draft, array: string): Draft {
  const { type } = columnNamed(draft, array)
  if (type.kind !== 'array')
    throw new PlanError(placeOf(draft), `unnest '${array}'`, `it is no list but ${type.kind}`, 'Name a list column')
  const rest = draft.columns.filter(({ name }) => name !== array)
  const elements: Column[] =
    type.of.kind === 'struct'
      ? Object.entries(type.of.fields).map(([name, field]) => ({ name, type: field.type, nullable: field.nullable }))
      : [{ name: array, type: type.of, nullable: false }]
  noClash(draft, `unnest '${array}'`, rest, elements, 'Rename it before')
  return after(draft, { kind: 'unnest', array }, [...rest, ...elements])
}
function united(draft: Draft, other: Draft): Draft {
  if (draft.changelog.mode !== 'append' || other.changelog.mode !== 'append')
    throw new PlanError(placeOf(draft), 'union', 'tables have keys of their own', 'Unite the streams before the window')
  for (const column of draft.columns) {
    const same = other.columns.find(({ name }) => name === column.name)
    if (same === undefined)
      throw new PlanError(
        placeOf(draft),
        `union with '${placeOf(other)}'`,
        `it has no column '${column.name}'`,
        'Bring both to the same columns with `select` and `rename`',
      )
    sameType(draft, `union with '${placeOf(other)}'`, column, same)
  }
  if (draft.time !== other.time || draft.time === null)
    throw new PlanError(
      placeOf(draft),
      `union with '${placeOf(other)}'`,
      `the event time is '${draft.time}' here and '${other.time}' there`,
      'Bring it under one name with `rename`',
    )
  const columns = draft.columns.map((column) => ({
    ...column,
    nullable: column.nullable || (other.columns.find(({ name }) => name === column.name)?.nullable ?? true),
  }))
  return { ...after(draft, { kind: 'union' }, columns), inputs: [draft, other] }
}
interface JoinHow {
  readonly how: 'interval' | 'window' | 'latest'
  readonly side: 'inner' | 'left'
  readonly on: { readonly [left: string]: string | undefined }
  readonly beforeMs?: number
  readonly afterMs?: number
  readonly withinMs?: number
}
function joined(draft: Draft, right: Draft, how: JoinHow): Draft {
  const step = `join with '${placeOf(right)}'`
  const on = Object.entries(how.on).flatMap(([left, name]) => (name === undefined ? [] : [{ left, right: name }]))
  for (const pair of on) sameType(draft, step, columnNamed(draft, pair.left), columnNamed(right, pair.right))
  const isWindow = how.how === 'window'
  if (on.length === 0 && !isWindow)
    throw new PlanError(placeOf(draft), step, 'no columns are equal', 'Name the columns it is joined `on`')
  for (const [side, of] of [
    ['left', draft],
    ['right', right],
  ] as const) {
    if (of.time === null)
      throw new PlanError(placeOf(of), step, `the ${side} side has no time`, 'Keep the column of its event time')
    if (isWindow) for (const name of ['window_start', 'window_end']) columnNamed(of, name)
    else if (of.changelog.mode !== 'append')
      throw new PlanError(placeOf(of), step, `the ${side} side is a table`, 'Join tables of windows with each other')
  }
  const beforeMs = how.how === 'latest' ? (how.withinMs ?? 0) : (how.beforeMs ?? 0)
  const afterMs = how.afterMs ?? 0
  for (const [name, ms] of [
    ['beforeMs', beforeMs],
    ['afterMs', afterMs],
  ] as const)
    if (!(Number.isSafeInteger(ms) && ms >= 0))
      throw new PlanError(placeOf(draft), step, `${name} ${ms} is no time`, 'Use whole milliseconds, 0 or more')
  const once = new Set([
    ...on.filter((pair) => pair.left === pair.right).map((pair) => pair.left),
    ...(isWindow ? ['window_start', 'window_end'] : []),
  ])
  const added = right.columns
    .filter(({ name }) => !once.has(name))
    .map((column) => ({ ...column, nullable: column.nullable || how.side === 'left' }))
  noClash(draft, step, draft.columns, added, 'Rename it on one side before')
  const columns = [...draft.columns, ...added]
  const changelog: Changelog = isWindow
    ? { mode: 'upsert', key: [...new Set([...keyOf(draft), ...keyOf(right).filter((name) => !once.has(name))])] }
    : { mode: 'append' }
  const body = { kind: 'join', how: how.how, side: how.side, on, beforeMs, afterMs } as const
  return { body, inputs: [draft, right], columns, changelog, time: draft.time, contract: null }
}
interface TopHow {
  readonly rows: number
  readonly by: string | readonly { readonly column: string; readonly descending: boolean }[]
}
function topped(traits: Draft, draft: Draft, how: TopHow, within: readonly string[]): Draft {
  checkPositive('top', 'rows', how.rows, 'rows')
  const by = typeof how.by === 'string' ? [{ column: how.by, descending: true }] : how.by
  for (const { column } of by) columnNamed(draft, column)
  const body = { kind: 'top', rows: how.rows, within, by } as const
  return { ...after(draft, body, draft.columns), changelog: traits.changelog }
}

// --- checks, each with the place in the query and the cure ---

/** Topics a draft reads, for messages. */
function placeOf({ body, inputs }: Draft): string {
  return body.kind === 'source' ? body.topic : [...new Set(inputs.map(placeOf))].join(' and ')
}
function keyOf({ changelog }: Draft): readonly string[] {
  return changelog.mode === 'upsert' ? changelog.key : []
}
/** The identity of the only contract, if its column is still there. */
function identityOf(draft: Draft): readonly string[] | null {
  if (draft.contract !== null) return draft.contract.identity === undefined ? null : [draft.contract.identity]
  const [before, ...others] = draft.inputs
  if (before === undefined || others.length > 0 || draft.body.kind === 'unnest') return null
  const identity = identityOf(before)
  return identity?.every((name) => draft.columns.some((column) => column.name === name)) ? identity : null
}
function keepsKey(draft: Draft, step: string, names: readonly string[]): void {
  const lost = keyOf(draft).find((name) => !names.includes(name))
  if (lost !== undefined)
    throw new PlanError(placeOf(draft), step, `it loses '${lost}', a column of the table's key`, 'Keep it as it is')
}
function noDoubles(draft: Draft, step: string, columns: readonly Column[], cure: string): void {
  const double = columns.find((column, i) => columns.findIndex((other) => other.name === column.name) !== i)
  if (double) throw new PlanError(placeOf(draft), step, `two columns are named '${double.name}'`, cure)
}
function noClash(draft: Draft, step: string, there: readonly Column[], added: readonly Column[], cure: string): void {
  const clash = added.find((column) => there.some((other) => other.name === column.name))
  if (clash) throw new PlanError(placeOf(draft), step, `column '${clash.name}' is there already`, cure)
}
function sameType(draft: Draft, step: string, left: Column, right: Column): void {
  if (JSON.stringify(left.type) === JSON.stringify(right.type)) return
  throw new PlanError(
    placeOf(draft),
    step,
    `'${left.name}' is ${left.type.kind} and '${right.name}' ${right.type.kind}`,
    'Use columns of the same type, scale and currency',
  )
}
function checkedLateness(draft: Draft, latenessMs: number): number {
  if (Number.isSafeInteger(latenessMs) && latenessMs >= 0) return latenessMs
  throw new PlanError(placeOf(draft), 'lateness', `${latenessMs} is no time`, 'Use whole milliseconds, 0 or more')
}
export function columnNamed(draft: Draft, name: string): Column {
  const column = draft.columns.find((one) => one.name === name)
  if (column) return column
  const known = draft.columns.map((one) => one.name).join(', ')
  throw new PlanError(placeOf(draft), `column '${name}'`, 'there is no such column', `There are: ${known}`)
}
