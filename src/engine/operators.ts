// Which operator runs a node of a Plan: the one list of them.
import type { Plan, PlanNode } from '../query/plan.ts'
import { PlanError } from '../query/plan.ts'
import { lowerDecayedSum } from './decayed-sum.ts'
import type { TopNode, WindowNode } from './lower.ts'
import type { Operator, OperatorContext, Place } from './operator.ts'
import { lowerOver } from './over-aggregate.ts'
import { type LoweredView, lowerFreshLookup, lowerUnion, type ViewParts } from './row-views.ts'
import { lowerRunning } from './running-aggregate.ts'
import { lowerStreamJoin } from './stream-joins.ts'
import { lowerTop } from './top-operator.ts'
import { lowerUnnest } from './unnest.ts'
import { lowerWindowJoin } from './window-join.ts'
import { WindowRunner } from './window-runner.ts'
import { lowerChangingWindow, lowerWindow, type WindowParts, windowTexts } from './window-shape.ts'

export interface LoweredOperator {
  readonly operator: Operator
  /** The dictionaries of its text columns, in the order of its node's columns; null for others. */
  readonly texts: readonly Place['dictionary'][]
  /** Its rows have weights and may be replaced. */
  readonly updates: boolean
  /** How far behind its watermark it may still give out or change rows. */
  readonly reachMs: number
}

/** A node whose rows are those of its inputs with other columns. */
export function lowerView(parts: ViewParts): LoweredView {
  const { node, plan } = parts
  noLists(plan, node)
  switch (node.kind) {
    case 'union':
      return lowerUnion(parts)
    case 'lookup':
      return lowerFreshLookup({ ...parts, node })
    case 'unnest':
      return lowerUnnest({ ...parts, node })
    default:
      throw notHere(plan, node)
  }
}
/** What keeps rows keeps plain values. */
function noLists(plan: Plan, node: PlanNode): void {
  const list = node.columns.find(({ type }) => type.kind === 'array' || type.kind === 'struct')
  if (list !== undefined)
    throw new PlanError(
      plan.name,
      node.id,
      `the ${list.type.kind} '${list.name}' does not go through a '${node.kind}' here`,
      'Unnest it before, or leave it out with `select`',
    )
}
function notHere(plan: Plan, node: PlanNode): PlanError {
  const cure = 'Leave it out, or run the plan on another engine'
  return new PlanError(plan.name, node.id, `operator '${node.kind}' does not run in this engine yet`, cure)
}

/** `top`: one that the window chooses itself. */
export function lowerOperator(context: OperatorContext, top: TopNode | null): LoweredOperator {
  const { node, plan } = context
  noLists(plan, node)
  switch (node.kind) {
    case 'window-aggregate':
      return lowerWindowNode({ ...context, node }, top)
    case 'running-aggregate':
      return lowerRunning({ ...context, node })
    case 'over':
      return lowerOver({ ...context, node })
    case 'decayed-sum':
      return lowerDecayedSum({ ...context, node })
    case 'top':
      return lowerTop({ ...context, node })
    case 'join':
      return node.how === 'window' ? lowerWindowJoin({ ...context, node }) : lowerStreamJoin({ ...context, node })
    default:
      throw notHere(plan, node)
  }
}

function lowerWindowNode(context: OperatorContext<WindowNode>, top: TopNode | null): LoweredOperator {
  const { plan, node, lanes, latenessMs, out, numbers } = context
  const input = context.inputs[0]!
  const parts: WindowParts = {
    plan,
    node,
    top,
    columns: input.columns,
    placeOf: input.placeOf,
    partitions: lanes,
    // Rows of another operator may lie as far behind its watermark as it says.
    latenessMs: input.fromRecords ? latenessMs : Math.max(latenessMs, input.reachMs),
    results: out,
    numbers,
  }
  const texts = windowTexts(parts)
  const isSession = node.window.kind === 'session'
  const gapMs = node.window.kind === 'session' ? node.window.gapMs : 0
  if (input.updates) {
    if (input.changelog.mode !== 'upsert' || node.time === null)
      throw new PlanError(plan.name, node.id, 'the rows before it have no key', 'Keep the key columns in them')
    const window = lowerChangingWindow(parts, input, input.changelog.key)
    return { operator: new WindowRunner(window, context.tooLate), texts, updates: true, reachMs: input.reachMs }
  }
  const updates = plan.emit.mode !== 'on-close' || latenessMs > 0 || isSession
  // A record in time may still join a session that closed up to one gap ago.
  return {
    operator: new WindowRunner(lowerWindow(parts), context.tooLate),
    texts,
    updates,
    reachMs: input.reachMs + gapMs,
  }
}
