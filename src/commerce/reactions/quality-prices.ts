// Price spikes (Q3): a price that is several times what its product usually costs. Promotions and price changes are not
// meant; a price that stays is the new usual one.

/** Logarithms, so that times as much and a part of it are alike. */
interface Usual {
  mean: number
  square: number
  count: number
}
interface Product {
  /** Logarithm of the usual price, minor units. */
  usual: number
  seen: number
  /** Far from the usual, minute after minute. */
  odd: number
}
export interface PriceState {
  readonly products: { [id: string]: Product }
  readonly categories: { [name: string]: Usual }
}
export interface PriceNews {
  readonly product: string
  /** Minor units. */
  readonly price: number
  readonly usual: number
}

/** Four times the usual, or a quarter: twice is a promotion that ends, and prices are changed beside. */
const farLog = Math.log(4)
/** So many minutes of it in a row are a new price. */
const oddMax = 5
/** Of a product that is not known: so many standard deviations of its category. */
const categoryZ = 5
const categoryMin = 30
/** … and several times its usual: what sells often makes a category look narrower than it is. */
const strangerLog = Math.log(6)
const keep = 0.8
const productsMax = 50_000

export function newPrices(): PriceState {
  return { products: {}, categories: {} }
}

/** A minute of a product: its lowest and highest price. */
export function takePrices(state: PriceState, values: Readonly<Record<string, unknown>>): PriceNews[] {
  const [id, category] = [String(values.id_product), String(values.nm_category)]
  const [lowest, highest] = [Number(values.lowest), Number(values.highest)]
  if (!(lowest > 0)) return []
  const usual = usualOf(state, category)
  let product = state.products[id]
  const news: PriceNews[] = []
  const both = lowest === highest ? [lowest] : [lowest, highest]
  if (product === undefined) {
    const known = usual.count >= categoryMin
    const spread = Math.sqrt(Math.max(0.01, usual.square - usual.mean ** 2))
    const limit = Math.max(categoryZ * spread, strangerLog)
    const far = (price: number): boolean => known && Math.abs(Math.log(price) - usual.mean) > limit
    // Of two that do not go together the one nearer to its category is believed.
    const [near = lowest] = both.toSorted(
      (a, b) => Math.abs(Math.log(a) - usual.mean) - Math.abs(Math.log(b) - usual.mean),
    )
    if (known && far(near)) return [{ product: id, price: near, usual: Math.exp(usual.mean) }]
    if (Object.keys(state.products).length >= productsMax) return []
    product = { usual: Math.log(near), seen: 0, odd: 0 }
    state.products[id] = product
  }
  let plain = false
  for (const price of both) {
    const log = Math.log(price)
    if (Math.abs(log - product.usual) < farLog) {
      plain = true
      product.usual = product.seen === 0 ? log : product.usual * keep + log * (1 - keep)
      learn(usual, log)
      continue
    }
    // Hardly known: what was seen first may have been the odd one.
    if (
      product.seen < 3 &&
      usual.count >= categoryMin &&
      Math.abs(log - usual.mean) < Math.abs(product.usual - usual.mean)
    ) {
      news.push({ product: id, price: Math.exp(product.usual), usual: price })
      product.usual = log
      continue
    }
    news.push({ product: id, price, usual: Math.exp(product.usual) })
  }
  product.seen++
  product.odd = plain ? 0 : product.odd + 1
  if (product.odd >= oddMax) {
    product.usual = Math.log(highest)
    product.odd = 0
  }
  return news
}

function usualOf(state: PriceState, category: string): Usual {
  const known = state.categories[category]
  if (known !== undefined) return known
  const fresh = { mean: 0, square: 0, count: 0 }
  state.categories[category] = fresh
  return fresh
}
function learn(usual: Usual, log: number): void {
  usual.count = Math.min(usual.count + 1, 10_000)
  const share = 1 / usual.count
  usual.mean += (log - usual.mean) * share
  usual.square += (log * log - usual.square) * share
}
