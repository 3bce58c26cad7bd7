// The query language: what it infers, what must not compile, and the Plans it builds (golden text of `explain`).
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { contract, field, nullable } from './contract.ts'
import type { Plan } from './plan.ts'
import {
  argmax,
  average,
  calendar,
  count,
  countDistinct,
  cumulative,
  explain,
  first,
  from,
  greatest,
  hopping,
  last,
  least,
  max,
  minutes,
  quantile,
  ratio,
  seconds,
  staticTable,
  sum,
  tumbling,
  variance,
  when,
} from './query.ts'

const sales = contract({
  topic: 'sales',
  version: 1,
  partitions: 6,
  key: 'seller',
  eventTime: 'sale_date',
  identity: 'id_sale',
  outOfOrderMs: 5000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 3_600_000,
  doc: 'what was sold',
  fields: {
    id_sale: field({ kind: 'uuid' }, 'identity'),
    id_product: field({ kind: 'string' }, 'what', { aliases: ['asin'] }),
    nm_category: field({ kind: 'string' }, 'category', { default: 'General Category' }),
    seller: field({ kind: 'string' }, 'who'),
    coupon: nullable({ kind: 'string' }, 'code, if any'),
    price: field({ kind: 'money', scale: 2, currency: 'USD' }, 'for one'),
    shipping: field({ kind: 'money', scale: 2, currency: 'BRL' }, 'in another currency'),
    quantity: field({ kind: 'int64' }, 'how many', { default: 1 }),
    weight: field({ kind: 'float64' }, 'kilograms', { default: 0 }),
    sale_date: field({ kind: 'timestamp' }, 'when'),
  },
})

const salesWindow = from(sales)
  .derive((s) => ({ total: s.price.times(s.quantity) }))
  .window(hopping({ sizeMs: minutes(15), slideMs: seconds(1) }))
  .aggregate((s) => ({
    sales: count(),
    revenue: sum(s.total),
    avg_ticket: average(s.total, { scale: 2 }),
    active_sellers: countDistinct(s.seller),
    biggest_sale: max(s.total),
  }))
  .emit({ everyMs: 1000 })
  .lateness(seconds(60))
  .named('sales-window')

const productNames = staticTable({
  name: 'product-names',
  columns: { product_name: { kind: 'string' } },
  rows: { 'prod-2': { product_name: 'Phone' }, 'prod-1': { product_name: 'Laptop' } },
})

test('a plan is frozen, JSON-safe data that survives a round trip', () => {
  const copy: Plan = JSON.parse(JSON.stringify(salesWindow))
  assert.deepEqual(copy, salesWindow)
  assert.ok(Object.isFrozen(salesWindow))
  assert.ok(salesWindow.nodes.every((node) => Object.isFrozen(node) && Object.isFrozen(node.columns)))
})

test('explain prints the operators with keys, modes and ids', () => {
  assert.equal(
    explain(salesWindow),
    `plan sales-window (version 1)
  emit      every 1 s, and on close
  lateness  1 min
  output    sales-window, times as iso-seconds

window-aggregate #${salesWindow.nodes[2]?.id}
  hopping 15 min every 1 s
  sales = count()
  revenue = sum(total)
  avg_ticket = ratio(sum(total), count(total), 2 decimals)
  active_sellers = count-distinct(seller)
  biggest_sale = max(total)
  changelog upsert by window_start, window_end; time window_end; order partition; merges; evidence partition-and-pane
  | window_start: timestamp
  | window_end: timestamp
  | sales: int64
  | revenue: money(2 decimals, USD)
  | avg_ticket: money(2 decimals, USD)
  | active_sellers: int64
  | biggest_sale: money(2 decimals, USD)

project #${salesWindow.nodes[1]?.id}
  total = (price * quantity)
  changelog append; time sale_date; order none; merges; evidence record
  | seller: string
  | price: money(2 decimals, USD)
  | quantity: int64
  | sale_date: timestamp
  | total: money(2 decimals, USD)

source #${salesWindow.nodes[0]?.id}
  topic sales, contract version 1, event time sale_date
  out of order 5 s, idle after 30 s, future limit 1 h
  changelog append; time sale_date; order none; merges; evidence record
  | seller: string
  | price: money(2 decimals, USD)
  | quantity: int64
  | sale_date: timestamp
`,
  )
})

test('operator ids: equal sub-plans share them, whatever the plan is called; a change changes what comes after only', () => {
  const ids = (sizeMinutes: number, name: string) =>
    from(sales)
      .filter((s) => s.seller.startsWith('seller.'))
      .window(tumbling({ sizeMs: minutes(sizeMinutes) }))
      .aggregate(() => ({ sales: count() }))
      .named(name)
      .nodes.map((node) => node.id)
  assert.deepEqual(ids(1, 'a'), ids(1, 'b'))
  const [one, two] = [ids(1, 'a'), ids(2, 'a')]
  assert.deepEqual(one.slice(0, 2), two.slice(0, 2))
  assert.notEqual(one[2], two[2])
  assert.match(one[0] ?? '', /^[0-9a-f]{16}$/)
})

test('the id of a known plan does not change: state in the field is found by it', () => {
  const plan = from(sales)
    .window(tumbling({ sizeMs: 1000 }))
    .aggregate(() => ({ sales: count() }))
    .named('pinned')
  assert.equal(plan.nodes[0]?.id, '99bea235961ba7ba')
  assert.equal(plan.nodes[1]?.id, 'b11c895e452780b0')
})

test('groups, lookups, filters, calendar windows and outputs are in the plan', () => {
  const plan = from(sales)
    .filter((s) => s.price.above('10.50').and(s.coupon.isNull().not()).or(s.seller.oneOf('a', 'b')))
    .lookup(productNames, { by: 'id_product', unknown: 'dead-letter' })
    .window(calendar('month', { zone: 'America/Sao_Paulo' }))
    .groupBy('id_product', 'product_name')
    .aggregate((s) => ({
      sum_weightless: sum(s.price),
      buyers: countDistinct(s.coupon),
      big: count(null, { where: s.price.atLeast(100) }),
    }))
    .output({ times: 'epoch-seconds', finalColumn: 'is_final' })
    .named('by-product')
  const text = explain(plan)
  assert.match(text, /where \(\(\(price > 10\.50\) and not \(coupon is null\)\) or \(seller in \["a", "b"\]\)\)/)
  assert.match(text, /product_name from product-names \(2 rows\) by id_product; unknown: dead-letter/)
  assert.match(text, /calendar month in America\/Sao_Paulo\n {2}by id_product, product_name/)
  assert.match(text, /big = count\( where \(price >= 100\.00\)\)/)
  assert.match(text, /times as epoch-seconds, final in is_final/)
  assert.deepEqual(
    plan.nodes[2]?.kind === 'lookup' && 'rows' in plan.nodes[2].table && plan.nodes[2].table.rows[0]?.key,
    'prod-1',
  )
})

test('a plan of single rows puts out every column it was left with', () => {
  const plan = from(sales).select('seller', 'price').named('narrow')
  assert.deepEqual(
    plan.nodes[1]?.columns.map((column) => column.name),
    ['seller', 'price'],
  )
  assert.deepEqual(plan.nodes[1]?.changelog, { mode: 'append' })
})

test('deduplication, cumulative windows, picked values and a top are in the plan', () => {
  const plan = from(sales)
    .deduplicate({ identity: ['id_sale'], horizonMs: minutes(10), horizonBytesMax: 2 ** 20 })
    .window(cumulative({ sizeMs: minutes(60), stepMs: minutes(1) }))
    .groupBy('seller', 'nm_category')
    .aggregate((s) => ({
      revenue: sum(s.price),
      opened: first(s.id_product),
      latest: last(s.coupon),
      dearest: argmax(s.id_product, s.price),
    }))
    .top({ rows: 3, by: 'revenue', within: ['nm_category'] })
    .named('best-sellers')
  const text = explain(plan)
  assert.match(text, /3 rows per window_start, window_end, nm_category by revenue descending/)
  assert.match(text, /cumulative to 1 h by 1 min\n {2}by seller, nm_category/)
  assert.match(
    text,
    /opened = first\(id_product\)\n {2}latest = last\(coupon\)\n {2}dearest = argmax\(id_product, price\)/,
  )
  assert.match(text, /by id_sale within 10 min and 1048576 bytes/)
  assert.match(text, /\| latest: string or null/)
  assert.deepEqual(JSON.parse(JSON.stringify(plan)), plan)
  assert.deepEqual(
    plan.nodes.map(({ kind, order, merges }) => `${kind} ${order} ${merges}`),
    ['source none true', 'deduplicate total false', 'window-aggregate partition true', 'top none false'],
  )
})

test('running groups, ranges at each row and decayed sums are in the plan, with a golden of its JSON form', () => {
  const plan = from(sales)
    .derive((s) => ({
      each: s.price.dividedBy(s.quantity, { scale: 4 }),
      kind: when(s.price.above(100), 'dear').otherwise(s.coupon.orElse('plain')),
      hour: s.sale_date.part('hour-of-week', { zone: 'America/Sao_Paulo' }),
      heavy: greatest(s.weight, s.weight.absolute()).sqrt(),
    }))
    .over({ by: ['seller'], rangeMs: minutes(60) }, (s) => ({
      spent_1h: sum(s.price),
      median_1h: quantile(s.price, 0.5),
      buys_1h: countDistinct(s.id_sale),
    }))
    .decayedSum('trend', { by: ['id_product'], of: (s) => s.quantity, halfLifeMs: minutes(120) })
    .groupBy('kind')
    .aggregate((s) => ({ n: count(), spread: variance(s.trend), latest: last(s.each), most: max(s.spent_1h) }))
    .top({ rows: 3, by: 'n' })
    .named('velocity')
  assert.deepEqual(
    plan.nodes.map(({ kind, order, merges, time, evidence }) => `${kind} ${order} ${merges} ${time} ${evidence}`),
    [
      'source none true sale_date record',
      'project none true sale_date record',
      'over partition false sale_date partition-and-pane',
      'decayed-sum partition false sale_date partition-and-pane',
      'running-aggregate none true null partition-and-pane',
      'top none false null partition-and-pane',
    ],
  )
  assert.deepEqual(plan.emit, { mode: 'on-change' })
  const text = explain(plan)
  assert.match(text, /per seller, the last 1 h\n {2}spent_1h = sum\(price\)\n {2}median_1h = quantile\(price, 0\.5\)/)
  assert.match(text, /quantity per id_product, half-life 2 h/)
  assert.match(text, /\(when \(price > 100\.00\) then "dear" else coalesce\(coupon, "plain"\)\)/)
  assert.match(
    text,
    /each = ratio\(price, quantity, 4 decimals\)\n.*\n {2}hour = hour-of-week\(sale_date in America\/Sao_Paulo\)/,
  )
  assert.match(text, /\| trend: float64\n/)
  const golden = new URL('goldens/velocity.json', import.meta.url)
  // `npm run format` brings it into the form of the house.
  if (process.env.UPDATE_GOLDENS) writeFileSync(golden, `${JSON.stringify(plan, null, 2)}\n`)
  assert.deepEqual(JSON.parse(readFileSync(golden, 'utf8')), plan)
})

test('mistakes that the compiler cannot see are named', () => {
  assert.throws(() => hopping({ sizeMs: 1000, slideMs: 300 }), /1000 is not a multiple of slideMs 300\. Choose a slide/)
  assert.throws(() => tumbling({ sizeMs: 0 }), /not a positive number/)
  assert.throws(() => calendar('day', { zone: 'Mars/Olympus' }), /unknown time zone 'Mars\/Olympus'/)
  assert.throws(() => from(sales).named('Not A Name'), /not a plan name/)
  assert.throws(() => from(sales).filter((s) => s.price.above(1.005)), /not exact at 2 decimals/)
  assert.throws(
    () => from(sales).derive((s) => ({ x: s.price.dividedBy(s.quantity, { scale: 16 }) })),
    /scale: 16 is no number of decimals\. Use a whole number from 0 to 15/,
  )
  assert.throws(
    () => from(sales).derive((s) => ({ x: s.sale_date.part('hour', { zone: 'Mars/Olympus' }) })),
    /plan 'part 'hour'', zone: unknown time zone 'Mars\/Olympus'/,
  )
  const windows = from(sales).window(tumbling({ sizeMs: 1 }))
  assert.throws(
    () => windows.aggregate((s) => ({ x: quantile(s.price, 95) })),
    /plan 'quantile', fraction: 95 is no fraction of six decimals at most\. Use 0\.5/,
  )
  assert.throws(
    () => windows.aggregate((s) => ({ x: ratio(average(s.price, { scale: 2 }), count(), { scale: 2 }) })),
    /plan 'ratio', ratio: a ratio divides counts, sums, .* Divide what it is made of/,
  )
  assert.throws(
    () => from(sales).over({ by: ['seller'], rangeMs: 0 }, () => ({ n: count() })),
    /plan 'sales', rangeMs: 0 is not a positive number of milliseconds/,
  )
  assert.throws(
    () => from(sales).decayedSum('t', { by: ['seller'], of: (s) => s.quantity, halfLifeMs: -1 }),
    /plan 'sales', halfLifeMs: -1 is not a positive number/,
  )
  assert.throws(
    () => from(sales).over({ by: [], rangeMs: 1 }, () => ({ seller: count() })),
    /plan 'sales', over: two columns are named 'seller'\. Rename one/,
  )
  assert.throws(
    () =>
      from(sales)
        .select('seller')
        .over({ by: [], rangeMs: 1 }, () => ({ n: count() })),
    /plan 'sales', over: its rows have no time\. Keep the column of the event time/,
  )
  const twice = () =>
    from(sales)
      .window(tumbling({ sizeMs: 1 }))
      .groupBy('seller')
      .aggregate(() => ({ seller: count() }))
  assert.throws(twice, /two columns are named 'seller'/)
})

test('what must not compile does not', () => {
  const wrong = () => {
    const rows = from(sales)
    const windows = rows.window(tumbling({ sizeMs: 1 }))
    // @ts-expect-error a misspelt field
    rows.derive((s) => ({ total: s.prise.times(s.quantity) }))
    // @ts-expect-error a sum over a string
    windows.aggregate((s) => ({ x: sum(s.seller) }))
    // @ts-expect-error an exact sum over floats
    windows.aggregate((s) => ({ x: sum(s.weight) }))
    // @ts-expect-error money times money
    rows.derive((s) => ({ x: s.price.times(s.price) }))
    // @ts-expect-error two currencies
    rows.derive((s) => ({ x: s.price.plus(s.shipping) }))
    // @ts-expect-error the lesser of two currencies
    rows.derive((s) => ({ x: least(s.price, s.shipping) }))
    // @ts-expect-error branches of two types
    rows.derive((s) => ({ x: when(s.price.above(1), s.price).otherwise(s.quantity) }))
    // @ts-expect-error a text in place of an amount
    rows.derive((s) => ({ x: s.price.orElse(s.seller) }))
    // @ts-expect-error what is left of an amount in another currency
    rows.derive((s) => ({ x: s.price.modulo(s.shipping) }))
    // @ts-expect-error an amount divided by a float
    rows.derive((s) => ({ x: s.price.dividedBy(s.weight, { scale: 2 }) }))
    // @ts-expect-error the logarithm of an exact number
    rows.derive((s) => ({ x: s.price.ln() }))
    // @ts-expect-error the hour of a number
    rows.derive((s) => ({ x: s.quantity.part('hour') }))
    // @ts-expect-error a time plus a time
    rows.derive((s) => ({ x: s.sale_date.plusMs(s.sale_date) }))
    // @ts-expect-error the time since a number
    rows.derive((s) => ({ x: s.sale_date.since(s.quantity) }))
    // @ts-expect-error a range by a column that does not exist
    rows.over({ by: ['nobody'], rangeMs: 1 }, () => ({ n: count() }))
    // @ts-expect-error a decayed sum of a text
    rows.decayedSum('x', { by: ['seller'], of: (s) => s.seller, halfLifeMs: 1 })
    const totals = rows.groupBy('seller').aggregate(() => ({ n: count() }))
    // @ts-expect-error running groups have no window
    totals.select('window_end')
    // @ts-expect-error running groups by a float
    rows.groupBy('weight')
    // @ts-expect-error a prefix of a number
    rows.filter((s) => s.quantity.startsWith('1'))
    // @ts-expect-error a column that is not a condition
    rows.filter((s) => s.seller)
    // @ts-expect-error a group that does not exist
    windows.groupBy('nobody')
    // @ts-expect-error a group by a float
    windows.groupBy('weight')
    // @ts-expect-error a column that select dropped
    rows.select('seller').filter((s) => s.price.above(1))
    // @ts-expect-error a lookup by a number
    rows.lookup(productNames, { by: 'price', unknown: 'drop' })
    // @ts-expect-error an identity that does not exist
    rows.deduplicate({ identity: ['id'], horizonMs: 1 })
    // @ts-expect-error an identity of nothing
    rows.deduplicate({ identity: [], horizonMs: 1 })
    // @ts-expect-error the variance of a text
    windows.aggregate((s) => ({ x: variance(s.seller) }))
    // @ts-expect-error the median of times
    windows.aggregate((s) => ({ x: quantile(s.sale_date, 0.5) }))
    // @ts-expect-error a sum of times
    windows.aggregate((s) => ({ x: sum(s.sale_date) }))
    // @ts-expect-error a time compared with a number of milliseconds from a column
    rows.filter((s) => s.sale_date.above(s.quantity))
    // @ts-expect-error a number compared with a time
    rows.filter((s) => s.quantity.above(s.sale_date))
    // @ts-expect-error an amount compared with one in another currency
    rows.filter((s) => s.price.above(s.shipping))
    // @ts-expect-error the first of floats
    windows.aggregate((s) => ({ x: first(s.weight) }))
    const table = windows.groupBy('seller').aggregate((s) => ({ x: sum(s.price) }))
    // @ts-expect-error a top by a column that the table does not have
    table.top({ rows: 1, by: 'price' })
    const picked = windows.aggregate((s) => ({ x: argmax(s.coupon, s.price), y: last(s.seller) })).named('y').rows
    const [maybe, known]: [true | undefined, false | undefined] = [picked?.x.nullable, picked?.y.nullable]
    const derived = rows
      .derive((s) => ({ each: s.price.dividedBy(s.quantity, { scale: 4 }), sure: s.coupon.orElse('none') }))
      .select('each', 'sure')
      .named('z').rows
    const each: 'USD' | undefined = derived?.each.type.currency
    const scale: 4 | undefined = derived?.each.type.scale
    const sure: false | undefined = derived?.sure.nullable
    const ranged = rows
      .over({ by: ['seller'], rangeMs: 1 }, (s) => ({ spent: sum(s.price) }))
      .decayedSum('trend', { by: ['seller'], of: (s) => s.quantity, halfLifeMs: 1 })
      .named('w').rows
    const trend: 'float64' | undefined = ranged?.trend.type.kind
    const spent: 'USD' | undefined = ranged?.spent.type.currency
    const row = table.named('x').rows
    // @ts-expect-error a column that the result does not have
    row?.nothing
    const kind: 'money' | undefined = row?.x.type.kind
    const currency: 'USD' | undefined = row?.x.type.currency
    const nullable: false | undefined = row?.seller.nullable
    return [kind, currency, nullable, maybe, known, each, scale, sure, trend, spent]
  }
  assert.equal(typeof wrong, 'function')
})
