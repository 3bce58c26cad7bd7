// E5 by cases: low stock by demand, one alert while it lasts, out of stock, back again; the books add up in
// any order.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ReactionValue } from '../../query/reaction.ts'
import { demandPerMs, reorderPoint, type StockState, stockMonitor, stockPlanName, stockRules } from './stock.ts'

const minuteMs = 60_000
const startMs = Date.UTC(2026, 0, 5, 12)
type Told = Readonly<Record<string, unknown>>
interface Monitor {
  readonly state: StockState
  readonly told: Told[]
  change(atMs: number, change: number, stock: number, product?: string): void
}
function monitor(): Monitor {
  const reaction = stockMonitor()
  const state = reaction.initial()
  const told: Told[] = []
  return {
    state,
    told,
    change(atMs, stock_change, current_stock, product_id = 'P001') {
      const values: Record<string, ReactionValue> = {
        product_id,
        product_name: 'iPhone 15 Pro',
        warehouse_location: 'NYC',
        stock_change,
        current_stock,
        timestamp: atMs,
      }
      reaction.step(
        state,
        { kind: 'row', plan: stockPlanName, values, timing: 'on-time', final: true, weight: 1, evidence: [] },
        (_topic, _key, value) => told.push(value ?? {}),
      )
    },
  }
}

test('falling stock is told once, before it is gone, with the reason and what to order', () => {
  const one = monitor()
  let stock = 200
  // One piece a minute: 20 in a lead time.
  for (let i = 0; stock > 0; i++) one.change(startMs + i * minuteMs, -1, --stock)
  assert.deepEqual(
    one.told.map(({ status }) => status),
    ['low', 'out'],
  )
  const [low, out] = one.told
  assert.ok(Number(low?.current_stock) > 25 && Number(low?.current_stock) < 60, String(low?.current_stock))
  assert.ok(Math.abs(Number(low?.demand_per_hour) - 60) < 8, String(low?.demand_per_hour))
  assert.match(String(low?.sentence), /^LOW STOCK: iPhone 15 Pro in NYC: \d+ left, \d+ is the reorder point, 0\.\d h/)
  assert.match(String(low?.recommendation), /^Order \d+ pieces for NYC now\.$/)
  assert.equal(out?.sentence, 'OUT OF STOCK: iPhone 15 Pro in NYC')
  assert.equal(out?.since, low?.since)
  // An order brings four hours of the present pace above the reorder point.
  assert.equal(low?.reorder_point, low?.threshold)
  assert.equal(Number(low?.order_up_to) - Number(low?.current_stock), low?.order_units)
  assert.ok(Math.abs(Number(low?.days_of_cover) * 24 - Number(low?.hours_of_cover)) < 0.02)
  one.change(startMs + 300 * minuteMs, 5, 5)
  assert.equal(one.told.length, 2, 'a few pieces are no end of it')
  one.change(startMs + 301 * minuteMs, 300, 305)
  assert.deepEqual([one.told.at(-1)?.status, one.told.at(-1)?.order_units], ['ok', 0])
})

test('around the reorder point it does not flap', () => {
  const one = monitor()
  one.change(startMs, -1, 11)
  for (let i = 1; i < 200; i++) one.change(startMs + i * 1_000, i % 2 === 0 ? 1 : -1, i % 2 === 0 ? 11 : 10)
  assert.equal(one.told.filter(({ status }) => status === 'low').length, 1)
  assert.equal(one.told.length, 1)
})

test('the reorder point is demand in a lead time and safety for what varies', () => {
  const perMinute = 1 / minuteMs
  // 20 pieces in 20 minutes; spread sqrt(20 + 10^2).
  assert.equal(reorderPoint(perMinute, 1), Math.ceil(20 + stockRules.serviceZ * Math.sqrt(20 + 100)))
  assert.equal(reorderPoint(0, 1), stockRules.unitsMin)
})

test('demand is what was sold by the time that was seen, however short', () => {
  const one = monitor()
  for (let i = 0; i <= 30; i++) one.change(startMs + i * minuteMs, -2, 1_000 - 2 * i)
  const shelf = one.state.shelves['P001/NYC']
  assert.ok(shelf)
  assert.ok(Math.abs(demandPerMs(shelf) * minuteMs - 2) < 0.15, String(demandPerMs(shelf) * minuteMs))
})

test('changes out of order give the same stock by the books and the level of the newest', () => {
  const changes: readonly (readonly [number, number, number])[] = [
    [0, -3, 97],
    [1, -2, 95],
    [2, 50, 145],
    [3, -5, 140],
  ]
  for (const order of [
    [0, 1, 2, 3],
    [0, 2, 1, 3],
    [0, 3, 2, 1],
  ]) {
    const one = monitor()
    for (const i of order) {
      const [minute, change, stock] = changes[i]!
      one.change(startMs + minute * minuteMs, change, stock)
    }
    const shelf = one.state.shelves['P001/NYC']!
    assert.deepEqual([shelf.stock, shelf.openingStock + shelf.changed], [140, 140], order.join())
  }
})

test('the state survives JSON', () => {
  const one = monitor()
  for (let i = 0; i < 50; i++) one.change(startMs + i * minuteMs, -1, 99 - i)
  assert.deepEqual(JSON.parse(JSON.stringify(one.state)), one.state)
})
