// What gives a program away among the visitors: how fast, how regular, in what order and to what end it acts. Plain data.
import type { ReactionValue } from '../../query/reaction.ts'

/** What one visit, or one network address, did so far. */
export interface Visit {
  readonly firstMs: number
  lastMs: number
  acts: number
  views: number
  carts: number
  searches: number
  purchases: number
  logins: number
  failedLogins: number
  /** Of the times between acts of different moments. */
  gaps: number
  gapMean: number
  gapSquares: number
  /** The last products looked at, and how often the next one was the one after in the catalogue's order. */
  lastProduct: string | null
  inSequence: number
  readonly products: string[]
  readonly users: string[]
  readonly sessions: string[]
  /** Most acts in any minute. */
  busiest: number
  told: string | null
}
export interface Verdict {
  readonly kind: 'scraper' | 'price-watcher' | 'carter' | 'credential-stuffer'
  readonly score: number
  readonly reasons: readonly string[]
}

const listMax = 16

export function newVisit(atMs: number): Visit {
  return {
    firstMs: atMs,
    lastMs: atMs,
    acts: 0,
    views: 0,
    carts: 0,
    searches: 0,
    purchases: 0,
    logins: 0,
    failedLogins: 0,
    gaps: 0,
    gapMean: 0,
    gapSquares: 0,
    lastProduct: null,
    inSequence: 0,
    products: [],
    users: [],
    sessions: [],
    busiest: 0,
    told: null,
  }
}

type Values = { readonly [column: string]: ReactionValue }
/** Takes an act in; acts come in the order of event time. */
export function observe(visit: Visit, values: Values): void {
  const atMs = Number(values.timestamp)
  if (visit.acts > 0) {
    const gap = Math.max(0, atMs - visit.lastMs)
    visit.gaps++
    const off = gap - visit.gapMean
    visit.gapMean += off / visit.gaps
    visit.gapSquares += off * (gap - visit.gapMean)
  }
  visit.acts++
  visit.lastMs = Math.max(visit.lastMs, atMs)
  visit.busiest = Math.max(visit.busiest, Number(values.session_acts_1m ?? 0))
  note(visit.users, values.user_id)
  note(visit.sessions, values.session_id)
  const product = typeof values.product_id === 'string' ? values.product_id : null
  switch (values.event_type) {
    case 'product_view':
      visit.views++
      if (product !== null) {
        if (visit.lastProduct !== null && isNext(visit.lastProduct, product)) visit.inSequence++
        visit.lastProduct = product
        note(visit.products, product)
      }
      break
    case 'add_to_cart':
      visit.carts++
      break
    case 'search':
      visit.searches++
      break
    case 'purchase':
      visit.purchases++
      break
    case 'login':
      visit.logins++
      break
    case 'login_failed':
      visit.failedLogins++
      break
    default:
  }
}
function note(list: string[], value: ReactionValue | undefined): void {
  if (typeof value === 'string' && list.length < listMax && !list.includes(value)) list.push(value)
}
/** P007 then P008: whoever goes through a list. */
function isNext(before: string, after: string): boolean {
  const number = (text: string): number => Number(/\d+$/.exec(text)?.[0] ?? Number.NaN)
  return number(after) - number(before) === 1
}

/** Standard deviation by mean of the times between acts. */
export function gapVariation({ gaps, gapMean, gapSquares }: Visit): number | null {
  return gaps < 2 || gapMean <= 0 ? null : Math.sqrt(gapSquares / (gaps - 1)) / gapMean
}
export function actsPerSecond({ gaps, gapMean }: Visit): number | null {
  return gaps === 0 || gapMean <= 0 ? null : 1_000 / gapMean
}

export interface HabitRules {
  /** So many views at such a pace, and nothing in the cart, is nobody who thinks. */
  readonly scraperViewsMin: number
  readonly scraperPerSecondMin: number
  /** So regular that it is a clock. */
  readonly watcherViewsMin: number
  readonly watcherVariationMax: number
  readonly watcherGapMsMin: number
  readonly carterCartsMin: number
  readonly carterGapMsMax: number
  readonly stufferFailuresMin: number
  readonly stufferUsersMin: number
}
export const habitRules: HabitRules = Object.freeze({
  scraperViewsMin: 12,
  scraperPerSecondMin: 0.5,
  watcherViewsMin: 6,
  watcherVariationMax: 0.05,
  watcherGapMsMin: 10_000,
  carterCartsMin: 5,
  carterGapMsMax: 12_000,
  stufferFailuresMin: 5,
  stufferUsersMin: 4,
})

/** What it is by now, null while it may be a person. */
export function judge(visit: Visit, rules: HabitRules = habitRules): Verdict | null {
  const { views, carts, purchases, searches, failedLogins, users, products, gapMean, inSequence, acts } = visit
  const variation = gapVariation(visit)
  const pace = actsPerSecond(visit) ?? 0
  const sure = (seen: number, least: number): number =>
    Math.round((1 - 0.5 * (least / Math.max(least, seen))) * 1_000) / 1_000
  if (failedLogins >= rules.stufferFailuresMin && users.length >= rules.stufferUsersMin)
    return {
      kind: 'credential-stuffer',
      score: sure(failedLogins, rules.stufferFailuresMin),
      reasons: ['failed_logins', 'many_accounts'],
    }
  if (purchases > 0) return null
  if (carts >= rules.carterCartsMin && gapMean <= rules.carterGapMsMax && carts * 4 >= acts)
    return { kind: 'carter', score: sure(carts, rules.carterCartsMin), reasons: ['many_carts', 'no_purchase', 'fast'] }
  if (carts > 0) return null
  if (views >= rules.scraperViewsMin && pace >= rules.scraperPerSecondMin && views >= 0.9 * acts) {
    const isListed = inSequence >= 0.6 * (views - 1)
    return {
      kind: 'scraper',
      score: sure(views, rules.scraperViewsMin),
      reasons: ['fast', 'no_cart', ...(isListed ? ['in_sequence'] : [])],
    }
  }
  if (
    views >= rules.watcherViewsMin &&
    searches === 0 &&
    products.length <= 2 &&
    variation !== null &&
    variation <= rules.watcherVariationMax &&
    gapMean >= rules.watcherGapMsMin
  )
    return {
      kind: 'price-watcher',
      score: sure(views, rules.watcherViewsMin),
      reasons: ['regular', 'same_product', 'no_cart'],
    }
  return null
}
