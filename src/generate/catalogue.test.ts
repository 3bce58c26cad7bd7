// The catalogue: its counts, its uniqueness, its prices in their ranges, and the same seed giving the same shop.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogue } from './generate.ts'
import { popularity } from './sales-traffic.ts'

const shop = catalogue('seed-1')

test('9,816 products in 248 categories of 31 departments, each category at least 8', () => {
  assert.equal(shop.products.length, 9_816)
  assert.equal(shop.categories.length, 248)
  assert.equal(new Set(shop.categories.map(({ name }) => name)).size, 248)
  assert.equal(new Set(shop.categories.map(({ department }) => department)).size, 31)
  const sizes = new Map<string, number>()
  for (const { category } of shop.products) sizes.set(category, (sizes.get(category) ?? 0) + 1)
  for (const { name, products } of shop.categories) {
    assert.equal(sizes.get(name), products, name)
    assert.ok(products >= 8, `${name} has ${products}`)
  }
})

test('ids and titles are unique and have their form', () => {
  assert.equal(new Set(shop.products.map(({ id }) => id)).size, shop.products.length)
  assert.equal(new Set(shop.products.map(({ title }) => title)).size, shop.products.length)
  for (const { id, title, brand } of shop.products) {
    assert.match(id, /^B0[0-9A-Z]{8}$/)
    assert.match(title, /^\S+ .+, .+, Model [A-Z]\d{3}$/)
    assert.ok(title.startsWith(`${brand} `))
  }
})

test('every price lies in the range of its category; the quantiles are near those of a real marketplace', () => {
  const ranges = new Map(shop.categories.map((category) => [category.name, category]))
  for (const { category, priceMinor } of shop.products) {
    const { priceMinMinor, priceMaxMinor } = ranges.get(category)!
    assert.ok(Number.isInteger(priceMinor) && priceMinor >= priceMinMinor && priceMinor <= priceMaxMinor)
  }
  const prices = shop.products.map(({ priceMinor }) => priceMinor / 100).sort((a, b) => a - b)
  const expected = [
    [0.01, 5.99],
    [0.25, 17.99],
    [0.5, 33.9],
    [0.75, 91.99],
    [0.99, 802.84],
  ] as const
  for (const [quantile, real] of expected) {
    const ours = prices[Math.floor(quantile * prices.length)]!
    assert.ok(ours > real * 0.8 && ours < real * 1.25, `quantile ${quantile}: ${ours}, real ${real}`)
  }
})

test('the first percent of the products makes about 38 % of the demand, the first fifth about 80 %', () => {
  const weights = shop.products.map((_, rank) => popularity(rank))
  const sum = weights.reduce((a, b) => a + b, 0)
  const head = (share: number): number =>
    weights.slice(0, Math.round(shop.products.length * share)).reduce((a, b) => a + b, 0) / sum
  assert.ok(Math.abs(head(0.01) - 0.38) < 0.02, `${head(0.01)}`)
  assert.ok(Math.abs(head(0.1) - 0.7) < 0.02, `${head(0.1)}`)
  assert.ok(Math.abs(head(0.2) - 0.795) < 0.02, `${head(0.2)}`)
})

test('the same seed gives the same catalogue, another seed another one', () => {
  assert.deepEqual(catalogue('seed-1'), shop)
  assert.notDeepEqual(catalogue('seed-2').products.slice(0, 10), shop.products.slice(0, 10))
})
