// The four live channels and what each last said: publishing turns the newest state into deltas, and keeps what a
// client that missed something needs to be whole again. Pure: no sockets, no timers.
import {
  changedRows,
  kpisAnswer,
  type Stamp,
  salesEventsAnswer,
  sameRow,
  seriesAnswer,
  stamp,
  statusAnswer,
  topProductsAnswer,
} from './answers.ts'
import type {
  Channel,
  Kpis,
  KpisFrame,
  SalesEvents,
  SalesEventsFrame,
  Series,
  SeriesFrame,
  Status,
  StatusFrame,
  TopProducts,
  TopProductsFrame,
} from './contract.ts'
import type { FiguresPorts } from './ports.ts'

export type Frame = KpisFrame | SeriesFrame | TopProductsFrame | SalesEventsFrame | StatusFrame

/** One change of a channel. Ids ascend over all channels, so "everything up to id n" has a meaning. */
export interface Change {
  readonly channel: Channel
  readonly sequence: number
  readonly frame: Frame
}
export interface Published {
  readonly changes: readonly Change[]
  /** The epoch is another one: deltas mean nothing, everybody needs snapshots. */
  readonly reset: boolean
}

export interface Channels {
  /** Looks at the figures (and at the status, if asked) and tells what changed since the last time. */
  publish(nowMs: number, withStatus: boolean): Published
  /** Whole frames of the wanted channels that changed after `sequence`, ascending by id; as of the last `publish`. */
  since(sequence: number, wanted: ReadonlySet<Channel>): Change[]
  /** The id of the newest change, 0 before the first. */
  readonly sequence: number
  readonly epoch: string
}

export function channels(ports: FiguresPorts, run: string, version: string): Channels {
  let epoch = ''
  let sequence = 0
  let kpis: Kpis | null = null
  let series: Series | null = null
  let topProducts: TopProducts | null = null
  let salesEvents: SalesEvents | null = null
  let status: Status | null = null
  const sequences: Record<Channel, number> = { kpis: 0, series: 0, topProducts: 0, salesEvents: 0, status: 0 }

  const changed = (channel: Channel, frame: Frame): Change => {
    sequence++
    sequences[channel] = sequence
    return { channel, sequence, frame }
  }
  const publishKpis = (now: Kpis): Change | null => {
    const before = kpis
    kpis = now
    if (before === null) return changed('kpis', { ...now, kind: 'snapshot' })
    const history = changedRows(before.history, now.history, 'windowEnd')
    const same = history.length === 0 && sameRow(before.current, now.current) && sameRow(before.previous, now.previous)
    return same ? null : changed('kpis', { ...now, history, kind: 'delta' })
  }
  const publishSeries = (now: Series): Change | null => {
    const before = series
    series = now
    if (before === null) return changed('series', { ...now, kind: 'snapshot' })
    const points = changedRows(before.points, now.points, 'second')
    return points.length === 0 ? null : changed('series', { ...now, points, kind: 'delta' })
  }
  const publishTopProducts = (now: TopProducts | null): Change | null => {
    const before = topProducts
    topProducts = now
    if (now === null) return null
    const same =
      before?.products.length === now.products.length && changedRows(before.products, now.products, 'rank').length === 0
    if (same) return null
    return changed('topProducts', { ...now, kind: before === null ? 'snapshot' : 'delta' })
  }
  const publishSalesEvents = (now: SalesEvents | null): Change | null => {
    const before = salesEvents
    salesEvents = now
    if (now === null) return null
    const same =
      before?.events.length === now.events.length &&
      now.events.every(
        ({ id, updatedAt }, i) => id === before.events[i]?.id && updatedAt === before.events[i]?.updatedAt,
      )
    if (same) return null
    return changed('salesEvents', { ...now, kind: before === null ? 'snapshot' : 'delta' })
  }
  const publishStatus = (at: Stamp): Change => {
    const before = status
    status = statusAnswer(ports.status.status(), at, version)
    return changed('status', { ...status, kind: before === null ? 'snapshot' : 'delta' })
  }
  const whole = (channel: Channel): Frame | null => {
    const held = { kpis, series, topProducts, salesEvents, status }[channel]
    return held === null ? null : { ...held, kind: 'snapshot' }
  }

  return {
    publish(nowMs, withStatus) {
      const state = ports.live.snapshot()
      const at = stamp(state, nowMs, run)
      const reset = at.epoch !== epoch
      if (reset) {
        epoch = at.epoch
        kpis = series = topProducts = salesEvents = status = null
      }
      const changes = [
        publishKpis(kpisAnswer(state, at)),
        publishSeries(seriesAnswer(state, at)),
        publishTopProducts(topProductsAnswer(state, at)),
        publishSalesEvents(salesEventsAnswer(state, at)),
        withStatus || reset ? publishStatus(at) : null,
      ]
      return { changes: changes.filter((change) => change !== null), reset }
    },
    since(after, wanted) {
      const found: Change[] = []
      for (const channel of wanted) {
        const frame = sequences[channel] > after ? whole(channel) : null
        if (frame !== null) found.push({ channel, sequence: sequences[channel], frame })
      }
      return found.sort((a, b) => a.sequence - b.sequence)
    },
    get sequence() {
      return sequence
    },
    get epoch() {
      return epoch
    },
  }
}
