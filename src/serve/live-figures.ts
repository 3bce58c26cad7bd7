// The live tables of the first screen: the newest rows of the sales window and of its seconds, in memory, by time.
// The platform puts the engine's rows in, serving reads them out. A door of `serve/`.
import type { KpiRow, LivePort, LiveState, ProductRow, SalesEventRow, SecondRow } from './ports.ts'

export interface LiveFigures extends LivePort {
  /** Replaces the row with the same window end, or takes it in. */
  window(row: KpiRow): void
  /** Replaces the second, or takes it in. */
  second(row: SecondRow): void
  /** The best sellers of the newest window, rank 1 first. */
  products(rows: readonly ProductRow[]): void
  /** Replaces the event with the same id, or takes it in. */
  salesEvent(row: SalesEventRow): void
  /** Tells those who listen, once per batch of changes. */
  moved(progress: {
    readonly epoch: number
    readonly watermarkMs: number | null
    readonly eventTimeMaxMs: number | null
  }): void
}

export interface LiveFiguresSettings {
  readonly currency: string
  readonly scale: number
  readonly windowMs: number
  readonly slideMs: number
}

/** What the page asks for: 60 points of history, one size back for the comparison, five minutes of seconds. */
const secondsMax = 300
const historyShown = 60
const eventsMax = 50

export function liveFigures(settings: LiveFiguresSettings): LiveFigures {
  const { windowMs, slideMs } = settings
  // Two sizes back (see `previous`) plus the history shown.
  const windowsMax = 2 * Math.ceil(windowMs / slideMs) + historyShown
  const windows: KpiRow[] = []
  const seconds: SecondRow[] = []
  const listeners = new Set<() => void>()
  let salesEvents: readonly SalesEventRow[] = []
  let topProducts: readonly ProductRow[] | null = null
  let epoch = 0
  let watermarkMs: number | null = null
  let eventTimeMaxMs: number | null = null

  return {
    window: (row) => upsert(windows, row, (each) => each.windowEndMs, windowsMax),
    second: (row) => upsert(seconds, row, (each) => each.secondMs, secondsMax),
    products(rows) {
      topProducts = rows
    },
    salesEvent(row) {
      const rank = ({ status, sinceMs }: SalesEventRow): number => (status === 'firing' ? sinceMs : sinceMs - 2 ** 52)
      salesEvents = [row, ...salesEvents.filter(({ id }) => id !== row.id)]
        .sort((a, b) => rank(b) - rank(a))
        .slice(0, eventsMax)
    },
    moved(progress) {
      epoch = progress.epoch
      watermarkMs = progress.watermarkMs
      eventTimeMaxMs = progress.eventTimeMaxMs
      for (const listener of listeners) listener()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    snapshot(): LiveState {
      const current = windows.at(-1) ?? null
      const oldestEndMs = windows[0]?.windowEndMs ?? Number.POSITIVE_INFINITY
      const previousEndMs = current === null ? Number.NaN : current.windowEndMs - windowMs
      const before = windows[find(windows, previousEndMs, (row) => row.windowEndMs)]
      // Compared only with a window that data reach the start of: against a half-filled one every change looks huge.
      const isWhole = oldestEndMs <= previousEndMs - windowMs + slideMs
      return {
        epoch,
        ...settings,
        watermarkMs,
        eventTimeMaxMs,
        current,
        previous: isWhole && before?.windowEndMs === previousEndMs ? before : null,
        history: windows.slice(-historyShown),
        series: seconds,
        topProducts,
        salesEvents,
      }
    },
  }
}

/** Index of the first row whose time is at or after `time`. */
function find<Row>(rows: readonly Row[], time: number, timeOf: (row: Row) => number): number {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (timeOf(rows[middle]!) < time) low = middle + 1
    else high = middle
  }
  return low
}

/** Keeps `rows` ascending by time and at most an eighth longer than `rowsMax`, the oldest leaving first. */
function upsert<Row>(rows: Row[], row: Row, timeOf: (row: Row) => number, rowsMax: number): void {
  const time = timeOf(row)
  const at = find(rows, time, timeOf)
  const there = rows[at]
  if (there !== undefined && timeOf(there) === time) rows[at] = row
  else if (at === rows.length) rows.push(row)
  else if (at > 0 || rows.length < rowsMax) rows.splice(at, 0, row)
  if (rows.length > rowsMax + (rowsMax >> 3)) rows.splice(0, rows.length - rowsMax)
}
