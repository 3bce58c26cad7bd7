// The page's state: what was last painted, the connection, and what the viewer chose. One paint a second.
import {
  type Figures,
  figures,
  type KpiRowJson,
  type Kpis,
  type Rate,
  type SalesEvents,
  type Stamp,
  type Status,
  type TopProducts,
} from './figures.ts'
import { type Link, openStream, type Stream } from './stream.ts'

export interface View {
  readonly kpis: Kpis | null
  readonly history: readonly KpiRowJson[]
  readonly rate: Rate | null
  readonly topProducts: TopProducts | null
  readonly salesEvents: SalesEvents | null
  readonly status: Status | null
  readonly stamp: Stamp | null
}
const nothing: View = {
  kpis: null,
  history: [],
  rate: null,
  topProducts: null,
  salesEvents: null,
  status: null,
  stamp: null,
}

/** A paint follows the figures when they come, but never sooner than this after the last, and at the latest after that. */
const paintMsMin = 900
const paintMsMax = 1_100
export const hollowAfterMs = 3_000
export const dimAfterMs = 10_000

function createPage() {
  const held: Figures = figures()
  let view = $state.raw<View>(nothing)
  let link = $state.raw<Link>({ state: 'connecting' })
  let nowMs = $state(performance.now())
  let paused = $state(false)
  let lastPaintMs = 0
  let frameMs = performance.now()
  let asked = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let stream: Stream | null = null

  const paint = (): void => {
    asked = false
    clearTimeout(timer)
    timer = setTimeout(ask, paintMsMax)
    nowMs = lastPaintMs = performance.now()
    if (paused) return
    const { kpis, history, topProducts, salesEvents, status, stamp } = held
    view = { kpis, history, topProducts, salesEvents, status, stamp, rate: held.rate() }
  }
  const ask = (): void => {
    if (asked || document.hidden) return
    asked = true
    requestAnimationFrame(paint)
  }
  const start = (): void => {
    if (stream !== null) return
    stream = openStream(
      (channel, frame) => {
        frameMs = performance.now()
        held.apply(channel, frame, frameMs)
        const first = view.kpis === null
        if (first || (channel === 'kpis' && frameMs - lastPaintMs >= paintMsMin)) ask()
      },
      (next) => {
        link = next
      },
    )
    ask()
  }
  const stop = (): void => {
    clearTimeout(timer)
    stream?.close()
    stream = null
    asked = false
  }

  return {
    get view() {
      return view
    },
    get link() {
      return link
    },
    /** performance.now() of the last paint: ages are counted to it. */
    get nowMs() {
      return nowMs
    },
    get paused() {
      return paused
    },
    set paused(next) {
      paused = next
      ask()
    },
    /** How long nothing has come. */
    get silentMs() {
      return nowMs - frameMs
    },
    /** Server time now, by the server's last stamp and the time since then. */
    get serverNowMs() {
      return view.stamp === null ? null : view.stamp.asOfMs + Math.max(0, nowMs - view.stamp.receivedMs)
    },
    start,
    stop,
  }
}
export type Page = ReturnType<typeof createPage>
export const page: Page = createPage()
