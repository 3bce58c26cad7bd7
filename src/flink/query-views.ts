// What the SQL of every node of a Plan needs: names of views and of columns that are ours, the statements so far.
import type { Column, OperatorId, Plan, PlanNode } from '../query/plan.ts'
import { PlanError } from '../query/plan.ts'
import { name } from './sql-text.ts'

export interface FlinkQuery {
  readonly plan: Plan
  readonly brokers: string
  readonly ddl: string[]
  /** No column begins with it. */
  readonly prefix: string
  /** Quoted column of the event time, a time attribute where the rows have one. */
  readonly at: string
  /**
   * Quoted columns of text that sorts like event time, partition and offset, and like their opposite; null where no node
   * picks a record by time.
   */
  readonly order: { readonly rising: string; readonly falling: string } | null
  /** Quoted column of the machine's time, for what forgets by it; null where nothing does. */
  readonly seen: string | null
}

/** The rows of a node: its columns held (`heldAs`) under their own names, and ours behind them. */
export interface FlinkRows {
  readonly view: string
  readonly node: PlanNode
  /** Quoted columns of ours that it has; the event time only where it is a time attribute. */
  readonly carried: readonly string[]
  /** Columns that are TIMESTAMP(3) in UTC: bounds of windows. */
  readonly bounds: ReadonlySet<string>
}

export function flinkQuery(plan: Plan, brokers: string): FlinkQuery {
  const taken = [
    ...Object.values(plan.contracts).flatMap(({ fields }) =>
      Object.entries(fields).flatMap(([field, { aliases = [] }]) => [field, ...aliases]),
    ),
    ...plan.nodes.flatMap((node) => node.columns.map((column) => column.name)),
  ]
  let prefix = '_'
  while (taken.some((column) => column.startsWith(prefix))) prefix += '_'
  const picks = plan.nodes.some(
    (node) =>
      'aggregates' in node &&
      node.aggregates.some(({ aggregate }) => ['first', 'last', 'argmax'].includes(aggregate.function)),
  )
  return {
    plan,
    brokers,
    ddl: [],
    prefix,
    at: name(`${prefix}at`),
    order: picks ? { rising: name(`${prefix}order`), falling: name(`${prefix}reverse`) } : null,
    seen: plan.nodes.some((node) => node.kind === 'deduplicate') ? name(`${prefix}seen`) : null,
  }
}

export function refuse(query: FlinkQuery, node: PlanNode, what: string, cure: string): never {
  throw new PlanError(query.plan.name, node.id, what, cure)
}

/** Adds the view of a node; `select` has its columns and `carried`. */
export function addView(query: FlinkQuery, node: PlanNode, select: string, rows: Partial<FlinkRows>): FlinkRows {
  const steps: readonly PlanNode[] = query.plan.nodes.filter((one) => one.kind !== 'source')
  const view = `${query.plan.name}-step-${steps.indexOf(node) + 1}`
  query.ddl.push(`CREATE TEMPORARY VIEW ${name(view)} AS\n${select}`)
  return { view, node, carried: [], bounds: new Set(), ...rows }
}

export function inputsOf(
  query: FlinkQuery,
  node: PlanNode,
  made: ReadonlyMap<OperatorId, FlinkRows>,
  count: number,
): FlinkRows[] {
  if (node.inputs.length !== count)
    refuse(query, node, `'${node.kind}' has ${node.inputs.length} inputs`, `Give it ${count}`)
  return node.inputs.map(
    (id) => made.get(id) ?? refuse(query, node, `its input ${id} does not come before it`, 'Build plans with `from`'),
  )
}

/** Windows, joins and ranges need rows whose time is still an attribute. */
export function timed(query: FlinkQuery, node: PlanNode, rows: FlinkRows): FlinkRows {
  if (rows.carried.includes(query.at)) return rows
  return refuse(
    query,
    node,
    `'${node.kind}' needs event time, and the rows of '${rows.node.kind}' have none in Flink`,
    'Run the plan in the engine',
  )
}

export function columnsOf({ columns }: { readonly columns: readonly Column[] }): string[] {
  return columns.map((column) => name(column.name))
}
export const within = (select: string): string => `(\n  ${select.replaceAll('\n', '\n  ')})`
