// What the page holds: snapshots replace, deltas are laid over, another epoch clears, everything stays bounded.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linePath, minutesIn, ticksTo } from './chart-scale.ts'
import { chartSeconds, type FrameOf, figures, historyMax, type KpiRowJson } from './figures.ts'

const start = Date.UTC(2026, 10, 21, 9)
const text = (second: number): string => new Date(start + second * 1000).toISOString()
const stamp = (second: number, epoch = 'a') => ({
  asOf: text(second),
  watermark: text(second - 5),
  eventTimeMax: text(second),
  epoch,
})
const money = { currency: 'BRL', scale: 2 }

function row(second: number, sales: number): KpiRowJson {
  return {
    windowStart: text(second - 900),
    windowEnd: text(second),
    timing: 'early',
    sales,
    revenueMinor: sales,
    averageTicketMinor: 1,
    activeSellers: 1,
    activeCategories: 1,
    activeProducts: 1,
    biggestSaleMinor: 1,
  }
}
function kpis(kind: 'snapshot' | 'delta', second: number, rows: KpiRowJson[], epoch = 'a'): FrameOf['kpis'] {
  return {
    ...stamp(second, epoch),
    ...money,
    windowSeconds: 900,
    current: rows.at(-1) ?? null,
    previous: null,
    history: rows,
    kind,
  }
}
function series(
  kind: 'snapshot' | 'delta',
  second: number,
  points: [second: number, sales: number][],
): FrameOf['series'] {
  return {
    ...stamp(second),
    ...money,
    points: points.map(([at, sales]) => ({ second: text(at), sales, revenueMinor: sales * 10 })),
    kind,
  }
}

test('history: a delta replaces and adds, a snapshot replaces all, the oldest leave', () => {
  const held = figures()
  held.apply('kpis', kpis('snapshot', 2, [row(1, 10), row(2, 20)]), 0)
  held.apply('kpis', kpis('delta', 3, [row(2, 21), row(3, 30)]), 0)
  assert.deepEqual(
    held.history.map((each) => each.sales),
    [10, 21, 30],
  )
  for (let second = 4; second < 200; second++) held.apply('kpis', kpis('delta', second, [row(second, second)]), 0)
  assert.equal(held.history.length, historyMax)
  assert.equal(held.history.at(-1)?.sales, 199)
  held.apply('kpis', kpis('snapshot', 200, [row(200, 1)]), 0)
  assert.equal(held.history.length, 1)
})

test('the rate: whole seconds up to the newest event, silent ones are zero', () => {
  const held = figures()
  assert.equal(held.rate(), null)
  held.apply('series', series('snapshot', 500, [[400, 7], [499, 9], [500, 1]]), 0) // biome-ignore format: a row of points
  const rate = held.rate()!
  assert.equal(rate.startMs, start + (500 - chartSeconds) * 1000)
  assert.equal(rate.sales.length, chartSeconds)
  assert.equal(rate.sales.at(-1), 9, 'the second that is still going on is left out')
  assert.equal(rate.revenueMinor.at(-1), 90)
  assert.equal(rate.sales[chartSeconds - 100], 7)
  assert.equal(rate.sales[chartSeconds - 50], 0)
  held.apply('series', series('delta', 501, [[499, 12]]), 0)
  assert.equal(held.rate()?.sales.at(-2), 12, 'a late sale raises its second')
})

test('the rings: after hours of seconds only the last ones count, and an old point does not displace a new one', () => {
  const held = figures()
  for (let second = 0; second < 3_000; second++) held.apply('series', series('delta', second, [[second, 5]]), 0)
  held.apply('series', series('delta', 3_000, [[2_100, 99]]), 0)
  const rate = held.rate()!
  assert.ok(rate.sales.every((sales) => sales === 5))
  held.apply('series', series('delta', 4_000, []), 0)
  assert.ok(
    held.rate()!.sales.every((sales) => sales === 0),
    'silence is drawn as zero, not as what was there before',
  )
})

test('another epoch forgets everything that was shown', () => {
  const held = figures()
  held.apply('kpis', kpis('snapshot', 10, [row(10, 10)]), 0)
  held.apply('series', series('snapshot', 10, [[9, 4]]), 0)
  held.apply('kpis', kpis('snapshot', 11, [row(11, 1)], 'b'), 5)
  assert.equal(held.history.length, 1)
  assert.equal(held.rate()?.sales.at(-2), 0)
  assert.equal(held.stamp?.receivedMs, 5)
})

test('ticks are round, start at zero and reach over the greatest value', () => {
  for (const max of [0, 1, 3, 4, 7, 72, 80, 81, 999, 1_000_000]) {
    const ticks = ticksTo(max, 4)
    assert.equal(ticks[0], 0)
    assert.ok(ticks.at(-1)! >= max && ticks.length <= 6 && ticks.length >= 2, `${max}: ${ticks}`)
    assert.ok(ticks.every((tick) => Number.isInteger(tick)))
  }
  assert.deepEqual(ticksTo(72, 4), [0, 20, 40, 60, 80])
})

test('minute marks lie on minutes; the path spans the plot', () => {
  assert.deepEqual(minutesIn(start + 1, start + 120_001, 60_000), [start + 60_000, start + 120_000])
  assert.equal(linePath(Float64Array.of(0, 5, 10), 10, 0, 100, 0, 50), 'M0.0 50.0L50.0 25.0L100.0 0.0')
})
