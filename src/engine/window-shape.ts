// Lowers a window with its aggregates to states, result sources and the operator that drives them.
import type { Aggregation, Column, Expression, NamedAggregate, Plan, PlanNode, Window } from '../query/plan.ts'
import { PlanError } from '../query/plan.ts'
import { assert, unreachable } from '../std/assert.ts'
import { type AggregateParts, idsOf, lowerAggregates, numberDictionary } from './aggregate-states.ts'
import { ChangingWindows } from './changing-windows.ts'
import type { Batch } from './columns.ts'
import { CumulativeWindows } from './cumulative-windows.ts'
import { numberIds } from './distinct-state.ts'
import { isText, lowerNumbers } from './expressions.ts'
import { groupKeyText } from './group-key.ts'
import { KeyedRows } from './keyed-rows.ts'
import type { InputShape, NumberDictionary, Place, RowSink } from './operator.ts'
import { calendarPanes, fixedPanes, type PaneClock } from './pane-clock.ts'
import { PaneWindows } from './pane-windows.ts'
import { Groups, OwnSlots } from './panes.ts'
import { isTextKind } from './results.ts'
import { SessionWindows } from './session-windows.ts'
import type { SlidingPlaces } from './sliding-distinct.ts'
import { SlidingWindows } from './sliding-windows.ts'
import { TopRows } from './top.ts'
import { WindowInput } from './window-input.ts'
import type { WindowOperator } from './window-operator.ts'
import { type GroupColumn, type Source, type TopOfRows, WindowRows } from './window-rows.ts'
import { CELLS, type CellPlaces, RESULTS, type WindowState } from './window-state.ts'

export interface WindowParts {
  readonly plan: Plan
  readonly node: PlanNode & { readonly kind: 'window-aggregate' }
  readonly top: (PlanNode & { readonly kind: 'top' }) | null
  /** Columns of the window's input. */
  readonly columns: readonly Column[]
  readonly placeOf: (name: string) => Place
  readonly partitions: number
  /** 0 in bounded runs: nothing is late there. */
  readonly latenessMs: number
  readonly results: RowSink
  /** Takes the dictionaries made for numbers, for sweeps and snapshots. */
  readonly numbers: NumberDictionary[]
}

/** The dictionaries of the window's text columns, in the order of its node's columns. */
export function windowTexts({
  node,
  placeOf,
}: {
  readonly node: { readonly columns: readonly Column[]; readonly aggregates: readonly NamedAggregate[] }
  readonly placeOf: (name: string) => Place
}): Place['dictionary'][] {
  return node.columns.map(({ name, type }) => {
    if (!isTextKind(type.kind)) return null
    const picked = node.aggregates.find((one) => one.name === name)?.aggregate
    if (picked === undefined) return placeOf(name).dictionary
    const of = picked.function === 'ratio' ? null : picked.of
    return of?.op === 'column' ? placeOf(of.name).dictionary : null
  })
}

export function lowerWindow(parts: WindowParts): WindowOperator {
  const { node, results } = parts
  if (node.window.kind === 'session') return lowerSessions(parts, node.window.gapMs)
  const { clock, width } = panesOf(node.window)
  const columnNames: string[] = []
  const groupColumns: GroupColumn[] = []
  const groupIds = node.groups.map((name) => groupColumn(parts, name, columnNames, groupColumns))
  const input = new WindowInput({
    clock,
    latenessMs: parts.latenessMs,
    partitions: parts.partitions,
    groupWidth: node.groups.length,
    groupIds,
  })
  const { table } = input
  // The states read the operator's places through this; the operator is made last, of the states.
  let frozen = (): number => Number.NEGATIVE_INFINITY
  const places: SlidingPlaces = {
    get cellGroup() {
      return table.cellGroup
    },
    get cellSlot() {
      return table.cellSlot
    },
    get slotPane() {
      return table.slotPane
    },
    width,
    slotOf: (pane) => table.slotOf(pane),
    cellOf: (slot, group) => table.find(table.slotPane[slot]!)?.cells.get(group) ?? -1,
    closed: () => input.closed,
    frozen: () => frozen(),
  }
  const cumulates = node.window.kind === 'cumulative'
  const slots = new OwnSlots()
  const ownPlaces: CellPlaces = {
    cellGroup: slots.cellGroup,
    slotPane: slots.slotPane,
    get cellSlot() {
      slots.grow(table.cells.high)
      return slots.cellSlot
    },
  }
  const slides = width > 1 && !cumulates
  const keyOf = keyOfPlace(node.groups, groupColumns, input.groups, (cell) => table.cellGroup[cell]!)
  const { states, sources } = aggregatesOf(parts, cumulates ? ownPlaces : places, slides ? places : null, keyOf)
  input.states = states
  const rows = new WindowRows(sources, groupColumns, states, input.groups, results, topOf(parts, sources, input.groups))
  if (cumulates)
    return new CumulativeWindows(input, rows, { width, latenessMs: parts.latenessMs, groupColumns: columnNames })
  if (width === 1) return new PaneWindows(input, rows, parts.latenessMs, columnNames)
  const sliding = new SlidingWindows(input, rows, { width, latenessMs: parts.latenessMs, groupColumns: columnNames })
  frozen = () => sliding.frozen
  return sliding
}

function topOf({ plan, node, top }: WindowParts, sources: readonly Source[], groups: Groups): TopOfRows | null {
  if (top === null) return null
  const at = (name: string): number => {
    const index = top.columns.findIndex((column) => column.name === name)
    if (index < 0) throw new PlanError(plan.name, top.id, `there is no column '${name}'`, 'Build plans with `from`')
    return index
  }
  const parts = top.within
    .filter((name) => name !== 'window_start' && name !== 'window_end')
    .map((name) => {
      const index = node.groups.indexOf(name)
      if (index < 0)
        throw new PlanError(plan.name, top.id, `'${name}' is no column the window is grouped by`, 'Group by it')
      return index
    })
  const { keys } = groups
  const partOf = (group: number): string => parts.map((index) => keys.keys[group * keys.width + index]!).join()
  const by = top.by.map(({ column, descending }) => ({ source: sources[at(column)]!, descending }))
  return { rows: new TopRows({ rowsMax: top.rows, partOf }), by }
}

function lowerSessions(parts: WindowParts, gapMs: number): WindowOperator {
  const { node, results, latenessMs, partitions } = parts
  const groupNames: string[] = []
  const groupColumns: GroupColumn[] = []
  const groupIds = node.groups.map((name) => groupColumn(parts, name, groupNames, groupColumns))
  const [groups, slots] = [new Groups(groupIds.length), new OwnSlots()]
  let groupOf = (_cell: number): number => -1
  const keyOf = keyOfPlace(node.groups, groupColumns, groups, (cell) => groupOf(cell))
  const { states, sources } = aggregatesOf(parts, slots, null, keyOf)
  const rows = new WindowRows(sources, groupColumns, states, groups, results, null)
  const runs = parts.plan.emit.mode !== 'on-close'
  const sessions = new SessionWindows(groups, slots, states, rows, {
    gapMs,
    latenessMs,
    partitions,
    groupIds,
    groupColumns: groupNames,
    runs,
  })
  groupOf = (cell) => sessions.groupOf(cell)
  return sessions
}

/** A window over rows that change: `rows` are kept, and its aggregates computed of those that a window holds. */
export function lowerChangingWindow(parts: WindowParts, input: InputShape, key: readonly string[]): WindowOperator {
  const { node, plan } = parts
  const { window } = node
  if (window.kind === 'session')
    throw new PlanError(
      plan.name,
      node.id,
      'sessions of rows that may still change do not run here',
      'Make the sessions of the records first, or choose another window',
    )
  const { clock, width } = panesOf(window)
  const rows = new KeyedRows(input, key, parts.partitions)
  const groupNames: string[] = []
  const groupColumns: GroupColumn[] = []
  const groupIds = node.groups.map((name) => groupColumn(parts, name, groupNames, groupColumns))
  const groups = new Groups(groupIds.length)
  const slots = new OwnSlots()
  slots.grow(1)
  const at = (name: string): number => input.columns.findIndex((column) => column.name === name)
  const ofRows: WindowParts = {
    ...parts,
    placeOf: (name) => ({ slot: at(name), dictionary: parts.placeOf(name).dictionary }),
  }
  const { states, sources } = aggregatesOf(ofRows, slots, null, () => 'a group')
  for (const state of states) state.grow(1, 0, 0)
  return new ChangingWindows(
    rows,
    groups,
    states,
    new WindowRows(sources, groupColumns, states, groups, parts.results, null),
    {
      clock,
      firstPaneOf:
        window.kind === 'cumulative' ? (last) => Math.floor(last / width) * width : (last) => last - width + 1,
      lastWindowOf:
        window.kind === 'cumulative'
          ? (pane) => Math.floor(pane / width) * width + width - 1
          : (pane) => pane + width - 1,
      newestOnly: width > 1,
      reachMs: input.reachMs,
      lanes: parts.partitions,
      groupIds,
      groupColumns: groupNames,
      keyColumns: key.map(at),
    },
  )
}

function panesOf(window: Exclude<Window, { kind: 'session' }>): { clock: PaneClock; width: number } {
  switch (window.kind) {
    case 'tumbling':
      return { clock: fixedPanes(window.sizeMs), width: 1 }
    case 'hopping':
      return { clock: fixedPanes(window.slideMs), width: window.sizeMs / window.slideMs }
    case 'calendar':
      return { clock: calendarPanes(window.unit, window.zone), width: 1 }
    case 'cumulative':
      return { clock: fixedPanes(window.stepMs), width: window.sizeMs / window.stepMs }
    default:
      return unreachable(window)
  }
}

/** What the lowering of a column needs to know. */
export type ColumnParts = Pick<WindowParts, 'plan' | 'columns' | 'placeOf' | 'numbers'> & {
  readonly node: { readonly id: string }
}
/** Ids of a column that rows are grouped by; the name of its dictionary and how ids read go to the lists. */
export function groupColumn(
  parts: ColumnParts,
  name: string,
  names: string[],
  columns: GroupColumn[],
): (batch: Batch) => Int32Array {
  const { type } = columnOf(parts, name)
  const place = parts.placeOf(name)
  if (isTextKind(type.kind)) {
    assert(place.dictionary !== null, `group column '${name}' has a dictionary`)
    names.push(place.dictionary.name)
    columns.push({ kind: 'text', dictionary: place.dictionary.of })
    return idsOf(place.slot)
  }
  const numbers = numberDictionary(parts)
  names.push(numbers.name)
  columns.push({ kind: 'number', dictionary: numbers.dictionary })
  return numberIds(
    lowerNumbers({ op: 'column', name, type }, (column) => parts.placeOf(column).slot),
    numbers.dictionary,
  )
}
function columnOf(parts: ColumnParts, name: string): Column {
  const column = parts.columns.find((one) => one.name === name)
  if (column === undefined)
    throw new PlanError(parts.plan.name, parts.node.id, `there is no column '${name}'`, 'Build plans with `from`')
  return column
}

/** Names what is behind an index of a state: of a cell its group; a window that was given out is not looked up. */
export function keyOfPlace(
  names: readonly string[],
  columns: readonly GroupColumn[],
  groups: Groups,
  groupOf: (cell: number) => number,
): AggregateParts['keyOf'] {
  return (place, index) => {
    if (place === RESULTS) return 'a window that late records correct'
    return groupKeyText(names, columns, groups, place === CELLS ? groupOf(index) : index)
  }
}

/** The states, and where all columns of a row come from: bounds, groups, aggregates. */
function aggregatesOf(
  parts: WindowParts,
  places: CellPlaces,
  sliding: SlidingPlaces | null,
  keyOf: AggregateParts['keyOf'],
): { states: WindowState[]; sources: Source[] } {
  const { plan, node, columns, placeOf, numbers } = parts
  const { id: at, groups, aggregates } = node
  const made = lowerAggregates(
    { plan, at, grouped: groups.length > 0, aggregates, keyOf, columns, placeOf, numbers },
    places,
    sliding,
  )
  const keys = groups.map((_, index): Source => ({ from: 'group', index }))
  return { states: made.states, sources: [{ from: 'start' }, { from: 'end' }, ...keys, ...made.sources] }
}

/**
 * What an aggregate computes from a row before it takes it in: that may leave the exact numbers, as a derived column may.
 * Of rows that are results themselves, any exact column may have left them.
 */
export function computedIn(aggregate: Aggregation, ofRecords: boolean): readonly Expression[] {
  if (aggregate.function === 'ratio')
    return [...computedIn(aggregate.numerator, ofRecords), ...computedIn(aggregate.denominator, ofRecords)]
  const values = aggregate.function === 'argmax' ? [aggregate.of, aggregate.by] : [aggregate.of]
  return values
    .filter((value) => value !== null)
    .filter((value) => value.op !== 'literal' && !(value.op === 'column' && (ofRecords || isText(value))))
}
