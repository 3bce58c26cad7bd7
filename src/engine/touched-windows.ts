// Which windows of a Plan's result a record of some time belongs to: those that are wrong while the record is left out.
// Followed through the graph as a span of times; exact for windows over records, never too small elsewhere.
import type { Plan, PlanNode, Window } from '../query/plan.ts'
import { calendarPanes, fixedPanes, type PaneClock } from './pane-clock.ts'

export interface WindowSpan {
  /** Start of the first window, end of the last: every window between the two that holds the record lies in it. */
  readonly fromMs: number
  readonly toMs: number
}
/** Times of rows, both included, and the windows they are of. */
interface Span {
  readonly firstMs: number
  readonly lastMs: number
  readonly windows: WindowSpan | null
}

/** Null: the result has no windows, or which they are depends on other records (sessions, decayed sums). */
export function touchedWindows(plan: Plan, topic: string, timeMs: number): WindowSpan | null {
  const spans = new Map<string, Span>()
  for (const node of plan.nodes) {
    const span = spanAfter(node, topic, timeMs, (input) => spans.get(node.inputs[input] ?? '') ?? null)
    if (span === 'unknown') return null
    if (span !== null) spans.set(node.id, span)
  }
  const windows = spans.get(plan.nodes.at(-1)?.id ?? '')?.windows ?? null
  return windows !== null && Number.isFinite(windows.fromMs) && Number.isFinite(windows.toMs) ? windows : null
}

function spanAfter(
  node: PlanNode,
  topic: string,
  timeMs: number,
  input: (index: number) => Span | null,
): Span | null | 'unknown' {
  switch (node.kind) {
    case 'source':
      return node.topic === topic ? { firstMs: timeMs, lastMs: timeMs, windows: null } : null
    case 'window-aggregate': {
      const before = input(0)
      if (before === null) return null
      const windows = windowsOf(node.window, before)
      return windows === null ? 'unknown' : windows
    }
    case 'join': {
      const [left, right] = [input(0), input(1)]
      const reached =
        right === null || node.how === 'window'
          ? right
          : {
              windows: null,
              firstMs: right.firstMs - (node.how === 'interval' ? node.afterMs : 0),
              lastMs:
                node.how === 'latest' && node.beforeMs === 0 ? Number.POSITIVE_INFINITY : right.lastMs + node.beforeMs,
            }
      return union(left, reached)
    }
    case 'over': {
      const before = input(0)
      return before && { ...before, windows: null, lastMs: before.lastMs + node.rangeMs }
    }
    case 'running-aggregate':
    case 'decayed-sum':
    case 'pattern':
      return input(0) === null ? null : 'unknown'
    // By the order of the log: which rows another row of the table would have changed is not told by times.
    case 'lookup':
      return 'compacted' in node.table && input(1) !== null ? 'unknown' : input(0)
    case 'union':
      return union(input(0), input(1))
    default:
      return input(0)
  }
}
function union(one: Span | null, other: Span | null): Span | null {
  if (one === null || other === null) return one ?? other
  const [a, b] = [one.windows, other.windows]
  return {
    firstMs: Math.min(one.firstMs, other.firstMs),
    lastMs: Math.max(one.lastMs, other.lastMs),
    windows:
      a === null || b === null ? (a ?? b) : { fromMs: Math.min(a.fromMs, b.fromMs), toMs: Math.max(a.toMs, b.toMs) },
  }
}

/** The event time of a window's row is its last instant. */
function windowsOf(window: Window, { firstMs, lastMs }: Span): Span | null {
  const spanning = (clock: PaneClock, firstEnds: (startMs: number) => number): Span => {
    const fromMs = clock.startOf(clock.paneOf(firstMs))
    const toMs = clock.startOf(clock.paneOf(lastMs) + 1)
    return { firstMs: firstEnds(fromMs) - 1, lastMs: toMs - 1, windows: { fromMs, toMs } }
  }
  switch (window.kind) {
    case 'tumbling':
      return spanning(fixedPanes(window.sizeMs), (start) => start + window.sizeMs)
    case 'cumulative':
      return spanning(fixedPanes(window.sizeMs), (start) => start + window.stepMs)
    case 'calendar': {
      const clock = calendarPanes(window.unit, window.zone)
      return spanning(clock, (start) => clock.startOf(clock.paneOf(start) + 1))
    }
    case 'hopping': {
      const { sizeMs, slideMs } = window
      const first = Math.floor((firstMs - sizeMs) / slideMs) * slideMs + slideMs
      const last = Math.floor(lastMs / slideMs) * slideMs
      return {
        firstMs: first + sizeMs - 1,
        lastMs: last + sizeMs - 1,
        windows: { fromMs: first, toMs: last + sizeMs },
      }
    }
    default:
      return null
  }
}
