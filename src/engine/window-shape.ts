// Lowers a window with its aggregates to states, result sources and the operator that drives them. Equal aggregates
// share a state: an average costs nothing beside its sum.
import type { Aggregation, Column, Expression, Plan, PlanNode, Window } from '../query/plan.ts'
import { PlanError, typeOf } from '../query/plan.ts'
import { assert, unreachable } from '../std/assert.ts'
import type { Batch } from './columns.ts'
import { CumulativeWindows } from './cumulative-windows.ts'
import { Dictionary } from './dictionary.ts'
import { type Counted, numberIds, PaneDistinct, SlidingDistinct, type SlidingPlaces } from './distinct-state.ts'
import { isText, lowerNumbers, type NumberEvaluator } from './expressions.ts'
import { ExtremeState } from './extreme-state.ts'
import { calendarPanes, fixedPanes, type PaneClock } from './pane-clock.ts'
import { PaneWindows } from './pane-windows.ts'
import { Groups, OwnSlots } from './panes.ts'
import { idNumbers, type PickSettings, PickState } from './pick-state.ts'
import { isTextKind, type ResultBuilder } from './results.ts'
import { SessionWindows } from './session-windows.ts'
import { SlidingWindows } from './sliding-windows.ts'
import { SumState } from './sum-state.ts'
import { TopRows } from './top.ts'
import { WindowInput } from './window-input.ts'
import type { WindowOperator } from './window-operator.ts'
import { type GroupColumn, type Source, type TopOfRows, WindowRows } from './window-rows.ts'
import { type CellPlaces, CountState, type WindowState } from './window-state.ts'

/** Where a column of the window's input lies, and the name its dictionary is swept by. */
export interface Place {
  readonly slot: number
  readonly dictionary: { readonly name: string; readonly of: Dictionary<string> } | null
}
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
  readonly results: ResultBuilder
  /** Takes the dictionaries made for numbers, for sweeps and snapshots. */
  readonly numbers: { readonly name: string; readonly dictionary: Dictionary<number> }[]
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
  const { states, sources } = lowerAggregates(parts, cumulates ? ownPlaces : places, slides ? places : null)
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
  const { states, sources } = lowerAggregates(parts, slots, null)
  const rows = new WindowRows(sources, groupColumns, states, groups, results, null)
  const runs = parts.plan.emit.mode !== 'on-close'
  return new SessionWindows(groups, slots, states, rows, {
    gapMs,
    latenessMs,
    partitions,
    groupIds,
    groupColumns: groupNames,
    runs,
  })
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

function groupColumn(
  parts: WindowParts,
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
function numberDictionary(parts: WindowParts): { readonly name: string; readonly dictionary: Dictionary<number> } {
  const made = { name: `number ${parts.numbers.length}`, dictionary: new Dictionary<number>() }
  parts.numbers.push(made)
  return made
}
function idsOf(slot: number): (batch: Batch) => Int32Array {
  return (batch) => {
    const column = batch.columns[slot]!
    assert(column.kind === 'id', 'a text column that is grouped or counted comes by id')
    return column.values
  }
}
function columnOf(parts: WindowParts, name: string): Column {
  const column = parts.columns.find((one) => one.name === name)
  if (column === undefined)
    throw new PlanError(parts.plan.name, parts.node.id, `there is no column '${name}'`, 'Build plans with `from`')
  return column
}

function lowerAggregates(
  parts: WindowParts,
  places: CellPlaces,
  sliding: SlidingPlaces | null,
): { states: WindowState[]; sources: Source[] } {
  const states: WindowState[] = []
  const known = new Map<string, number>()
  const slotOf = (name: string): number => parts.placeOf(name).slot
  const state = (key: string, make: () => WindowState): number => {
    const index = known.get(key) ?? states.push(make()) - 1
    known.set(key, index)
    return index
  }
  const whereOf = (where: Expression | null): NumberEvaluator | null =>
    where === null ? null : lowerNumbers(where, slotOf)
  const key = (kind: string, of: Expression | null, where: Expression | null): string =>
    JSON.stringify([kind, of, where])
  const countOf = (of: Expression | null, where: Expression | null): number => {
    const counted = of !== null && isNullable(of, parts.columns) ? of : null
    return state(
      key('count', counted, where),
      () => new CountState(counted === null ? null : nullTest(counted, slotOf), whereOf(where)),
    )
  }
  // The operators ask the first state which groups hold records.
  countOf(null, null)
  const exact = (aggregate: Aggregation): { state: number; count: number; scale: number } => {
    if (aggregate.function === 'count') return { state: countOf(aggregate.of, aggregate.where), count: -1, scale: 0 }
    if (aggregate.function !== 'sum') return notYet(parts, `'${aggregate.function}' in a ratio`)
    const { of, where } = aggregate
    const type = typeOf(of)
    if (type.kind !== 'int64' && type.kind !== 'money' && type.kind !== 'decimal')
      return notYet(parts, `a sum of ${type.kind}`)
    const summed = state(key('sum', of, where), () => new SumState(lowerNumbers(of, slotOf), whereOf(where)))
    const count = where !== null || isNullable(of, parts.columns) ? countOf(of, where) : -1
    return { state: summed, count, scale: type.kind === 'int64' ? 0 : type.scale }
  }
  const sources: Source[] = [
    { from: 'start' },
    { from: 'end' },
    ...parts.node.groups.map((_, index): Source => ({ from: 'group', index })),
  ]
  for (const { aggregate } of parts.node.aggregates) {
    switch (aggregate.function) {
      case 'count':
      case 'sum': {
        const made = exact(aggregate)
        sources.push({ from: 'state', state: made.state, count: made.count })
        break
      }
      case 'min':
      case 'max': {
        const { of, where, function: which } = aggregate
        if (isText(of)) notYet(parts, `'${which}' of text`)
        const made = state(
          key(which, of, where),
          () => new ExtremeState(which, lowerNumbers(of, slotOf), whereOf(where), places, sliding !== null),
        )
        sources.push({ from: 'state', state: made, count: -1 })
        break
      }
      case 'count-distinct': {
        const { of, where } = aggregate
        const made = state(key('count-distinct', of, where), () => {
          const counted = countedOf(parts, of, slotOf)
          if (sliding === null) return new PaneDistinct(counted, whereOf(where), places)
          return new SlidingDistinct(counted, whereOf(where), sliding, parts.node.groups.length > 0)
        })
        sources.push({ from: 'state', state: made, count: -1 })
        break
      }
      case 'ratio': {
        const over = exact(aggregate.numerator)
        const under = exact(aggregate.denominator)
        const shift = aggregate.scale - over.scale + under.scale
        sources.push({ from: 'ratio', numerator: over.state, denominator: under.state, count: over.count, shift })
        break
      }
      case 'first':
      case 'last':
      case 'argmax': {
        const { of, where, function: which } = aggregate
        const by = aggregate.function === 'argmax' ? aggregate.by : null
        if (by !== null && isText(by)) notYet(parts, `'argmax' by text`)
        const text = isText(of) ? textOf(parts, of) : null
        const picked = state(JSON.stringify([which, of, by, where]), () => {
          const settings: PickSettings = {
            of: text === null ? lowerNumbers(of, slotOf) : idNumbers(idsOf(text.slot)),
            by: by === null ? null : lowerNumbers(by, slotOf),
            where: whereOf(where),
            pick: which === 'last' ? 'latest' : 'earliest',
            column: text?.dictionary.name ?? null,
          }
          return new PickState(settings, places, sliding !== null)
        })
        sources.push(
          text === null
            ? { from: 'state', state: picked, count: -1 }
            : { from: 'text', state: picked, dictionary: text.dictionary.of },
        )
        break
      }
      case 'variance':
      case 'quantile':
        notYet(parts, `aggregate '${aggregate.function}'`)
        break
      default:
        unreachable(aggregate)
    }
  }
  return { states, sources }
}

function notYet(parts: WindowParts, what: string): never {
  throw new PlanError(
    parts.plan.name,
    parts.node.id,
    `${what} does not run in this engine yet`,
    'Leave it out, or run the plan on another engine',
  )
}

function textOf(
  parts: WindowParts,
  of: Expression,
): { readonly slot: number; readonly dictionary: NonNullable<Place['dictionary']> } {
  assert(of.op === 'column', 'text is taken by column')
  const { slot, dictionary } = parts.placeOf(of.name)
  assert(dictionary !== null, `column '${of.name}' has a dictionary`)
  return { slot, dictionary }
}
function countedOf(parts: WindowParts, of: Expression, slotOf: (name: string) => number): Counted {
  if (isText(of)) {
    const { slot, dictionary } = textOf(parts, of)
    return { column: dictionary.name, ids: idsOf(slot) }
  }
  const numbers = numberDictionary(parts)
  return { column: numbers.name, ids: numberIds(lowerNumbers(of, slotOf), numbers.dictionary) }
}

function nullTest(of: Expression, slotOf: (name: string) => number): (batch: Batch) => (row: number) => boolean {
  if (isText(of)) {
    assert(of.op === 'column', 'text is counted by column')
    const ids = idsOf(slotOf(of.name))
    return (batch) => {
      const values = ids(batch)
      return (row) => values[row]! < 0
    }
  }
  const numbers = lowerNumbers(of, slotOf)
  return (batch) => {
    const values = numbers(batch)
    return (row) => Number.isNaN(values[row]!)
  }
}

/** May the expression be null for some row? */
function isNullable(expression: Expression, columns: readonly Column[]): boolean {
  switch (expression.op) {
    case 'column':
      return columns.find((column) => column.name === expression.name)?.nullable ?? true
    case 'literal':
      return expression.value === null
    case 'plus':
    case 'minus':
    case 'times':
      return isNullable(expression.left, columns) || isNullable(expression.right, columns)
    default:
      return true
  }
}
