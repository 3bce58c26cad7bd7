// A Plan over some of its windows only: what recomputes windows that a late record made wrong, on any engine. A door of
// `query/`.
import type { FieldType } from './contract.ts'
import type { Expression, Plan, PlanNode } from './plan.ts'

/** Of event time: from the start of the first window to the end of the last. */
export interface WindowRange {
  readonly fromMs: number
  readonly toMs: number
}

/**
 * The Plan over the records that windows inside the range need, so windows at its edges may lack some: take rows whose
 * window lies in the range. Null where that cannot be told by times alone.
 */
export function restrictedTo(plan: Plan, range: WindowRange): Plan | null {
  /** By node: the times of its rows that are needed. */
  const needs = new Map<string, WindowRange>()
  const need = (id: string, { fromMs, toMs }: WindowRange): void => {
    const known = needs.get(id)
    needs.set(id, {
      fromMs: Math.min(fromMs, known?.fromMs ?? fromMs),
      toMs: Math.max(toMs, known?.toMs ?? toMs),
    })
  }
  const result = plan.nodes.at(-1)
  if (result === undefined) return null
  need(result.id, range)
  for (const node of [...plan.nodes].reverse()) {
    const wanted = needs.get(node.id)
    if (wanted === undefined) continue
    const inputs = neededBefore(node, wanted)
    if (inputs === null) return null
    node.inputs.forEach((id, index) => {
      need(id, inputs[index] ?? wanted)
    })
  }
  const renamed = new Map<string, string>()
  const nodes = plan.nodes.flatMap((node): PlanNode[] => {
    const made = { ...node, inputs: node.inputs.map((id) => renamed.get(id) ?? id) }
    const wanted = needs.get(node.id)
    if (node.kind !== 'source' || wanted === undefined) return [made]
    const id = `${node.id}~`
    renamed.set(node.id, id)
    const { columns, changelog, time, order, merges, evidence } = node
    const traits = { columns, changelog, time, order, merges, evidence }
    return [made, { id, inputs: [node.id], ...traits, kind: 'filter', condition: between(node.eventTime, wanted) }]
  })
  return { ...plan, nodes }
}

/** For rows of these times, those of its inputs. Null: it takes all that ever came. */
function neededBefore(node: PlanNode, { fromMs, toMs }: WindowRange): readonly WindowRange[] | null {
  switch (node.kind) {
    case 'window-aggregate': {
      const { window } = node
      switch (window.kind) {
        case 'tumbling':
        case 'cumulative':
        case 'hopping':
          return [{ fromMs: fromMs - window.sizeMs, toMs }]
        case 'calendar':
          return [{ fromMs: fromMs - longestMs[window.unit], toMs }]
        default:
          return null
      }
    }
    case 'join':
      if (node.how === 'window') return []
      if (node.how === 'latest')
        return node.beforeMs === 0
          ? null
          : [
              { fromMs, toMs },
              { fromMs: fromMs - node.beforeMs, toMs },
            ]
      return [
        { fromMs, toMs },
        { fromMs: fromMs - node.beforeMs, toMs: toMs + node.afterMs },
      ]
    case 'deduplicate':
      return [{ fromMs: fromMs - node.horizonMs, toMs }]
    case 'over':
      return [{ fromMs: fromMs - node.rangeMs, toMs }]
    case 'lookup':
      return 'compacted' in node.table ? null : []
    case 'running-aggregate':
    case 'decayed-sum':
    case 'pattern':
      return null
    default:
      return []
  }
}
const dayMs = 86_400_000
/** With an hour for zones whose clock jumps. */
const longestMs = { day: dayMs + 3_600_000, week: 7 * dayMs + 3_600_000, month: 31 * dayMs + 3_600_000 } as const

function between(name: string, { fromMs, toMs }: WindowRange): Expression {
  const type: FieldType = { kind: 'timestamp' }
  const time: Expression = { op: 'column', name, type }
  const at = (value: number): Expression => ({ op: 'literal', value, type })
  return {
    op: 'and',
    left: { op: 'compare', by: '>=', left: time, right: at(fromMs) },
    right: { op: 'compare', by: '<', left: time, right: at(toMs) },
  }
}
