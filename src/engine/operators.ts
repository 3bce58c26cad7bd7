// Which operator runs a node of a Plan: the one list of them.
import { PlanError } from '../query/plan.ts'
import type { Batch } from './columns.ts'
import type { TopNode, WindowNode } from './lower.ts'
import type { Operator, OperatorContext, Place } from './operator.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'
import { lowerTop } from './top-operator.ts'
import type { TooLate } from './window-input.ts'
import type { WindowOperator } from './window-operator.ts'
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

/** A window as an operator of the graph: it has one input, and its rows keep up with its watermark. */
class WindowRunner implements Operator {
  readonly #window: WindowOperator
  readonly #tooLate: TooLate
  constructor(window: WindowOperator, tooLate: TooLate) {
    this.#window = window
    this.#tooLate = tooLate
  }
  push(_input: number, batch: Batch, rows: Int32Array, count: number): void {
    this.#window.push(batch, rows, count, this.#tooLate)
  }
  advance(watermarkMs: number): number {
    this.#window.advance(watermarkMs)
    return watermarkMs
  }
  tick(running: boolean): void {
    this.#window.tick(running)
  }
  write(out: StateWriter): void {
    this.#window.write(out)
  }
  restore(from: StateReader): void {
    this.#window.restore(from)
  }
  mark(dictionary: string, live: Uint8Array): void {
    this.#window.mark(dictionary, live)
  }
  bytes(): number {
    return this.#window.bytes()
  }
}
