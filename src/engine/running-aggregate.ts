// Running group-by: a window without an end. Rows of groups that changed come out at ticks, all of them when bounded input
// ends; no record is late, and what the table comes to does not depend on the order of records. State grows with the
// number of groups (and of values counted distinct): the job's limit in bytes refuses what is too many.
import type { PlanNode } from '../query/plan.ts'
import { PlanError } from '../query/plan.ts'
import { type AggregateParts, lowerAggregates } from './aggregate-states.ts'
import { ChangingWindows } from './changing-windows.ts'
import type { Batch } from './columns.ts'
import { KeyedRows } from './keyed-rows.ts'
import type { OperatorContext } from './operator.ts'
import type { LoweredOperator } from './operators.ts'
import type { PaneClock } from './pane-clock.ts'
import { PaneWindows } from './pane-windows.ts'
import { Groups, OwnSlots } from './panes.ts'
import { WindowInput } from './window-input.ts'
import type { WindowOperator } from './window-operator.ts'
import { type GroupColumn, type Source, WindowRows } from './window-rows.ts'
import { WindowRunner } from './window-runner.ts'
import { groupColumn, keyOfPlace, windowTexts } from './window-shape.ts'
import type { CellPlaces, WindowState } from './window-state.ts'

export type RunningNode = PlanNode & { readonly kind: 'running-aggregate' }

/** One pane that holds every time; only the end of all input is past it. */
const endless: PaneClock = {
  lengthMs: 0,
  paneOf: (timeMs) => (timeMs === Number.POSITIVE_INFINITY ? 1 : 0),
  startOf: (pane) => (pane < 1 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY),
}

export function lowerRunning(context: OperatorContext<RunningNode>): LoweredOperator {
  const { node } = context
  const [input] = context.inputs
  const texts = windowTexts({ node, placeOf: input!.placeOf })
  const window = input!.updates ? overChanges(context) : overStream(context)
  return {
    operator: new WindowRunner(window, context.tooLate),
    texts,
    updates: true,
    reachMs: Number.POSITIVE_INFINITY,
  }
}

interface Grouped {
  readonly ids: readonly ((batch: Batch) => Int32Array)[]
  readonly names: string[]
  readonly columns: GroupColumn[]
}
function groupsOf(context: OperatorContext<RunningNode>): Grouped {
  const { columns: given, placeOf } = context.inputs[0]!
  const names: string[] = []
  const columns: GroupColumn[] = []
  const parts = { ...context, columns: given, placeOf }
  return { ids: context.node.groups.map((name) => groupColumn(parts, name, names, columns)), names, columns }
}
function statesOf(
  context: OperatorContext<RunningNode>,
  places: CellPlaces,
  slotOf: ((name: string) => number) | null,
  keyOf: AggregateParts['keyOf'],
): { states: WindowState[]; sources: Source[] } {
  const { plan, node, numbers } = context
  const { columns, placeOf } = context.inputs[0]!
  const { states, sources } = lowerAggregates(
    {
      plan,
      at: node.id,
      grouped: node.groups.length > 0,
      aggregates: node.aggregates,
      keyOf,
      columns,
      placeOf: slotOf === null ? placeOf : (name) => ({ slot: slotOf(name), dictionary: placeOf(name).dictionary }),
      numbers,
    },
    places,
    null,
  )
  return { states, sources: [...node.groups.map((_, index): Source => ({ from: 'group', index })), ...sources] }
}

/** Each row comes once and stays. */
function overStream(context: OperatorContext<RunningNode>): WindowOperator {
  const groups = groupsOf(context)
  const input = new WindowInput({
    clock: endless,
    latenessMs: 0,
    partitions: context.lanes,
    groupWidth: groups.ids.length,
    groupIds: groups.ids,
  })
  const { table } = input
  const places: CellPlaces = {
    get cellGroup() {
      return table.cellGroup
    },
    get cellSlot() {
      return table.cellSlot
    },
    get slotPane() {
      return table.slotPane
    },
  }
  const { states, sources } = statesOf(
    context,
    places,
    null,
    keyOfPlace(context.node.groups, groups.columns, input.groups, (cell) => table.cellGroup[cell]!),
  )
  input.states = states
  const rows = new WindowRows(sources, groups.columns, states, input.groups, context.out, null)
  return new PaneWindows(input, rows, 0, groups.names)
}

/** Rows that may be replaced are kept by their key, and groups that changed computed anew of those they hold. */
function overChanges(context: OperatorContext<RunningNode>): WindowOperator {
  const input = context.inputs[0]!
  const { changelog } = input
  if (changelog.mode !== 'upsert')
    throw new PlanError(
      context.plan.name,
      context.node.id,
      'the rows before it have no key',
      'Keep the key columns in them',
    )
  const kept = new KeyedRows(input, changelog.key, context.lanes)
  const grouped = groupsOf(context)
  const groups = new Groups(grouped.ids.length)
  const slots = new OwnSlots()
  slots.grow(1)
  const at = (name: string): number => input.columns.findIndex((column) => column.name === name)
  const { states, sources } = statesOf(context, slots, at, () => 'a group')
  for (const state of states) state.grow(1, 0, 0)
  return new ChangingWindows(
    kept,
    groups,
    states,
    new WindowRows(sources, grouped.columns, states, groups, context.out, null),
    {
      clock: endless,
      firstPaneOf: (last) => last,
      lastWindowOf: (pane) => pane,
      newestOnly: false,
      reachMs: Number.POSITIVE_INFINITY,
      lanes: context.lanes,
      groupIds: grouped.ids,
      groupColumns: grouped.names,
      keyColumns: changelog.key.map(at),
    },
  )
}
