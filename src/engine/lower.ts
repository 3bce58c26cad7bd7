// Lowers a Plan to the form that the graph runs: checks that this engine has every operator and that the nodes hang
// together, tells who takes whose rows, and how each topic is to be decoded. What does not run is refused by name.
import type { FieldType } from '../query/contract.ts'
import type { NodeKind, Plan, PlanNode } from '../query/plan.ts'
import { PlanError } from '../query/plan.ts'
import { unreachable } from '../std/assert.ts'
import type { Projection } from './decoder.ts'
import { isTextKind } from './results.ts'

export type SourceNode = PlanNode & { readonly kind: 'source' }
/** Stateless but for what it must remember of keys; runs inside a chain. */
export type Step = PlanNode & { readonly kind: 'project' | 'filter' | 'lookup' | 'deduplicate' }
export type WindowNode = PlanNode & { readonly kind: 'window-aggregate' }
export type TopNode = PlanNode & { readonly kind: 'top' }

export interface Lowered {
  readonly plan: Plan
  /** In the order in which they first come. */
  readonly topics: readonly string[]
  readonly nodes: ReadonlyMap<string, PlanNode>
  /** Who takes a node's rows, by its id; the result's are taken by nobody. */
  readonly consumers: ReadonlyMap<string, readonly Consumer[]>
  /** A top that its window does itself, by the window's id. */
  readonly tops: ReadonlyMap<string, TopNode>
  readonly result: PlanNode
  readonly projections: ReadonlyMap<string, readonly Projection[]>
}
export interface Consumer {
  readonly node: PlanNode
  readonly input: number
}

export function lowerPlan(plan: Plan): Lowered {
  const refuse = (at: string, what: string, cure: string): never => {
    throw new PlanError(plan.name, at, what, cure)
  }
  if (plan.version !== 1)
    refuse('version', `version ${String(plan.version)} is not known here`, 'Use this release of Millrace to build it')
  const nodes = new Map<string, PlanNode>()
  const consumers = new Map<string, Consumer[]>()
  const topics: string[] = []
  for (const node of plan.nodes) {
    const wanted = inputsOf(node)
    if (wanted === null)
      return refuse(
        node.id,
        `operator '${node.kind}' does not run in this engine yet`,
        'Leave it out, or run the plan on another engine',
      )
    if (node.inputs.length !== wanted)
      refuse(node.id, `'${node.kind}' has ${node.inputs.length} inputs, not ${wanted}`, 'Build plans with `from`')
    node.inputs.forEach((id, input) => {
      if (!nodes.has(id)) refuse(node.id, `its input ${id} is no node before it`, 'Build plans with `from`')
      consumers.get(id)?.push({ node, input })
    })
    if (node.kind === 'source') {
      if (plan.contracts[node.topic] === undefined)
        refuse(node.id, `no contract for topic '${node.topic}'`, 'Build plans with `from`')
      if (!topics.includes(node.topic)) topics.push(node.topic)
    }
    if (nodes.has(node.id)) refuse(node.id, 'it is there twice', 'Build plans with `from`')
    nodes.set(node.id, node)
    consumers.set(node.id, [])
  }
  const result = plan.nodes[plan.nodes.length - 1]
  if (result === undefined || topics.length === 0)
    return refuse('nodes', 'there is no source', 'Build plans with `from`')
  for (const [id, taken] of consumers)
    if (taken.length === 0 && id !== result.id)
      refuse(id, `nothing takes the rows of this '${nodes.get(id)?.kind}'`, 'Leave it out')
  const tops = fusedTops(consumers, nodes)
  if (plan.emit.mode !== 'on-close' && !plan.nodes.some(({ kind }) => !isAppended(kind)))
    refuse('emit', 'a plan without a window has no running rows', 'Leave `emit` out: every row comes out once')
  return { plan, topics, nodes, consumers, tops, result, projections: projectionsOf(plan, topics) }
}

/** How many inputs an operator has; null: it does not run here. */
function inputsOf(node: PlanNode): number | null {
  switch (node.kind) {
    case 'source':
      return 0
    case 'project':
    case 'filter':
    case 'deduplicate':
    case 'window-aggregate':
    case 'running-aggregate':
    case 'over':
    case 'decayed-sum':
    case 'unnest':
    case 'top':
      return 1
    case 'lookup':
      return 'rows' in node.table ? 1 : 2
    case 'union':
    case 'join':
      return 2
    case 'pattern':
      return null
    default:
      return unreachable(node)
  }
}
/** Its rows are those of its inputs, each with its record: it runs as a `RowView`. */
export function isView(node: PlanNode): boolean {
  return node.kind === 'union' || node.kind === 'unnest' || (node.kind === 'lookup' && 'compacted' in node.table)
}
export function isStep(node: PlanNode): node is Step {
  return (
    node.kind === 'project' ||
    node.kind === 'filter' ||
    node.kind === 'deduplicate' ||
    (node.kind === 'lookup' && 'rows' in node.table)
  )
}
/** Operators whose rows come out once and stay, whatever the emit mode. */
function isAppended(kind: NodeKind): boolean {
  return kind !== 'window-aggregate' && kind !== 'running-aggregate' && kind !== 'top'
}

/** A top right behind a window (but sessions, each a window of its own) chooses among the window's groups, without a copy. */
function fusedTops(
  consumers: ReadonlyMap<string, readonly Consumer[]>,
  nodes: ReadonlyMap<string, PlanNode>,
): Map<string, TopNode> {
  const tops = new Map<string, TopNode>()
  for (const [id, taken] of consumers) {
    const window = nodes.get(id)
    const top = taken[0]?.node
    if (window?.kind !== 'window-aggregate' || window.window.kind === 'session') continue
    if (taken.length !== 1 || top?.kind !== 'top') continue
    const groups = ['window_start', 'window_end', ...window.groups]
    const wholeWindow = top.within.includes('window_start') && top.within.includes('window_end')
    if (wholeWindow && top.within.every((name) => groups.includes(name))) tops.set(id, top)
  }
  return tops
}

/** Text is wanted by id wherever something looks at it or keeps it; what only passes through, or is an identity, stays text. */
function projectionsOf(plan: Plan, topics: readonly string[]): Map<string, Projection[]> {
  const looked = new Set<string>()
  let keeps = false
  for (const node of plan.nodes) {
    switch (node.kind) {
      case 'source':
      case 'deduplicate':
      case 'unnest':
        break
      case 'lookup':
        looked.add(node.by)
        keeps ||= 'compacted' in node.table
        break
      case 'filter':
        columnNames(node.condition, looked)
        break
      case 'project':
        for (const { name, value } of node.derive)
          if (!(value.op === 'column' && value.name === name)) columnNames(value, looked)
        break
      case 'window-aggregate':
      case 'running-aggregate':
        for (const name of node.groups) looked.add(name)
        columnNames(node.aggregates, looked)
        break
      default:
        keeps = true
    }
  }
  const asOf = (name: string, type: FieldType): Projection['as'] =>
    !isTextKind(type.kind) ? 'number' : keeps || looked.has(name) ? 'id' : 'text'
  const projections = new Map<string, Projection[]>(topics.map((topic) => [topic, []]))
  for (const source of plan.nodes) {
    if (source.kind !== 'source') continue
    const into = projections.get(source.topic)
    for (const { name, type } of source.columns) {
      if (into?.some((one) => one.name === name) !== false) continue
      if (type.kind === 'array') into.push({ name, as: 'list', elements: elementsOf(plan, name, type.of, asOf) })
      else into.push({ name, as: asOf(name, type) })
    }
  }
  return projections
}

/** What the Plan wants of a list's elements. The list may have another name by then, so every `unnest` is asked. */
function elementsOf(
  plan: Plan,
  list: string,
  element: FieldType,
  asOf: (name: string, type: FieldType) => Projection['as'],
): Projection[] {
  const wanted = new Map<string, string>()
  for (const node of plan.nodes) {
    if (node.kind !== 'unnest') continue
    // A list of plain values gives one column under the list's name.
    if (element.kind !== 'struct') wanted.set('', node.array)
    else for (const { name } of node.columns) if (element.fields[name] !== undefined) wanted.set(name, name)
  }
  return [...wanted].map(([path, name]): Projection => {
    const type = element.kind === 'struct' ? element.fields[path]?.type : element
    if (type === undefined || type.kind === 'struct' || type.kind === 'array')
      throw new PlanError(
        plan.name,
        `column '${list}'`,
        `lists inside '${list}' do not run here`,
        'Use plain fields of it',
      )
    return { name: path, as: asOf(name, type) }
  })
}

/** Any object of the tree that names a column. */
function columnNames(tree: unknown, into: Set<string>): void {
  if (typeof tree !== 'object' || tree === null) return
  if ('op' in tree && tree.op === 'column' && 'name' in tree && typeof tree.name === 'string') into.add(tree.name)
  for (const inner of Object.values(tree)) columnNames(inner, into)
}
