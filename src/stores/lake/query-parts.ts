// What the SQL of every node of a Plan needs: the WITH it adds its part to, and names of columns that are ours.
import type { NamedAggregate, OperatorId, Plan, PlanNode } from '../../query/plan.ts'
import { PlanError } from '../../query/plan.ts'
import { freePrefix, name, Parts } from './sql-text.ts'

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
  if ('aggregates' in node) return picks(node.aggregates)
  return node.kind === 'deduplicate' || node.kind === 'join' || (node.kind === 'lookup' && 'compacted' in node.table)
}
const picks = (aggregates: readonly NamedAggregate[]): boolean =>
  aggregates.some(({ aggregate }) => ['first', 'last', 'argmax'].includes(aggregate.function))

/** The rows with their places, if the aggregates ask for them: rows of one time that were computed go by their key. */
export function placed(query: QueryParts, input: NodeRows, aggregates: readonly NamedAggregate[]): NodeRows {
  const { place, parts, at } = query
  if (place === null || input.carried.includes(place) || !picks(aggregates)) return input
  const { changelog } = input.node
  const keys = changelog.mode === 'upsert' ? changelog.key.map((key) => `${name(key)} NULLS FIRST`) : []
  const numbered = `row_number() OVER (ORDER BY ${[at, ...keys].join(', ')}) AS ${place}`
  const part = parts.add('in_order', `SELECT *, ${numbered}\nFROM ${input.part}`)
  return { ...input, part, carried: [...input.carried, place] }
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
