// What the SQL of every node of a Plan needs: the WITH it adds its part to, and names of columns that are ours.
import type { OperatorId, Plan, PlanNode } from '../../query/plan.ts'
import { PlanError } from '../../query/plan.ts'
import { freePrefix, Parts } from './sql-text.ts'

export interface QueryParts {
  readonly plan: Plan
  readonly parts: Parts
  /** No column begins with it. */
  readonly prefix: string
  /** Column of the event time in ms. */
  readonly at: string
  /** Column of the place of a row in the order it was read in; null where no node asks for it. */
  readonly place: string | null
  /** Column of the newest event time read so far; null where no node asks for it. */
  readonly clock: string | null
}

/** The rows of a node: its columns held (`heldAs`), under their own names, and ours behind them. */
export interface NodeRows {
  /** Name of the part. */
  readonly part: string
  readonly node: PlanNode
  /** Columns of ours that the part has. */
  readonly carried: readonly string[]
}

export function queryParts(plan: Plan): QueryParts {
  const prefix = freePrefix([
    ...Object.values(plan.contracts).flatMap((contract) => Object.keys(contract.fields)),
    ...plan.nodes.flatMap((node) => node.columns.map((column) => column.name)),
  ])
  return {
    plan,
    parts: new Parts(),
    prefix,
    at: `${prefix}at`,
    place: plan.nodes.some(asksForPlace) ? `${prefix}place` : null,
    clock: plan.nodes.some((node) => node.kind === 'deduplicate') ? `${prefix}clock` : null,
  }
}

/** Does what the node gives depend on which of two records of one time came first? */
function asksForPlace(node: PlanNode): boolean {
  switch (node.kind) {
    case 'deduplicate':
    case 'join':
      return true
    case 'window-aggregate':
    case 'running-aggregate':
    case 'over':
      return node.aggregates.some(({ aggregate }) => ['first', 'last', 'argmax'].includes(aggregate.function))
    default:
      return false
  }
}

export function only(query: QueryParts, node: PlanNode, inputs: readonly NodeRows[]): NodeRows {
  const [input] = inputs
  if (input === undefined || inputs.length !== 1)
    throw new PlanError(query.plan.name, node.id, `'${node.kind}' has ${inputs.length} inputs`, 'Give it one')
  return input
}

export function inputsOf(query: QueryParts, node: PlanNode, made: ReadonlyMap<OperatorId, NodeRows>): NodeRows[] {
  return node.inputs.map((id) => {
    const input = made.get(id)
    if (input !== undefined) return input
    throw new PlanError(query.plan.name, node.id, `its input ${id} does not come before it`, 'Build plans with `from`')
  })
}
