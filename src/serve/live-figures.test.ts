// The live tables: rows replaced by time, the window before found, bounded length.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { liveFigures } from './live-figures.ts'
import type { KpiRow } from './ports.ts'

const settings = { currency: 'BRL', scale: 2, windowMs: 3_000, slideMs: 1_000 }
const row = (windowEndMs: number, sales: number, timing: KpiRow['timing'] = 'on-time'): KpiRow => ({
  windowStartMs: windowEndMs - 3_000,
  windowEndMs,
  sales,
  revenueMinor: sales * 100,
  averageTicketMinor: 100,
  activeSellers: 1,
  activeCategories: 1,
  activeProducts: 1,
  biggestSaleMinor: 100,
  timing,
})

test('a row of the same window replaces the one before', () => {
  const figures = liveFigures(settings)
  figures.window(row(10_000, 5, 'early'))
  figures.window(row(11_000, 2, 'early'))
  figures.window(row(10_000, 7))
  const state = figures.snapshot()
  assert.deepEqual(
    state.history.map(({ windowEndMs, sales, timing }) => [windowEndMs, sales, timing]),
    [
      [10_000, 7, 'on-time'],
      [11_000, 2, 'early'],
    ],
  )
  assert.equal(state.current?.windowEndMs, 11_000)
})

test('the previous window is the one that ends where the current begins, or unknown', () => {
  const figures = liveFigures(settings)
  figures.window(row(10_000, 5))
  figures.window(row(12_000, 6))
  assert.equal(figures.snapshot().previous, null)
  figures.window(row(13_000, 7))
  assert.equal(figures.snapshot().previous, null, 'data may have begun within it')
  figures.window(row(8_000, 1))
  assert.equal(figures.snapshot().previous?.windowEndMs, 10_000)
})

test('old rows leave, the newest stay, in order', () => {
  const figures = liveFigures(settings)
  for (let i = 1; i <= 5_000; i++) figures.second({ secondMs: i * 1_000, sales: i, revenueMinor: 0 })
  figures.second({ secondMs: 4_990_000, sales: 1, revenueMinor: 0 })
  const { series } = figures.snapshot()
  assert.ok(series.length >= 300 && series.length <= 338, String(series.length))
  assert.equal(series.at(-1)?.secondMs, 5_000_000)
  assert.equal(series.find((each) => each.secondMs === 4_990_000)?.sales, 1)
  assert.ok(series.every((each, i) => i === 0 || series[i - 1]!.secondMs < each.secondMs))
})

test('listeners hear of progress until they leave', () => {
  const figures = liveFigures(settings)
  let heard = 0
  const leave = figures.subscribe(() => heard++)
  figures.moved({ epoch: 3, watermarkMs: 1, eventTimeMaxMs: 2 })
  leave()
  figures.moved({ epoch: 4, watermarkMs: 1, eventTimeMaxMs: 2 })
  assert.equal(heard, 1)
  assert.equal(figures.snapshot().epoch, 4)
})
