// What an event means for the business (W5): who is behind it, how concentrated the shop is, and what to do.

/** What sold in the last minutes, by seller or by category. */
export type Sums = ReadonlyMap<string, { readonly sales: number; readonly revenueMinor: number }>

export interface Concentration {
  /** The biggest one and its share of revenue, 0 to 1; null when nothing was sold. */
  readonly dominant: { readonly name: string; readonly share: number } | null
  /** Herfindahl-Hirschman index of the revenue shares: 0 to 10,000. */
  readonly hhi: number
  /** As many equal ones would give the same index. */
  readonly effective: number
  readonly active: number
}

/** Ties go to the name that sorts first, so that a replay tells the same. */
export function concentration(sums: Sums): Concentration {
  let total = 0
  let active = 0
  for (const { sales, revenueMinor } of sums.values()) {
    total += revenueMinor
    if (sales > 0) active++
  }
  if (total <= 0) return { dominant: null, hhi: 0, effective: 0, active }
  let hhi = 0
  let dominant = { name: '', share: 0 }
  for (const [name, { revenueMinor }] of sums) {
    const share = revenueMinor / total
    hhi += (100 * share) ** 2
    if (share > dominant.share || (share === dominant.share && name < dominant.name)) dominant = { name, share }
  }
  return { dominant, hhi, effective: 10_000 / hhi, active }
}

export type EventKind = 'volume' | 'average-ticket' | 'active-sellers'

export interface Told {
  readonly kind: EventKind
  readonly direction: 'up' | 'down'
  /** Null: the whole shop. */
  readonly of: { readonly type: 'seller' | 'category'; readonly name: string } | null
  /** Against the usual: 0.47 is +47 %. */
  readonly growth: number
  readonly growthPrevious: number | null
  readonly sellers: Concentration
  readonly categories: Concentration
  readonly sellersKnown: number
}

const percent = (share: number): string => `${share >= 0 ? '+' : '-'}${(Math.abs(share) * 100).toFixed(1)}%`
const share = (part: number): string => `${(part * 100).toFixed(0)}%`
/** From here on one seller is the story. */
const DOMINANT_SHARE = 0.4
/** The mark from which a market counts as highly concentrated. */
const HHI_HIGH = 2_500

const names = {
  volume: { up: 'ACTIVITY SPIKE', down: 'ACTIVITY DROP' },
  'average-ticket': { up: 'TICKET RISE', down: 'TICKET FALL' },
  'active-sellers': { up: 'MORE SELLERS', down: 'FEWER SELLERS' },
} as const

/** One sentence for people: what, how much, who. */
export function sentence(told: Told): string {
  const { kind, direction, of, growth, growthPrevious, sellers, categories, sellersKnown } = told
  const about = of === null ? '' : ` of ${of.type} ${of.name}`
  return [
    `${names[kind][direction]}${about}: ${percent(growth)} vs usual`,
    ...(growthPrevious === null ? [] : [`Growth: ${percent(growthPrevious)} vs previous window`]),
    `Active sellers: ${sellers.active}/${sellersKnown}`,
    ...(sellers.dominant === null ? [] : [`Top seller: ${sellers.dominant.name} (${share(sellers.dominant.share)})`]),
    ...(categories.dominant === null
      ? []
      : [`Top category: ${categories.dominant.name} (${share(categories.dominant.share)})`]),
  ].join(' | ')
}

/** What to do about it. */
export function recommendation({ kind, direction, of, sellers, categories }: Told): string {
  const top = sellers.dominant
  const dominates = top !== null && top.share >= DOMINANT_SHARE
  if (kind === 'volume' && direction === 'up') {
    if (of?.type === 'category') return `Check the stock and prices of ${of.name}; extend its placement while it lasts.`
    if (of?.type === 'seller') return `Check ${of.name}: a promotion of theirs, or orders that are not real.`
    if (dominates)
      return `${top.name} makes ${share(top.share)} of it: check their stock, and whether the orders are real.`
    const category = categories.dominant
    return category === null
      ? 'Check that stock and checkout keep up.'
      : `Check that stock and checkout keep up, ${category.name} first.`
  }
  if (kind === 'volume') {
    if (of?.type === 'seller') return `Ask ${of.name} whether their shop or feed is down.`
    if (of?.type === 'category') return `Check that ${of.name} is in stock, listed and priced as intended.`
    return 'Check checkout, payment and the feeds of the sellers: fewer sales arrive than usual.'
  }
  if (kind === 'average-ticket')
    return direction === 'up'
      ? 'Look for a price error or for bulk orders among the biggest sales.'
      : 'Look for a price error or a coupon that is used too widely.'
  if (direction === 'down') return 'Find out which sellers stopped selling: their feeds may be down.'
  return sellers.hhi > HHI_HIGH
    ? 'More sellers are active, but few make most of the revenue: see their shares.'
    : 'More sellers are active than usual: a campaign works, or a feed repeats old sales.'
}
