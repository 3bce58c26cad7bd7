// What the page holds of the live channels: frames are laid over it as they come, a paint reads it once a second.
// Bounded: 60 rows of history, 300 seconds in rings of typed arrays.
import type {
  Channel,
  KpiRowJson,
  Kpis,
  KpisFrame,
  SalesEventJson,
  SalesEvents,
  SalesEventsFrame,
  SeriesFrame,
  Status,
  StatusFrame,
  TopProducts,
  TopProductsFrame,
} from '../serve/contract.ts'

export type { Channel, KpiRowJson, Kpis, SalesEventJson, SalesEvents, Status, TopProducts }
export type FrameOf = {
  kpis: KpisFrame
  series: SeriesFrame
  topProducts: TopProductsFrame
  salesEvents: SalesEventsFrame
  status: StatusFrame
}

export const historyMax = 60
export const secondsMax = 300
/** What the chart shows. */
export const chartSeconds = 240

/** Sales per event-time second: `values[i]` is the second `startMs + i * 1000`. */
export interface Rate {
  readonly startMs: number
  readonly sales: Float64Array
  readonly revenueMinor: Float64Array
}

/** When the figures were true, in this browser's monotonic time, so that clocks need not agree. */
export interface Stamp {
  readonly asOfMs: number
  readonly receivedMs: number
  readonly watermarkMs: number | null
  readonly eventTimeMaxMs: number | null
}

export interface Figures {
  /** `receivedMs`: performance.now() when the frame came. */
  apply<C extends Channel>(channel: C, frame: FrameOf[C], receivedMs: number): void
  readonly kpis: Kpis | null
  readonly history: readonly KpiRowJson[]
  readonly topProducts: TopProducts | null
  readonly salesEvents: SalesEvents | null
  readonly status: Status | null
  readonly stamp: Stamp | null
  /** The last `chartSeconds` whole seconds before the newest event, silent ones as 0; null before the first sale. */
  rate(): Rate | null
}

export function figures(): Figures {
  let epoch = ''
  let kpis: Kpis | null = null
  let history: KpiRowJson[] = []
  let topProducts: TopProducts | null = null
  let salesEvents: SalesEvents | null = null
  let status: Status | null = null
  let stamp: Stamp | null = null
  // Second s (seconds since the epoch) lives at s % secondsMax if seconds[] there says so.
  const seconds = new Float64Array(secondsMax).fill(-1)
  const sales = new Float64Array(secondsMax)
  const revenue = new Float64Array(secondsMax)

  const forget = (): void => {
    kpis = topProducts = salesEvents = status = stamp = null
    history = []
    seconds.fill(-1)
  }
  const applyKpis = (frame: KpisFrame): void => {
    kpis = frame
    if (frame.kind === 'snapshot') history = frame.history.slice(-historyMax)
    else history = merged(history, frame.history).slice(-historyMax)
  }
  const applySeries = (frame: SeriesFrame): void => {
    if (frame.kind === 'snapshot') seconds.fill(-1)
    for (const point of frame.points) {
      const second = Date.parse(point.second) / 1000
      const at = second % secondsMax
      if (seconds[at]! > second) continue
      seconds[at] = second
      sales[at] = point.sales
      revenue[at] = point.revenueMinor
    }
  }

  return {
    apply(channel, frame, receivedMs) {
      if (frame.epoch !== epoch) {
        forget()
        epoch = frame.epoch
      }
      stamp = {
        asOfMs: Date.parse(frame.asOf),
        receivedMs,
        watermarkMs: frame.watermark === null ? null : Date.parse(frame.watermark),
        eventTimeMaxMs: frame.eventTimeMax === null ? null : Date.parse(frame.eventTimeMax),
      }
      const take: { [C in Channel]: (frame: FrameOf[C]) => void } = {
        kpis: applyKpis,
        series: applySeries,
        topProducts: (next) => {
          topProducts = next
        },
        salesEvents: (next) => {
          salesEvents = next
        },
        status: (next) => {
          status = next
        },
      }
      take[channel](frame)
    },
    get kpis() {
      return kpis
    },
    get history() {
      return history
    },
    get topProducts() {
      return topProducts
    },
    get salesEvents() {
      return salesEvents
    },
    get status() {
      return status
    },
    get stamp() {
      return stamp
    },
    rate() {
      if (stamp?.eventTimeMaxMs == null) return null
      // The second that is still going on would show as a drop: it is left out until it is over.
      const endSecond = Math.floor(stamp.eventTimeMaxMs / 1000)
      const startSecond = endSecond - chartSeconds
      const found = {
        startMs: startSecond * 1000,
        sales: new Float64Array(chartSeconds),
        revenueMinor: new Float64Array(chartSeconds),
      }
      for (let i = 0; i < chartSeconds; i++) {
        const at = (startSecond + i) % secondsMax
        if (seconds[at] !== startSecond + i) continue
        found.sales[i] = sales[at]!
        found.revenueMinor[i] = revenue[at]!
      }
      return found
    },
  }
}

/** Both ascending by windowEnd (RFC 3339 with one zone and one precision sorts as text); a row of `over` wins. */
function merged(under: readonly KpiRowJson[], over: readonly KpiRowJson[]): KpiRowJson[] {
  const newer = new Map(over.map((row) => [row.windowEnd, row]))
  const rows = under.map((row) => {
    const replaced = newer.get(row.windowEnd)
    newer.delete(row.windowEnd)
    return replaced ?? row
  })
  rows.push(...newer.values())
  return rows.sort((a, b) => (a.windowEnd < b.windowEnd ? -1 : a.windowEnd > b.windowEnd ? 1 : 0))
}
