// The stock of the store, by product and warehouse: an order goes out when it falls to a threshold, a sale that the stock
// does not cover is refused. Sales are reserved at once and leave the stock with the update that tells of them.
import { assert } from '../std/assert.ts'
import type { RandomStream } from '../std/random.ts'
import { storeProducts, storeProductWeights, warehouseShares, warehouses } from './store-data.ts'

/** Room for two hours of sales at one purchase a second, and something for the slow ones. */
const levelSeconds = 7_200
const levelUnitsMin = 40
/** An order goes out when no more than this share of the full level is left or on its way. */
const reorderShare = 0.3

/** A product in a warehouse. */
export interface Shelf {
  readonly product: number
  readonly warehouse: number
  /** Filled up to here, and ordered again at `reorderUnits`. */
  readonly levelUnits: number
  readonly reorderUnits: number
  /** As the updates have told it. */
  stock: number
  /** Sold and not yet told. */
  reserved: number
  ordered: number
}

export interface Stock {
  readonly shelves: readonly Shelf[]
  /** The shelf that sends it, the preferred warehouse first; null: nobody has as many. The units are reserved. */
  reserve(product: number, quantity: number, warehouse: number): Shelf | null
  /** Takes reserved units off the stock. */
  ship(shelf: Shelf, quantity: number): void
  /** How many to order now: 0 when there is enough. They count as ordered from here. */
  order(shelf: Shelf): number
  receive(shelf: Shelf, quantity: number): void
  /** Pieces that come back (> 0) or are gone (< 0, never more than nobody has bought). */
  adjust(shelf: Shelf, change: number): void
}

/** Share of all order lines that each shelf serves, in the order of `shelves`. */
export function shelfShares(): number[] {
  const sum = storeProductWeights.reduce((all, weight) => all + weight, 0)
  return storeProducts.flatMap((_, product) =>
    warehouses.map((_, warehouse) => (storeProductWeights[product]! / sum) * warehouseShares[warehouse]!),
  )
}

/** `unitsPerPurchase`: pieces in one purchase, in the mean. */
export function openStock(random: RandomStream, unitsPerPurchase: number): Stock {
  const shelves: Shelf[] = shelfShares().map((share, i) => {
    const levelUnits = Math.ceil(levelUnitsMin + share * unitsPerPurchase * levelSeconds)
    const reorderUnits = Math.ceil(levelUnits * reorderShare)
    const stock = reorderUnits + 1 + random.below(levelUnits - reorderUnits)
    return {
      product: Math.floor(i / warehouses.length),
      warehouse: i % warehouses.length,
      levelUnits,
      reorderUnits,
      stock,
      reserved: 0,
      ordered: 0,
    }
  })
  return {
    shelves,
    reserve(product, quantity, warehouse) {
      for (let i = 0; i < warehouses.length; i++) {
        const shelf = shelves[product * warehouses.length + ((warehouse + i) % warehouses.length)]!
        if (shelf.stock - shelf.reserved < quantity) continue
        shelf.reserved += quantity
        return shelf
      }
      return null
    },
    ship(shelf, quantity) {
      assert(shelf.reserved >= quantity && shelf.stock >= quantity, 'more shipped than was reserved')
      shelf.reserved -= quantity
      shelf.stock -= quantity
    },
    order(shelf) {
      const position = shelf.stock - shelf.reserved + shelf.ordered
      if (position > shelf.reorderUnits) return 0
      shelf.ordered += shelf.levelUnits - position
      return shelf.levelUnits - position
    },
    receive(shelf, quantity) {
      assert(shelf.ordered >= quantity, 'more received than was ordered')
      shelf.ordered -= quantity
      shelf.stock += quantity
    },
    adjust(shelf, change) {
      assert(shelf.stock - shelf.reserved + change >= 0, 'more is gone than nobody has bought')
      shelf.stock += change
    },
  }
}

/**
 * For how long an update gathers sales so that all shelves together make `updatesPerSecond` of `linesPerSecond` order
 * lines: a shelf's update comes the hold after its first sale, so it makes 1/(hold + 1/rate) a second. Milliseconds.
 */
export function holdMsFor(linesPerSecond: number, updatesPerSecond: number): number {
  const rates = shelfShares().map((share) => share * linesPerSecond)
  const made = (holdSeconds: number): number => rates.reduce((all, rate) => all + 1 / (holdSeconds + 1 / rate), 0)
  if (made(0) <= updatesPerSecond) return 0
  let low = 0
  let high = 1e6 / linesPerSecond
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if (made(middle) > updatesPerSecond) low = middle
    else high = middle
  }
  return low * 1_000
}
