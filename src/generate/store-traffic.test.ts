// The small store as one world: what is bought was looked at and put into the cart before, leaves the stock to the unit
// and costs what its parts cost; the funnel and the rates are those asked for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseInstant } from '../std/instant.ts'
import { type StoreSettings, storeTopics, storeTopicsBeside, storeTraffic } from './generate.ts'
import { cartsPerViewRealistic, funnel, purchasesPerCart } from './store-funnel.ts'
import { holdMsFor } from './store-stock.ts'

const startMs = Date.UTC(2026, 0, 5, 15)
const minuteMs = 60_000
const decoder = new TextDecoder()

interface Made {
  readonly topic: string
  readonly key: string
  readonly line: string
  readonly arrivalMs: number
}
function make(seed: string, settings: Omit<StoreSettings, 'startMs'>, minutes: number): Made[] {
  const made: Made[] = []
  storeTraffic(seed, { startMs, ...settings }).produceUntil(startMs + minutes * minuteMs, {
    record: (topic, key, value, arrivalMs) =>
      made.push({ topic, key: decoder.decode(key), line: decoder.decode(value), arrivalMs }),
  })
  return made
}
interface Item {
  readonly product_id: string
  readonly price: number
  readonly quantity: number
  readonly item_total: number
}
const cents = (amount: number): number => Math.round(amount * 100)

for (const profile of ['documents', 'realistic'] as const) {
  test(`E1-E3 (${profile}): one world, every purchase with its views, carts and stock, to the cent and to the unit`, () => {
    const rate = profile === 'documents' ? 400 : 1_000
    const minutes = 4
    const everything = make(
      '17',
      { ratePerSecond: rate, steady: true, profile, topics: [...storeTopics, ...storeTopicsBeside] },
      minutes,
    )
    const truths = new Map<string, { kind: string; entity_ids: string[]; event_ids: string[] }>()
    for (const { topic, key, line } of everything) if (topic === 'ground-truth') truths.set(key, JSON.parse(line))
    const stolen = new Set([...truths.values()].flatMap(({ kind, event_ids }) => (kind === 'fraud' ? event_ids : [])))
    const programs = new Set([...truths.values()].flatMap(({ kind, entity_ids }) => (kind === 'bot' ? entity_ids : [])))
    const missing = new Set(
      [...truths.values()].flatMap(({ kind, event_ids }) => (kind === 'anomaly' ? event_ids : [])),
    )
    // A purchase of the last seconds may come after the end of this run, its change of stock before it.
    const endMs = startMs + minutes * minuteMs - 5_000
    const isWhole = ({ line }: Made): boolean => parseInstant(JSON.parse(line).timestamp) < endMs
    const made = everything.filter((one) => storeTopics.includes(one.topic) && isWhole(one))
    const counts = new Map<string, number>()
    /** Newest session of a user, and when it last saw and carted each product. */
    const sessions = new Map<string, { id: string; seen: Map<string, number>; carted: Map<string, number> }>()
    const ids = new Set<string>()
    const stock = new Map<string, number>()
    const sold = new Map<string, number>()
    const told = new Map<string, number>()
    let declined = 0
    let lines = 0
    let restocked = 0
    let kinds = { product_view: 0, add_to_cart: 0, search: 0 }
    let lastMs = 0
    // In the order in which it happened: some records arrive some seconds later.
    const happened = made
      .map((one) => ({ ...one, value: JSON.parse(one.line), eventMs: 0 }))
      .map((one) => ({ ...one, eventMs: parseInstant(one.value.timestamp) }))
    for (const { arrivalMs, eventMs, line, value } of happened) {
      assert.ok(arrivalMs >= lastMs && arrivalMs >= startMs, 'handed over in the order of arrival')
      lastMs = arrivalMs
      assert.ok(eventMs >= startMs && eventMs <= arrivalMs && eventMs > arrivalMs - 5_000)
      assert.equal(JSON.stringify(value), line)
    }
    happened.sort((a, b) => a.eventMs - b.eventMs)
    for (const { topic, key, value, eventMs } of happened) {
      counts.set(topic, (counts.get(topic) ?? 0) + 1)
      const id: string = value.event_id ?? value.transaction_id
      assert.ok(!ids.has(id))
      ids.add(id)
      if (topic === 'user-events') {
        assert.equal(key, value.user_id)
        assert.match(key, /^U(0\d{3}|1000)$/)
        assert.match(value.session_id, /^session_\d+$/)
        if (programs.has(value.session_id)) continue
        kinds = { ...kinds, [value.event_type]: kinds[value.event_type as keyof typeof kinds] + 1 }
        let session = sessions.get(key)
        if (session?.id !== value.session_id) {
          session = { id: value.session_id, seen: new Map(), carted: new Map() }
          sessions.set(key, session)
        }
        if (value.event_type === 'login') continue
        if (value.event_type === 'search') {
          assert.ok(value.search_query.length > 0 && value.product_id === undefined)
          continue
        }
        assert.match(value.product_id, /^P0(0\d|10)$/)
        const where = value.event_type === 'product_view' ? session?.seen : session?.carted
        where?.set(value.product_id, eventMs)
      } else if (topic === 'transactions') {
        assert.equal(key, value.user_id)
        const session = sessions.get(key)
        let sum = 0
        assert.match(value.session_id, /^session_\d+$/)
        if (value.items[0].product_id === 'G001') {
          assert.ok(stolen.has(value.transaction_id) && value.total_amount === value.items[0].item_total)
          continue
        }
        if (value.status === 'declined') {
          declined++
          continue
        }
        for (const item of value.items as Item[]) {
          lines++
          const seenMs = session?.seen.get(item.product_id) ?? Number.NaN
          const cartedMs = session?.carted.get(item.product_id) ?? Number.NaN
          if (!stolen.has(value.transaction_id))
            assert.ok(seenMs <= cartedMs && cartedMs <= eventMs, `${item.product_id} of ${value.transaction_id}`)
          assert.equal(cents(item.item_total), cents(item.price) * item.quantity)
          sum += cents(item.item_total)
          sold.set(item.product_id, (sold.get(item.product_id) ?? 0) + item.quantity)
        }
        assert.equal(new Set((value.items as Item[]).map(({ product_id }) => product_id)).size, value.items.length)
        assert.equal(cents(value.total_amount), sum + cents(value.tax_amount) + cents(value.shipping_cost))
        assert.equal(cents(value.tax_amount), Math.floor((sum * 8 + 50) / 100))
        assert.deepEqual(Object.keys(value.shipping_address), ['street', 'city', 'state', 'zip', 'country'])
      }
    }
    // Stock is told in order, so the order of arrival is kept.
    for (const { topic, key, line } of made) {
      if (topic !== 'inventory-updates') continue
      const update = JSON.parse(line)
      assert.equal(key, update.product_id)
      const shelf = `${key}/${update.warehouse_location}`
      const before = stock.get(shelf)
      if (before !== undefined) assert.equal(update.current_stock, before + update.stock_change, shelf)
      assert.ok(update.current_stock >= 0 && update.stock_change !== 0)
      stock.set(shelf, update.current_stock)
      if (update.stock_change > 0 || missing.has(update.event_id)) restocked++
      else told.set(key, (told.get(key) ?? 0) - update.stock_change)
    }
    assert.equal(stock.size, 30, 'ten products in three warehouses')
    const updates = counts.get('inventory-updates')!
    if (profile === 'realistic') {
      assert.equal(updates - restocked, lines, 'one update for each line')
      assert.deepEqual(new Map([...told].sort()), new Map([...sold].sort()))
    } else {
      // What was sold last waits for its update.
      for (const [product, units] of sold) assert.ok(told.get(product)! <= units && told.get(product)! > units * 0.98)
    }
    const events = counts.get('user-events')!
    const bought = counts.get('transactions')!
    const near = (seen: number, asked: number, share: number, what: string): void =>
      assert.ok(Math.abs(seen / asked - 1) < share, `${what}: ${seen}, asked ${asked}`)
    near(made.length, rate * (60 * minutes - 5), 0.05, 'rate')
    near((bought - declined - stolen.size) / kinds.add_to_cart, purchasesPerCart, 0.1, 'purchases by carts')
    if (profile === 'documents') {
      near(events / bought, 20, 0.1, 'events by purchases')
      near(updates / bought, 0.67, 0.1, 'updates by purchases')
    } else near(kinds.add_to_cart / kinds.product_view, cartsPerViewRealistic, 0.1, 'carts by views')
  })
}

test('a topic alone has the bytes that it has beside the others', () => {
  const all = make('3', { ratePerSecond: 2_167, steady: true }, 2)
  for (const [i, topic] of storeTopics.entries()) {
    // The same number of visits: 20, 1 and 0.67 of 21.67 records.
    const alone = make('3', { ratePerSecond: [2_000, 100, 67][i]!, steady: true, topics: [topic] }, 2)
    const beside = all.filter((one) => one.topic === topic)
    assert.ok(alone.length > 1_000)
    assert.deepEqual(alone.slice(0, 50), beside.slice(0, 50))
    assert.deepEqual(alone.at(-1), beside.at(-1))
  }
})

test('E3: sales wait for as long as it takes to make 0.67 updates of 1.14 lines', () => {
  assert.equal(holdMsFor(1, 1), 0)
  const holdMs = holdMsFor(1.14, 0.67)
  assert.ok(holdMs > 5_000 && holdMs < 60_000, `${holdMs}`)
  assert.ok(Math.abs(holdMsFor(11.4, 6.7) - holdMs / 10) < 1)
})

test('E4: a visit of the realistic profile has about five steps and ends in a purchase 2.5 times of a hundred', () => {
  const { expected } = funnel('realistic')
  assert.ok(expected.steps > 4 && expected.steps < 7, `${expected.steps}`)
  assert.ok(Math.abs(expected.purchases - 0.025) < 0.005, `${expected.purchases}`)
})
