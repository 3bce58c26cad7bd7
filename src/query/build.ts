// From the steps of a query to its Plan: unused source columns are dropped, operators get their ids and traits, all is frozen.
import type { Contract, Fields } from './contract.ts'
import { type Canonical, fingerprint } from './fingerprint.ts'
import type { Aggregation, Changelog, Column, Emit, Expression, NodeBody, Output, Plan, PlanNode } from './plan.ts'
import { PlanError, partsOf } from './plan.ts'

export interface Draft {
  readonly contract: Contract<Fields>
  readonly steps: readonly { readonly body: NodeBody; readonly columns: readonly Column[] }[]
  /** What the last step puts out. */
  readonly columns: readonly Column[]
}
export interface PlanSettings {
  readonly emit?: Emit
  readonly latenessMs?: number
  readonly output?: Partial<Output>
}

export function finishPlan(name: string, draft: Draft, settings: PlanSettings): Plan {
  if (!/^[a-z][a-z0-9-]{0,99}$/.test(name))
    throw new PlanError(name, 'name', 'not a plan name', 'Use small letters, digits and hyphens, at most 100')
  const { contract } = draft
  const nodes: PlanNode[] = []
  const source: NodeBody = {
    kind: 'source',
    topic: contract.topic,
    contractVersion: contract.version,
    eventTime: contract.eventTime,
    outOfOrderMs: contract.outOfOrderMs,
    idleTimeoutMs: contract.idleTimeoutMs,
    futureLimitMs: contract.futureLimitMs,
  }
  const used = usedColumns(draft)
  const sourceColumns = Object.entries(contract.fields)
    .filter(([column]) => used.has(column))
    .map(([column, field]) => ({ name: column, type: field.type, nullable: field.nullable }))
  let dropped = new Set(Object.keys(contract.fields).filter((column) => !used.has(column)))
  nodes.push(node(source, [], sourceColumns, contract.eventTime))
  for (const step of draft.steps) {
    const before = nodes[nodes.length - 1]
    if (!before) continue
    if (step.body.kind === 'project') {
      // A derived column of the same name is another column than the dropped one.
      const derived = step.body.derive.map((one) => one.name)
      dropped = new Set([...dropped].filter((column) => !derived.includes(column)))
    }
    const aggregated = step.body.kind === 'window-aggregate' || step.body.kind === 'top'
    const columns = step.columns.filter((column) => aggregated || !dropped.has(column.name))
    const keepsTime = step.body.kind !== 'window-aggregate' && columns.some((column) => column.name === before.time)
    const time = step.body.kind === 'window-aggregate' ? 'window_end' : keepsTime ? before.time : null
    nodes.push(node(step.body, [before.id], columns, time, before.changelog))
  }
  return freeze({
    version: 1,
    name,
    contracts: { [contract.topic]: contract },
    nodes,
    emit: settings.emit ?? { mode: 'on-close' },
    latenessMs: settings.latenessMs ?? 0,
    output: { topic: null, times: 'iso-seconds', finalColumn: null, ...settings.output },
  })
}

function node(
  body: NodeBody,
  inputs: readonly string[],
  columns: readonly Column[],
  time: string | null,
  before: Changelog = { mode: 'append' },
): PlanNode {
  const aggregates = body.kind === 'window-aggregate'
  // Which copy of an identity came first is told by one order over all partitions.
  const total = body.kind === 'deduplicate'
  const changelog: Changelog = aggregates
    ? { mode: 'upsert', key: ['window_start', 'window_end', ...body.groups] }
    : before
  const traits = {
    inputs,
    columns,
    changelog,
    time,
    order: aggregates ? 'partition' : total ? 'total' : 'none',
    // The top of a part of the records says nothing about the top of all.
    merges: !total && body.kind !== 'top',
    evidence: aggregates || body.kind === 'top' ? 'partition-and-pane' : 'record',
  } as const
  // Types are plain data; the contract's prose and the plan's name are not part of what an operator does.
  const id = fingerprint({ body, ...traits } as unknown as Canonical)
  return { id, ...traits, ...body }
}

/** Names of the source columns some step reads. Projections that keep nothing cut what comes before. */
function usedColumns(draft: Draft): ReadonlySet<string> {
  const last = draft.steps[draft.steps.length - 1]?.body
  const used = new Set<string>([draft.contract.eventTime])
  const cut = draft.steps.some(
    ({ body }) => body.kind === 'window-aggregate' || (body.kind === 'project' && body.keep === 'none'),
  )
  if (!cut) for (const column of draft.columns) used.add(column.name)
  if (last === undefined) return used
  for (const { body } of draft.steps) {
    switch (body.kind) {
      case 'project':
        for (const { value } of body.derive) columnsIn(value, used)
        break
      case 'filter':
        columnsIn(body.condition, used)
        break
      case 'lookup':
        used.add(body.by)
        break
      case 'deduplicate':
        for (const column of body.identity) used.add(column)
        break
      case 'top':
        break
      case 'window-aggregate':
        for (const group of body.groups) used.add(group)
        for (const { aggregate } of body.aggregates) columnsOfAggregate(aggregate, used)
        break
      default:
        throw new PlanError('', body.kind, 'the builder has no such step', 'Use the steps of query.ts')
    }
  }
  return used
}

export function columnsIn(expression: Expression, into: Set<string>): void {
  if (expression.op === 'column') into.add(expression.name)
  for (const part of partsOf(expression)) columnsIn(part, into)
}
function columnsOfAggregate(aggregate: Aggregation, into: Set<string>): void {
  if (aggregate.function === 'ratio') {
    columnsOfAggregate(aggregate.numerator, into)
    columnsOfAggregate(aggregate.denominator, into)
    return
  }
  if (aggregate.of) columnsIn(aggregate.of, into)
  if (aggregate.function === 'argmax') columnsIn(aggregate.by, into)
  if (aggregate.where) columnsIn(aggregate.where, into)
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) freeze(inner)
  }
  return value
}
