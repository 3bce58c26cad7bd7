// What is said when a job's state outgrows its limit: who holds it, and what would make it smaller.
import type { NodeKind, Plan, PlanNode } from '../query/plan.ts'
import type { OperatorLine } from './engine.ts'

/** State grew beyond `stateBytesMax`. The job cannot go on: nothing was dropped silently. */
export class StateLimitError extends Error {
  override name = 'StateLimitError'
}

export interface PlanBytes {
  readonly plan: Plan
  readonly bytes: number
  readonly operators: readonly OperatorLine[]
}

export function stateLimitError(bytes: number, bytesMax: number, plans: readonly PlanBytes[]): StateLimitError {
  const largest = plans.reduce((a, b) => (a.bytes >= b.bytes ? a : b))
  const operator = largest.operators.reduce<OperatorLine | null>(
    (most, line) => (most === null || line.stateBytes > most.stateBytes ? line : most),
    null,
  )
  const node = largest.plan.nodes.find(({ id }) => id === operator?.operator) ?? null
  const where = operator === null || node === null ? '' : `, ${operator.stateBytes} of it in its '${node.kind}'`
  const cure = node === null ? 'Group by fewer keys' : cureOf(node)
  return new StateLimitError(
    `the job's state of ${bytes} bytes is over its limit of ${bytesMax}; plan '${largest.plan.name}' holds ${largest.bytes}${where}. ${cure}, or raise stateBytesMax`,
  )
}

const cures: Partial<Record<NodeKind, string>> = {
  'window-aggregate': 'Shorten its window or lateness, group by fewer keys',
  'running-aggregate': 'Group by fewer keys, or by windows that close',
  over: 'Shorten its range or lateness, use fewer keys',
  'decayed-sum': 'Shorten its half-life: a key is let go after 64 of them',
  top: 'Rank within windows, so that parts close',
  lookup: 'Look up in a topic with fewer keys: every key that ever came is kept',
}
function cureOf(node: PlanNode): string {
  if (node.kind !== 'join') return cures[node.kind] ?? 'Shorten windows, ranges and lateness, use fewer keys'
  return node.how === 'latest' && node.beforeMs === 0
    ? 'Give the `latest` join a `withinMs`: without it the newest row of every key is kept for ever'
    : 'Join within a shorter time, lessen the lateness'
}
