// From the steps of a query to its Plan: a graph of drafts becomes a list of nodes, inputs before their users; unused
// source columns are dropped, operators get their ids and traits, all is frozen.
import type { Contract } from './contract.ts'
import { type Canonical, fingerprint } from './fingerprint.ts'
import type { Changelog, Column, Emit, NodeBody, Output, Plan, PlanNode } from './plan.ts'
import { PlanError } from './plan.ts'
import { columnsKept } from './pruning.ts'

/** A node before it has an id: what it does to which inputs. Shared by the queries that go on from it, never changed. */
export interface Draft {
  readonly body: NodeBody
  readonly inputs: readonly Draft[]
  /** All it could put out: those nobody uses are dropped at the end. */
  readonly columns: readonly Column[]
  readonly changelog: Changelog
  readonly time: string | null
  /** Of a source. */
  readonly contract: Contract | null
}
export interface PlanSettings {
  readonly emit?: Emit
  readonly latenessMs?: number
  readonly output?: Partial<Output>
}

export function finishPlan(name: string, draft: Draft, settings: PlanSettings): Plan {
  if (!/^[a-z][a-z0-9-]{0,99}$/.test(name))
    throw new PlanError(name, 'name', 'not a plan name', 'Use small letters, digits and hyphens, at most 100')
  const drafts = inOrder(draft)
  const kept = columnsKept(drafts)
  const ids = new Map<Draft, string>()
  const nodes: PlanNode[] = []
  const contracts: { [topic: string]: Contract } = {}
  for (const one of drafts) {
    const { contract } = one
    if (contract !== null) {
      const other = contracts[contract.topic]
      if (other !== undefined && JSON.stringify(other) !== JSON.stringify(contract))
        throw new PlanError(name, `topic '${contract.topic}'`, 'it comes with two contracts', 'Use one contract')
      contracts[contract.topic] = contract
    }
    const made = node(
      one,
      one.inputs.map((input) => ids.get(input) ?? ''),
      kept.get(one) ?? new Set(),
    )
    ids.set(one, made.id)
    // Two equal sub-queries are one node.
    if (!nodes.some(({ id }) => id === made.id)) nodes.push(made)
  }
  checkOutput(name, drafts.at(-1), settings.output)
  return freeze({
    version: 1,
    name,
    contracts,
    nodes,
    emit: settings.emit ?? { mode: 'on-close' },
    latenessMs: settings.latenessMs ?? 0,
    output: { topic: null, times: 'iso-seconds', finalColumn: null, ...settings.output },
  })
}

/** A key is said only where rows append, for what replaces something has the key it is replaced by. */
function checkOutput(name: string, result: Draft | undefined, output: Partial<Output> = {}): void {
  const { key, writtenAtColumn } = output
  const columns = result?.columns ?? []
  if (key !== undefined && result?.changelog.mode !== 'append')
    throw new PlanError(name, 'output', `its rows replace each other, so their key is not '${key}'`, 'Leave `key` out')
  if (key !== undefined && !columns.some((one) => one.name === key && one.type.kind === 'string'))
    throw new PlanError(name, 'output', `there is no text column '${key}' to be the key`, 'Name a text column')
  if (writtenAtColumn !== undefined && columns.some((one) => one.name === writtenAtColumn))
    throw new PlanError(
      name,
      'output',
      `there is a column '${writtenAtColumn}' already`,
      'Name the time of writing otherwise',
    )
}

/** Inputs before their users, each once. */
function inOrder(result: Draft): Draft[] {
  const order: Draft[] = []
  const seen = new Set<Draft>()
  const visit = (draft: Draft): void => {
    if (seen.has(draft)) return
    seen.add(draft)
    for (const input of draft.inputs) visit(input)
    order.push(draft)
  }
  visit(result)
  return order
}

function node(
  { body, columns: all, changelog, time, inputs: before }: Draft,
  inputs: string[],
  kept: ReadonlySet<string>,
): PlanNode {
  const columns = all.filter((column) => kept.has(column.name))
  const traits = {
    inputs,
    columns,
    changelog,
    time: columns.some((column) => column.name === time) ? time : null,
    order: orderOf(body),
    merges: mergesOf(body),
    evidence: evidenceOf(body, before),
  } as const
  // Types are plain data; the contract's prose and the plan's name are not part of what an operator does.
  const id = fingerprint({ body, ...traits } as unknown as Canonical)
  return { id, ...traits, ...body }
}

/** Which copy of an identity came first, or which row of a table was there, is told by one order over all partitions. */
function orderOf(body: NodeBody): PlanNode['order'] {
  if (body.kind === 'window-aggregate' || body.kind === 'over' || body.kind === 'decayed-sum') return 'partition'
  if (body.kind === 'deduplicate') return 'total'
  return body.kind === 'lookup' && 'compacted' in body.table ? 'total' : 'none'
}
/** The top of a part of the records says nothing about the top of all; half of a join finds half of its pairs. */
function mergesOf(body: NodeBody): boolean {
  switch (body.kind) {
    case 'deduplicate':
    case 'top':
    case 'join':
    case 'over':
    case 'decayed-sum':
      return false
    case 'lookup':
      return !('compacted' in body.table)
    default:
      return true
  }
}
function evidenceOf(body: NodeBody, inputs: readonly Draft[]): PlanNode['evidence'] {
  const { kind } = body
  if (kind === 'window-aggregate' || kind === 'top' || kind === 'running-aggregate') return 'partition-and-pane'
  if (kind === 'over' || kind === 'decayed-sum') return 'partition-and-pane'
  return inputs.some((input) => evidenceOf(input.body, input.inputs) === 'partition-and-pane')
    ? 'partition-and-pane'
    : 'record'
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) freeze(inner)
  }
  return value
}
