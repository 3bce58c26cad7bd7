// Lowers a Plan to what runs it: checks that this engine has every operator, gives columns their slots, and chains the
// steps. What it does not run is refused by name, with the cure.
import type { Column, Plan, PlanNode } from '../query/plan.ts'
import { PlanError } from '../query/plan.ts'
import { assert, unreachable } from '../std/assert.ts'
import type { Projection } from './decoder.ts'
import { isTextKind } from './results.ts'

/** The nodes of a Plan in order, source first: what the runner needs to know of its form. */
export interface Lowered {
  readonly plan: Plan
  readonly topic: string
  readonly source: PlanNode & { readonly kind: 'source' }
  readonly steps: readonly Step[]
  readonly window: (PlanNode & { readonly kind: 'window-aggregate' }) | null
  readonly top: (PlanNode & { readonly kind: 'top' }) | null
  /** Columns before the window, or the result's. */
  readonly columns: readonly Column[]
  readonly projections: readonly Projection[]
}
export type Step = PlanNode & { readonly kind: 'project' | 'filter' | 'lookup' | 'deduplicate' }

export function lowerPlan(plan: Plan): Lowered {
  const refuse = (at: string, what: string, cure: string): never => {
    throw new PlanError(plan.name, at, what, cure)
  }
  if (plan.version !== 1)
    refuse('version', `version ${String(plan.version)} is not known here`, 'Use this release of Millrace to build it')
  const [source, ...rest] = plan.nodes
  if (source?.kind !== 'source') return refuse('nodes', 'the first node is no source', 'Build plans with `from`')
  if (plan.contracts[source.topic] === undefined)
    refuse(source.id, `no contract for topic '${source.topic}'`, 'Build plans with `from`')
  const steps: Step[] = []
  let window: Lowered['window'] = null
  let top: Lowered['top'] = null
  let before: PlanNode = source
  for (const node of rest) {
    if (window !== null && !(node.kind === 'top' && top === null && node.inputs[0] === window.id))
      refuse(
        node.id,
        `'${node.kind}' after a window does not run in this engine yet`,
        'Compute it where the rows are read',
      )
    if (node.inputs.length !== 1 || node.inputs[0] !== before.id)
      refuse(
        node.id,
        `'${node.kind}' does not follow the node before it`,
        'Only chains from one source run in this engine yet',
      )
    switch (node.kind) {
      case 'project':
      case 'filter':
      case 'lookup':
      case 'deduplicate':
        steps.push(node)
        break
      case 'window-aggregate':
        window = node
        break
      case 'top':
        if (window === null || window.window.kind === 'session')
          return refuse(
            node.id,
            window === null
              ? "'top' without a window does not run in this engine yet"
              : "'top' of sessions is one row each: they are windows of their own",
            'Put it after a tumbling, hopping, cumulative or calendar window',
          )
        top = node
        break
      case 'source':
      case 'unnest':
      case 'union':
      case 'running-aggregate':
      case 'over':
      case 'join':
      case 'decayed-sum':
      case 'pattern':
        refuse(
          node.id,
          `operator '${node.kind}' does not run in this engine yet`,
          'Leave it out, or run the plan on another engine',
        )
        break
      default:
        unreachable(node)
    }
    before = node
  }
  if (window === null && plan.emit.mode !== 'on-close')
    refuse('emit', 'a plan without a window has no running rows', 'Leave `emit` out: every row comes out once')
  const last = window === null ? before : plan.nodes.find((node) => node.id === window?.inputs[0])
  assert(last !== undefined, 'a window follows a node')
  return {
    plan,
    topic: source.topic,
    source,
    steps,
    window,
    top,
    columns: last.columns,
    projections: projectionsOf(source, steps, window),
  }
}

/** Text is wanted by id wherever a step looks at it; what only passes through, or is an identity, stays text. */
function projectionsOf(source: PlanNode, steps: readonly Step[], window: Lowered['window']): Projection[] {
  const looked = new Set<string>(window?.groups)
  columnNames(window?.aggregates, looked)
  for (const step of steps) {
    if (step.kind === 'lookup') looked.add(step.by)
    else if (step.kind === 'filter') columnNames(step.condition, looked)
    else if (step.kind === 'project')
      for (const { name, value } of step.derive)
        if (!(value.op === 'column' && value.name === name)) columnNames(value, looked)
  }
  return source.columns.map(({ name, type }): Projection => {
    if (!isTextKind(type.kind)) return { name, as: 'number' }
    return { name, as: looked.has(name) ? 'id' : 'text' }
  })
}

/** Any object of the tree that names a column. */
function columnNames(tree: unknown, into: Set<string>): void {
  if (typeof tree !== 'object' || tree === null) return
  if ('op' in tree && tree.op === 'column' && 'name' in tree && typeof tree.name === 'string') into.add(tree.name)
  for (const inner of Object.values(tree)) columnNames(inner, into)
}
