// What the engine does while it is killed (`engine-kill.test.ts`), and what must come of it: records that follow from a
// seed, Plans over them, and each Plan's final table recomputed with plain arrays, sharing no code with the engine.
import { contract, field } from '../../src/query/contract.ts'
import type { Plan } from '../../src/query/plan.ts'
import { count, countDistinct, from, hopping, max, minutes, seconds, sum, tumbling } from '../../src/query/query.ts'
import { randomStream } from '../../src/std/random.ts'

export const partitions = 2
const baseMs = Date.UTC(2026, 0, 1)
/** Of event time, between two records of a partition. */
const stepMs = 50
const outOfOrderMs = 2000

export const sales = contract({
  topic: 'sales',
  version: 1,
  partitions,
  key: 'seller',
  eventTime: 'at',
  outOfOrderMs,
  // Nothing may depend on how long a life was.
  idleTimeoutMs: minutes(60),
  futureLimitMs: minutes(10 * 365 * 24 * 60),
  doc: 'Sales of the kill test.',
  fields: {
    id: field({ kind: 'string' }, 'partition and offset'),
    seller: field({ kind: 'string' }, 'who'),
    product: field({ kind: 'string' }, 'what'),
    price: field({ kind: 'money', scale: 2, currency: 'EUR' }, 'amount'),
    at: field({ kind: 'timestamp' }, 'when'),
  },
})

export const refunds = contract({
  topic: 'refunds',
  version: 1,
  partitions,
  key: 'sale',
  eventTime: 'refunded',
  outOfOrderMs,
  idleTimeoutMs: minutes(60),
  futureLimitMs: minutes(10 * 365 * 24 * 60),
  doc: 'Refunds of the kill test.',
  fields: {
    sale: field({ kind: 'string' }, 'which one'),
    shop: field({ kind: 'string' }, 'who'),
    reason: field({ kind: 'string' }, 'why'),
    refunded: field({ kind: 'timestamp' }, 'when'),
  },
})
export const topics = [sales.topic, refunds.topic] as const
export type Topic = (typeof topics)[number]

export interface Sale {
  readonly id: string
  readonly seller: string
  readonly product: string
  readonly cents: number
  readonly atMs: number
}

/** The record at a place: one in five comes up to 20 s late, far beyond the disorder that is allowed for. */
export function saleAt(seed: string, partition: number, offset: number): Sale {
  const random = randomStream(`${seed}/${partition}/${offset}`)
  const behindMs = random.below(5) === 0 ? random.below(20_000) : random.below(1500)
  return {
    id: `${partition}-${offset}`,
    seller: `s${random.below(3)}`,
    product: `p${random.below(40)}`,
    cents: 1 + random.below(100_000),
    atMs: baseMs + offset * stepMs - behindMs,
  }
}
export interface Refund {
  readonly sale: string
  readonly shop: string
  readonly reason: string
  readonly refundedMs: number
}
/** A refund of a sale a few seconds before it, or after: some are of sales that come later in the log. */
export function refundAt(seed: string, partition: number, offset: number): Refund {
  const random = randomStream(`${seed}/refunds/${partition}/${offset}`)
  const behindMs = random.below(5) === 0 ? random.below(20_000) : random.below(1500)
  return {
    sale: `${random.below(partitions)}-${Math.max(0, offset - 60 + random.below(90))}`,
    shop: `s${random.below(3)}`,
    reason: `r${random.below(5)}`,
    refundedMs: baseMs + offset * stepMs - behindMs,
  }
}
const refundText = ({ sale, shop, reason, refundedMs }: Refund): string =>
  `{"sale":"${sale}","shop":"${shop}","reason":"${reason}","refunded":"${new Date(refundedMs).toISOString()}"}`
export const textAt = (topic: Topic, seed: string, partition: number, offset: number): string =>
  topic === 'sales' ? saleText(saleAt(seed, partition, offset)) : refundText(refundAt(seed, partition, offset))
export const lastText = (topic: Topic, partition: number): string =>
  topic === 'sales'
    ? saleText(lastSale(partition))
    : refundText({ sale: 'none', shop: 'nobody', reason: 'none', refundedMs: lastSale(partition).atMs })
const saleText = ({ id, seller, product, cents, atMs }: Sale): string =>
  `{"id":"${id}","seller":"${seller}","product":"${product}","price":${(cents / 100).toFixed(2)},"at":"${new Date(atMs).toISOString()}"}`
/** Behind all others, so that every window of theirs closes and nothing more corrects it. */
const lastSale = (partition: number): Sale => ({
  id: `${partition}-last`,
  seller: 'nobody',
  product: 'nothing',
  cents: 1,
  atMs: Date.UTC(2027, 0, 1),
})

const patience = seconds(60)
const [beforeMs, afterMs, withinMs] = [seconds(1), seconds(4), seconds(3)]
const perProduct = from(sales)
  .window(tumbling({ sizeMs: seconds(5) }))
  .groupBy('product')
  .aggregate((sale) => ({ n: count(), revenue: sum(sale.price) }))
export const plans: readonly Plan[] = [
  from(sales)
    .window(hopping({ sizeMs: seconds(10), slideMs: seconds(1) }))
    .groupBy('seller')
    .aggregate((sale) => ({
      n: count(),
      revenue: sum(sale.price),
      products: countDistinct(sale.product),
      biggest: max(sale.price),
    }))
    .emit({ everyMs: 100 })
    .lateness(patience)
    .output({ times: 'epoch-milliseconds' })
    .named('sliding'),
  perProduct.lateness(patience).output({ times: 'epoch-milliseconds' }).named('corrected'),
  perProduct.lateness(patience).top({ rows: 2, by: 'revenue' }).output({ times: 'epoch-milliseconds' }).named('top'),
  from(sales)
    .join(from(refunds), { how: 'interval', side: 'left', on: { id: 'sale' }, beforeMs, afterMs })
    .select('id', 'seller', 'price', 'sale', 'shop', 'reason')
    .lateness(patience)
    .named('refunded'),
  from(sales)
    .join(from(refunds), { how: 'latest', side: 'inner', on: { seller: 'shop' }, withinMs })
    .select('id', 'seller', 'price', 'sale', 'reason')
    .lateness(patience)
    .named('mood'),
]

type Table = Map<string, object>
const euros = (cents: number): number => cents / 100

/** By plan that joins: its rows as text, sorted; those of the last sales are not among them. */
export function expectedRows(all: readonly Sale[], given: readonly Refund[]): Map<string, string[]> {
  const bySale = new Map<string, Refund[]>()
  const byShop = new Map<string, Refund[]>()
  for (const refund of given) {
    bySale.set(refund.sale, [...(bySale.get(refund.sale) ?? []), refund])
    const shop = byShop.get(refund.shop)
    if (shop === undefined) byShop.set(refund.shop, [refund])
    else shop.push(refund)
  }
  // Of refunds of one time the last by partition and offset counts, which is how they are given.
  for (const ofShop of byShop.values()) ofShop.sort((a, b) => a.refundedMs - b.refundedMs)
  const refunded = all.flatMap(({ id, seller, cents, atMs }) => {
    const near = (bySale.get(id) ?? []).filter(
      ({ refundedMs }) => refundedMs >= atMs - beforeMs && refundedMs <= atMs + afterMs,
    )
    const rows = near.length > 0 ? near : [{ sale: null, shop: null, reason: null }]
    return rows.map(({ sale, shop, reason }) => JSON.stringify({ id, seller, price: euros(cents), sale, shop, reason }))
  })
  const mood = all.flatMap(({ id, seller, cents, atMs }) => {
    const ofShop = byShop.get(seller) ?? []
    let [low, high] = [0, ofShop.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (ofShop[middle]!.refundedMs <= atMs) low = middle + 1
      else high = middle
    }
    const newest = ofShop[low - 1]
    if (newest === undefined || atMs - newest.refundedMs > withinMs) return []
    return [JSON.stringify({ id, seller, price: euros(cents), sale: newest.sale, reason: newest.reason })]
  })
  return new Map([
    ['refunded', refunded.sort()],
    ['mood', mood.sort()],
  ])
}

/** By plan: its final table, key (as in the result topic) to values; only windows that ended before the last sales. */
export function expectedTables(all: readonly Sale[]): Map<string, Table> {
  const sliding: Table = new Map()
  for (const [key, rows] of grouped(all, 10_000, 1000, (sale) => sale.seller)) {
    const products = new Set(rows.map(({ product }) => product)).size
    const biggest = euros(Math.max(...rows.map(({ cents }) => cents)))
    sliding.set(key, { n: rows.length, revenue: euros(total(rows)), products, biggest })
  }
  const corrected: Table = new Map()
  const byWindow = new Map<string, { key: string; product: string; cents: number; n: number }[]>()
  for (const [key, rows] of grouped(all, 5000, 5000, (sale) => sale.product)) {
    const cents = total(rows)
    corrected.set(key, { n: rows.length, revenue: euros(cents) })
    const [start, , product] = JSON.parse(key) as [number, number, string]
    byWindow.set(`${start}`, [...(byWindow.get(`${start}`) ?? []), { key, product, cents, n: rows.length }])
  }
  const top: Table = new Map()
  for (const rows of byWindow.values()) {
    rows.sort((a, b) => b.cents - a.cents || (a.product < b.product ? -1 : 1))
    for (const { key, cents, n } of rows.slice(0, 2)) top.set(key, { n, revenue: euros(cents) })
  }
  return new Map([
    ['sliding', sliding],
    ['corrected', corrected],
    ['top', top],
  ])
}
const total = (rows: readonly Sale[]): number => rows.reduce((sum, { cents }) => sum + cents, 0)
function grouped(
  all: readonly Sale[],
  sizeMs: number,
  slideMs: number,
  groupOf: (sale: Sale) => string,
): Map<string, Sale[]> {
  const groups = new Map<string, Sale[]>()
  for (const sale of all) {
    const firstEnd = (Math.floor(sale.atMs / slideMs) + 1) * slideMs
    for (let end = firstEnd; end < firstEnd + sizeMs; end += slideMs) {
      const key = JSON.stringify([end - sizeMs, end, groupOf(sale)])
      const rows = groups.get(key)
      if (rows === undefined) groups.set(key, [sale])
      else rows.push(sale)
    }
  }
  return groups
}
