// The catalogue of the flows: two small topics and the named plans that run over them. A flow says `plans per-minute`.
import { contract, field, nullable } from '../../src/query/contract.ts'
import type { Plan } from '../../src/query/plan.ts'
import {
  argmax,
  average,
  calendar,
  count,
  countDistinct,
  cumulative,
  days,
  first,
  from,
  hopping,
  hours,
  last,
  max,
  min,
  minutes,
  quantile,
  ratio,
  seconds,
  session,
  staticTable,
  sum,
  tumbling,
  variance,
  when,
} from '../../src/query/query.ts'

const money = { kind: 'money', scale: 2, currency: 'EUR' } as const

/** Two partitions; 5 s out of order; silent for 30 s is idle; a minute ahead of its arrival is the future. */
export const sales = contract({
  topic: 'sales',
  version: 1,
  partitions: 2,
  key: 'seller',
  eventTime: 'at',
  outOfOrderMs: seconds(5),
  idleTimeoutMs: seconds(30),
  futureLimitMs: seconds(60),
  doc: 'Sales of the flows: amounts in cents.',
  fields: {
    seller: nullable({ kind: 'string' }, 'who sold', { aliases: ['vendor'] }),
    product: field({ kind: 'string' }, 'what was sold', { default: 'pen' }),
    price: field(money, 'amount of one piece', { default: 1 }),
    quantity: field({ kind: 'int64' }, 'pieces', { default: 1 }),
    refund: nullable(money, 'given back'),
    paid: nullable({ kind: 'bool' }, 'has it been paid'),
    channel: nullable({ kind: 'string' }, 'where', { rules: [{ rule: 'one-of', values: ['shop', 'web'] }] }),
    stars: nullable({ kind: 'int64' }, 'how it was liked', { rules: [{ rule: 'at-least', bound: 1 }] }),
    score: nullable({ kind: 'float64' }, 'of the fraud model'),
    id: nullable({ kind: 'uuid' }, 'of the sale'),
    at: field({ kind: 'timestamp' }, 'when'),
  },
})

/** One partition, no disorder allowed, amounts in thousandths. */
export const parcels = contract({
  topic: 'parcels',
  version: 1,
  partitions: 1,
  key: 'to',
  eventTime: 'at',
  outOfOrderMs: 0,
  idleTimeoutMs: seconds(30),
  futureLimitMs: days(3650),
  doc: 'Parcels of the flows: postage in thousandths.',
  fields: {
    to: field({ kind: 'string' }, 'where it goes'),
    postage: field({ kind: 'money', scale: 3, currency: 'EUR' }, 'what it cost', { default: 0 }),
    kilograms: nullable({ kind: 'decimal', scale: 3 }, 'weight'),
    at: field({ kind: 'timestamp' }, 'when'),
  },
})

const minute = tumbling({ sizeMs: minutes(1) })
const sent = from(parcels).select('to', 'postage', 'at').rename({ to: 'city', at: 'sent' })
const perCity = from(parcels)
  .window(minute)
  .groupBy('to')
  .aggregate((p) => ({ parcels: count(), postage: sum(p.postage) }))
const perMinute = from(sales)
  .window(minute)
  .aggregate((s) => ({ n: count(), revenue: sum(s.price) }))
const perSeller = from(sales)
  .window(minute)
  .groupBy('seller')
  .aggregate((s) => ({ n: count(), revenue: sum(s.price) }))
const sliding = from(sales).window(hopping({ sizeMs: seconds(3), slideMs: seconds(1) }))
const slidingDistinct = sliding.aggregate((s) => ({
  n: count(),
  sellers: countDistinct(s.seller),
  products: countDistinct(s.product),
  most: max(s.price),
}))
const slidingSellers = sliding
  .groupBy('seller')
  .aggregate((s) => ({ n: count(), products: countDistinct(s.product), least: min(s.price), most: max(s.price) }))
const exact = tumbling({ sizeMs: minutes(1) })
const upToMinute = from(sales).window(cumulative({ sizeMs: minutes(3), stepMs: minutes(1) }))
const products = from(sales)
  .window(minute)
  .groupBy('seller', 'product')
  .aggregate((s) => ({ n: count(), revenue: sum(s.price), stars: max(s.stars) }))

const made: readonly Plan[] = [
  // Tumbling windows: how rows become due, how long they may be corrected.
  perMinute.named('per-minute'),
  perMinute.lateness(seconds(30)).named('per-minute-patient'),
  perMinute.lateness(minutes(10)).named('per-minute-very-patient'),
  perMinute.emit({ everyMs: 1000 }).named('per-minute-running'),
  perMinute.emit({ everyMs: 10_000 }).named('per-minute-every-10s'),
  perMinute.emit('on-change').lateness(minutes(1)).named('per-minute-on-change'),
  perSeller.named('per-seller'),
  perSeller.emit('on-change').lateness(minutes(1)).named('per-seller-patient'),
  from(sales)
    .window(minute)
    .groupBy('quantity', 'paid', 'price')
    .aggregate(() => ({ n: count() }))
    .named('by-numbers'),
  from(sales)
    .window(tumbling({ sizeMs: 250 }))
    .aggregate(() => ({ n: count() }))
    .output({ times: 'iso-milliseconds' })
    .named('per-quarter-second'),
  from(sales)
    .window(tumbling({ sizeMs: 250 }))
    .aggregate(() => ({ n: count() }))
    .named('per-quarter-second-cut'),
  from(sales)
    .window(minute)
    .aggregate((s) => ({ n: count(), first: min(s.at), last: max(s.at) }))
    .output({ times: 'epoch-seconds', finalColumn: 'is_final', topic: 'totals' })
    .emit({ everyMs: 1000 })
    .named('in-epoch-seconds'),

  // Windows that slide.
  slidingDistinct.named('sliding'),
  slidingDistinct.emit({ everyMs: 1000 }).named('sliding-running'),
  slidingDistinct.lateness(seconds(10)).named('sliding-patient'),
  slidingSellers.named('sliding-sellers'),
  slidingSellers.lateness(seconds(10)).emit({ everyMs: 1000 }).named('sliding-sellers-patient'),
  sliding
    .aggregate((s) => ({ pieces: sum(s.quantity), mean: average(s.quantity, { scale: 1 }) }))
    .lateness(seconds(10))
    .named('sliding-pieces'),

  // Sessions and duplicates.
  from(sales)
    .window(session({ gapMs: seconds(30) }))
    .groupBy('seller')
    .aggregate((s) => ({ n: count(), revenue: sum(s.price), most: max(s.price), products: countDistinct(s.product) }))
    .lateness(minutes(2))
    .named('visits'),
  from(sales)
    .window(session({ gapMs: seconds(30) }))
    .aggregate(() => ({ n: count() }))
    .emit({ everyMs: 1000 })
    .named('visits-running'),
  from(sales)
    .deduplicate({ identity: ['id'], horizonMs: minutes(5) })
    .window(minute)
    .aggregate((s) => ({ n: count(), revenue: sum(s.price) }))
    .lateness(minutes(10))
    .named('once'),
  from(sales)
    .deduplicate({ identity: ['seller', 'product'], horizonMs: minutes(5) })
    .select('seller', 'product', 'price')
    .named('first-of-each'),

  // The first of a window, and windows that grow.
  products.top({ rows: 2, by: 'revenue' }).named('best-two'),
  products.top({ rows: 2, by: 'revenue' }).lateness(minutes(10)).named('best-two-patient'),
  products
    .top({ rows: 1, by: 'revenue', within: ['seller'] })
    .lateness(minutes(10))
    .named('best-of-each'),
  products
    .top({
      rows: 2,
      by: [
        { column: 'stars', descending: true },
        { column: 'revenue', descending: false },
      ],
    })
    .named('most-liked'),
  upToMinute.aggregate((s) => ({ n: count(), sellers: countDistinct(s.seller), most: max(s.price) })).named('so-far'),
  upToMinute
    .groupBy('seller')
    .aggregate((s) => ({ n: count(), revenue: sum(s.price), products: countDistinct(s.product) }))
    .lateness(minutes(10))
    .emit({ everyMs: 1000 })
    .named('so-far-each'),

  // What is picked, and what is spread.
  from(sales)
    .window(minute)
    .aggregate((s) => ({
      opener: first(s.seller),
      opened: first(s.price, { where: s.channel.equals('web') }),
      closer: last(s.seller),
      closed: last(s.refund),
    }))
    .lateness(minutes(10))
    .named('first-and-last'),
  from(sales)
    .window(hopping({ sizeMs: seconds(3), slideMs: seconds(1) }))
    .groupBy('product')
    .aggregate((s) => ({ dearest: argmax(s.seller, s.price), liked: argmax(s.price, s.stars), latest: last(s.seller) }))
    .lateness(seconds(10))
    .named('sliding-picks'),
  from(sales)
    .window(minute)
    .aggregate((s) => ({ n: count(s.refund), spread: variance(s.refund), median: quantile(s.refund, 0.5) }))
    .lateness(minutes(10))
    .named('spread'),
  from(sales)
    .window(minute)
    .aggregate((s) => ({
      first: min(s.seller),
      last: max(s.seller),
      any: max(s.paid),
      web: min(s.product, { where: s.paid }),
    }))
    .lateness(minutes(10))
    .named('by-letter'),

  // Without windows: so far, at each row, and fading.
  from(sales)
    .groupBy('seller')
    .aggregate((s) => ({
      n: count(),
      revenue: sum(s.price),
      products: countDistinct(s.product),
      newest: last(s.product),
    }))
    .named('ever'),
  from(sales)
    .over({ by: ['seller'], rangeMs: minutes(1) }, (s) => ({ n: count(), revenue: sum(s.price), most: max(s.price) }))
    .select('seller', 'at', 'n', 'revenue', 'most')
    .named('last-minute'),
  from(sales)
    .over({ by: ['seller'], rangeMs: minutes(1) }, (s) => ({ n: count(), products: countDistinct(s.product) }))
    .select('seller', 'at', 'n', 'products')
    .lateness(minutes(2))
    .named('last-minute-patient'),
  from(sales)
    .decayedSum('heat', { by: ['product'], of: (s) => s.price, halfLifeMs: seconds(10) })
    .select('product', 'at', 'heat')
    .named('heat'),
  from(sales)
    .derive((s) => ({ kind: when(s.price.atLeast(10), 'dear').when(s.price.isNull(), 'free').otherwise('cheap') }))
    .groupBy('kind')
    .aggregate((s) => ({ n: count(), revenue: sum(s.price) }))
    .top({ rows: 1, by: 'n' })
    .named('commonest-kind'),

  // Windows of windows, and computed columns.
  perSeller
    .window(tumbling({ sizeMs: hours(1) }))
    .groupBy('seller')
    .aggregate((m) => ({ minutes: count(), best: max(m.revenue), revenue: sum(m.revenue) }))
    .named('hours-of-minutes'),
  perSeller
    .window(tumbling({ sizeMs: minutes(3) }))
    .aggregate((m) => ({ rows: count(), sellers: countDistinct(m.seller), best: argmax(m.seller, m.revenue) }))
    .lateness(minutes(10))
    .named('threes-of-minutes-patient'),
  from(sales)
    .derive((s) => ({
      parity: s.quantity.modulo(2),
      size: when(s.price.atLeast(10), 2).otherwise(1),
    }))
    .window(minute)
    .groupBy('parity', 'size')
    .aggregate((s) => ({ n: count(), revenue: sum(s.price) }))
    .named('computed'),

  // Two topics in one plan.
  from(sales)
    .select('seller', 'product', 'at')
    .join(sent, { how: 'interval', side: 'left', on: { seller: 'city' }, beforeMs: 0, afterMs: minutes(1) })
    .named('sent-soon'),
  from(sales)
    .select('seller', 'price', 'at')
    .join(sent, { how: 'latest', side: 'inner', on: { seller: 'city' }, withinMs: minutes(5) })
    .lateness(seconds(20))
    .named('sent-last'),
  perSeller
    .join(perCity, { side: 'left', on: { seller: 'to' } })
    .lateness(minutes(1))
    .named('sold-and-sent'),
  from(sales)
    .select('seller', 'at')
    .union(from(parcels).select('to', 'at').rename({ to: 'seller' }))
    .window(minute)
    .groupBy('seller')
    .aggregate(() => ({ n: count() }))
    .lateness(seconds(30))
    .named('heard-of'),

  // Calendars.
  from(parcels)
    .window(calendar('day'))
    .aggregate((p) => ({ n: count(), postage: sum(p.postage) }))
    .named('per-day'),
  from(parcels)
    .window(calendar('week'))
    .aggregate(() => ({ n: count() }))
    .named('per-week'),
  from(parcels)
    .window(calendar('month'))
    .aggregate((p) => ({ n: count(), postage: sum(p.postage) }))
    .lateness(days(2))
    .named('per-month'),
  from(parcels)
    .window(calendar('day', { zone: 'America/Bogota' }))
    .aggregate(() => ({ n: count() }))
    .named('per-day-in-bogota'),

  // Exact figures.
  from(sales)
    .window(exact)
    .aggregate((s) => ({ pieces: sum(s.quantity), mean: average(s.quantity, { scale: 1 }) }))
    .lateness(minutes(10))
    .named('pieces'),
  from(sales)
    .window(exact)
    .aggregate((s) => ({ n: count(), least: min(s.price), most: max(s.price), earliest: min(s.at) }))
    .lateness(minutes(10))
    .named('extremes'),
  from(sales)
    .window(exact)
    .aggregate((s) => ({
      mean: average(s.price, { scale: 2 }),
      tenths: average(s.price, { scale: 1 }),
      whole: average(s.price, { scale: 0 }),
    }))
    .named('means'),
  from(parcels)
    .window(exact)
    .groupBy('to')
    .aggregate((p) => ({ postage: sum(p.postage), mean: average(p.postage, { scale: 2 }), heaviest: max(p.kilograms) }))
    .named('postage'),
  from(sales)
    .window(exact)
    .aggregate((s) => ({
      refunds: count(s.refund),
      refunded: sum(s.refund),
      share: ratio(sum(s.refund), sum(s.price), { scale: 3 }),
      per_star: ratio(sum(s.price), sum(s.stars), { scale: 2 }),
    }))
    .named('ratios'),
  from(sales)
    .derive((s) => ({ total: s.price.times(s.quantity) }))
    .derive((s) => ({ net: s.total.minus(s.refund) }))
    .window(exact)
    .aggregate((s) => ({ total: sum(s.total), net: sum(s.net), biggest: max(s.total) }))
    .named('net-totals'),

  // Nulls and conditions.
  from(sales)
    .window(exact)
    .groupBy('seller')
    .aggregate((s) => ({
      n: count(),
      refunds: count(s.refund),
      refunded: sum(s.refund),
      mean: average(s.refund, { scale: 2 }),
      most: max(s.refund),
      channels: countDistinct(s.channel),
    }))
    .named('nulls'),
  from(sales)
    .filter((s) => s.refund.below(5).or(s.seller.equals('ana')))
    .window(exact)
    .aggregate(() => ({ n: count() }))
    .named('filtered'),
  from(sales)
    .filter((s) => s.paid.not())
    .window(exact)
    .aggregate(() => ({ n: count() }))
    .named('unpaid'),
  from(sales)
    .window(exact)
    .aggregate((s) => ({
      n: count(),
      web: count(null, { where: s.channel.equals('web') }),
      web_revenue: sum(s.price, { where: s.channel.equals('web') }),
      web_sellers: countDistinct(s.seller, { where: s.channel.equals('web') }),
      web_mean: average(s.price, { scale: 2, where: s.channel.equals('web') }),
    }))
    .named('with-conditions'),

  // Tables, and plans without windows.
  ...(['dead-letter', 'drop', 'null'] as const).map((unknown) =>
    from(sales)
      .lookup(
        staticTable({
          name: 'people',
          columns: { city: { kind: 'string' }, level: { kind: 'int64' } },
          rows: { ana: { city: 'Rio', level: 3 }, bea: { city: 'Lima', level: 1 } },
        }),
        { by: 'seller', unknown },
      )
      .window(exact)
      .groupBy('city')
      .aggregate((s) => ({ n: count(), levels: sum(s.level) }))
      .named(`cities-${unknown}`),
  ),
  from(sales)
    .filter((s) => s.price.atLeast(10))
    .select('seller', 'price', 'at')
    .named('large-sales'),
  from(sales)
    .derive((s) => ({ total: s.price.times(s.quantity) }))
    .select('seller', 'total')
    .named('all-totals'),
]

export const plans: ReadonlyMap<string, Plan> = new Map(made.map((plan) => [plan.name, plan]))
