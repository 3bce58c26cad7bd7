// Sessions through view, cart and purchase (E4). Ordered, strict about time: a session enters with its first view, a cart
// counts after it, a purchase after the cart, all within the conversion window from that first view; a view that no open
// entry covers opens the next one. Rows come in the order of event time.
import type { Emit, Reaction, ReactionRow } from '../../query/reaction.ts'
import { instantText } from '../../std/instant.ts'
import { newRecent, peek, type Recent, use } from '../../std/recent.ts'
import { funnel } from '../contracts/funnel.ts'
import { advance, type EventClock, newEventClock } from './event-clock.ts'

export interface FunnelRules {
  readonly conversionMs: number
  readonly sizesMs: readonly number[]
  /** How often changed windows are told, of event time. */
  readonly tellMs: number
}
export const funnelRules: FunnelRules = Object.freeze({
  conversionMs: 1_800_000,
  sizesMs: Object.freeze([30_000, 3_600_000]),
  tellMs: 30_000,
})
/** Open entries of sessions; one more closes the oldest early. */
export const entriesMax = 50_000
/** Categories told apart; those that come later are told in all only. */
export const categoriesMax = 64
/** Times to convert kept for the median of a window; of more, every second one. */
const timesMax = 1_000
const productsMax = 20_000

/** First view, cart after it, purchase after that; 0: not yet. */
interface Entry {
  readonly key: string
  readonly category: string | null
  readonly viewMs: number
  cartMs: number
  buyMs: number
}
interface Counts {
  readonly startMs: number
  readonly sizeMs: number
  readonly category: string | null
  entered: number
  carted: number
  purchased: number
  sumMs: number
  times: number[]
  /** One in so many times is in `times`. */
  oneIn: number
  told: boolean
}
/** Plain data. */
export interface FunnelState {
  readonly clock: EventClock
  /** By session and category; in the order of the first view. */
  entries: Entry[]
  closedEarly: number
  readonly windows: { [id: string]: Counts }
  readonly categories: { [name: string]: true }
  /** Category by product, as views tell it: purchases do not say. */
  readonly products: Recent<string>
  toldMs: number
}

export const actsPlan = 'visitor-acts'

export function funnelMonitor(rules: FunnelRules = funnelRules): Reaction<FunnelState> {
  // Of the entries by key: made anew from a state that was read.
  const indexes = new WeakMap<FunnelState, Map<string, Entry>>()
  const indexOf = (state: FunnelState): Map<string, Entry> => {
    const known = indexes.get(state) ?? new Map(state.entries.map((entry) => [entry.key, entry]))
    indexes.set(state, known)
    return known
  }
  return {
    name: 'funnel',
    version: 1,
    reads: [actsPlan],
    writes: [{ topic: funnel.topic, partitions: funnel.partitions, compacted: true }],
    initial: () => ({
      clock: newEventClock(),
      entries: [],
      closedEarly: 0,
      windows: {},
      categories: {},
      products: newRecent(),
      toldMs: 0,
    }),
    step(state, input, emit) {
      const nowMs = advance(state.clock, input, input.kind === 'row' ? Number(input.values.timestamp) : 0)
      if (nowMs === null) return
      close(state, nowMs, indexOf(state), rules)
      if (input.kind === 'row' && input.weight > 0) take(state, input, indexOf(state), rules)
      if (Math.floor(nowMs / rules.tellMs) * rules.tellMs > state.toldMs) tell(state, nowMs, rules, emit)
    },
  }
}

function take(state: FunnelState, { values }: ReactionRow, index: Map<string, Entry>, rules: FunnelRules): void {
  const atMs = Number(values.timestamp)
  // A purchase without a visit was made by something else than a visitor.
  const session = values.session_id
  if (typeof session !== 'string') return
  const product = typeof values.product_id === 'string' ? values.product_id : null
  const said = typeof values.category === 'string' ? values.category : null
  if (product !== null && said !== null) {
    if (peek(state.products, product) === undefined) use(state.products, product, productsMax, () => said)
  }
  const category = said ?? (product === null ? null : (peek(state.products, product) ?? null))
  const ofCategory = category === null || !isTold(state, category) ? [] : [category]
  for (const each of [null, ...ofCategory]) {
    const key = each === null ? `${session}` : `${session}\n${each}`
    const entry = index.get(key)
    switch (values.event_type) {
      case 'product_view':
        if (entry === undefined) enter(state, { key, category: each, viewMs: atMs, cartMs: 0, buyMs: 0 }, index, rules)
        break
      case 'add_to_cart':
        if (entry !== undefined && entry.cartMs === 0) {
          entry.cartMs = atMs
          for (const counts of windowsOf(state, entry, rules)) counts.carted++
        }
        break
      case 'purchase':
        if (entry !== undefined && entry.cartMs !== 0 && entry.buyMs === 0) {
          entry.buyMs = atMs
          for (const counts of windowsOf(state, entry, rules)) bought(counts, atMs - entry.viewMs)
        }
        break
      default:
    }
  }
}
function isTold({ categories }: FunnelState, category: string): boolean {
  if (Object.hasOwn(categories, category)) return true
  if (category === '__proto__' || Object.keys(categories).length >= categoriesMax) return false
  categories[category] = true
  return true
}
function enter(state: FunnelState, entry: Entry, index: Map<string, Entry>, rules: FunnelRules): void {
  if (state.entries.length >= entriesMax) {
    const oldest = state.entries.shift()
    if (oldest !== undefined) index.delete(oldest.key)
    state.closedEarly++
  }
  state.entries.push(entry)
  index.set(entry.key, entry)
  for (const counts of windowsOf(state, entry, rules)) counts.entered++
}
function bought(counts: Counts, tookMs: number): void {
  counts.sumMs += tookMs
  if (counts.purchased++ % counts.oneIn !== 0) return
  counts.times.push(tookMs)
  if (counts.times.length <= timesMax) return
  counts.times = counts.times.filter((_, i) => i % 2 === 0)
  counts.oneIn *= 2
}
/** The windows of an entry, about to change. */
function windowsOf({ windows }: FunnelState, { viewMs, category }: Entry, { sizesMs }: FunnelRules): readonly Counts[] {
  return sizesMs.map((sizeMs) => {
    const startMs = Math.floor(viewMs / sizeMs) * sizeMs
    const id = idOf({ sizeMs, startMs, category })
    const counts = windows[id] ?? newCounts(startMs, sizeMs, category)
    windows[id] = counts
    counts.told = false
    return counts
  })
}
function newCounts(startMs: number, sizeMs: number, category: string | null): Counts {
  return { startMs, sizeMs, category, entered: 0, carted: 0, purchased: 0, sumMs: 0, times: [], oneIn: 1, told: false }
}
function idOf({ sizeMs, startMs, category }: Pick<Counts, 'sizeMs' | 'startMs' | 'category'>): string {
  return `${sizeMs / 1_000}/${instantText(startMs)}/${category ?? ''}`
}

/** Entries whose conversion window is over. */
function close(state: FunnelState, nowMs: number, index: Map<string, Entry>, { conversionMs }: FunnelRules): void {
  let over = 0
  while (over < state.entries.length && state.entries[over]!.viewMs + conversionMs <= nowMs) over++
  for (const { key } of state.entries.splice(0, over)) index.delete(key)
}

function tell(state: FunnelState, nowMs: number, rules: FunnelRules, emit: Emit): void {
  state.toldMs = Math.floor(nowMs / rules.tellMs) * rules.tellMs
  for (const [id, counts] of Object.entries(state.windows)) {
    const isFinal = counts.startMs + counts.sizeMs + rules.conversionMs <= nowMs
    if (!counts.told || isFinal) emit(funnel.topic, id, rowOf(id, counts, isFinal, rules))
    counts.told = true
    if (isFinal) delete state.windows[id]
  }
}
function rowOf(id: string, counts: Counts, isFinal: boolean, { conversionMs }: FunnelRules) {
  const { startMs, sizeMs, category, entered, carted, purchased, sumMs, times } = counts
  const share = (part: number, of: number): number | null => (of === 0 ? null : Math.round((part / of) * 1e6) / 1e6)
  const rest = (part: number, of: number): number | null => (of === 0 ? null : Math.round((1 - part / of) * 1e6) / 1e6)
  return {
    funnel_id: id,
    window_start: instantText(startMs),
    window_end: instantText(startMs + sizeMs),
    size_seconds: sizeMs / 1_000,
    category,
    entered,
    carted,
    purchased,
    cart_rate: share(carted, entered),
    purchase_rate: share(purchased, carted),
    conversion: share(purchased, entered),
    cart_drop_off: rest(carted, entered),
    purchase_drop_off: rest(purchased, carted),
    median_seconds: medianOf(times),
    mean_seconds: purchased === 0 ? null : Math.round(sumMs / purchased) / 1_000,
    conversion_window_seconds: conversionMs / 1_000,
    is_final: isFinal,
  }
}
function medianOf(times: readonly number[]): number | null {
  if (times.length === 0) return null
  const sorted = times.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const ms = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return ms / 1_000
}
