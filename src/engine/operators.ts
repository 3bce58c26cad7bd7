// Which operator runs a node of a Plan: the one list of them.
import { PlanError } from '../query/plan.ts'
import { lowerDecayedSum } from './decayed-sum.ts'
import type { TopNode, WindowNode } from './lower.ts'
import type { Operator, OperatorContext, Place } from './operator.ts'
import { lowerOver } from './over-aggregate.ts'
import { lowerRunning } from './running-aggregate.ts'
import { lowerTop } from './top-operator.ts'
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

/** `top`: one that the window chooses itself. */
export function lowerOperator(context: OperatorContext, top: TopNode | null): LoweredOperator {
  const { node, plan } = context
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
    default:
      throw new PlanError(
        plan.name,
        node.id,
        `operator '${node.kind}' does not run in this engine yet`,
        'Leave it out, or run the plan on another engine',
      )
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
    latenessMs,
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
