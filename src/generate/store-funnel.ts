// How a visit to the store goes on: a Markov chain from landing to purchase or exit, and what it leads one to expect.
import type { RandomStream } from '../std/random.ts'

/** `paying` is the moment of purchase; a `companion` is a product added on the way to it. Views, carts and searches are events. */
export type Step =
  | 'landing'
  | 'search'
  | 'list'
  | 'view'
  | 'cart'
  | 'checkout'
  | 'companion-view'
  | 'companion-cart'
  | 'paying'
  | 'exit'
type Row = readonly (readonly [Step, number])[]
type Chain = ReadonlyMap<Step, Row>

/**
 * `documents`: one purchase for twenty events, as the store's rates are written down. `realistic`: 2.6 % of the views
 * lead to the cart, as published for real stores; everything downstream of a visit is then as rare as it is there.
 */
export type Profile = 'documents' | 'realistic'

export const cartsPerViewRealistic = 0.026
export const eventsPerPurchaseDocuments = 20
/** Purchases by carts: 70 % of the carts are left. */
export const purchasesPerCart = 0.324
/** A basket has 1.14 items in the mean: each time one more with this probability. */
const oneMore = 0.123
const companionsPerPurchase = oneMore / (1 - oneMore)

/** What one visit makes in the mean. */
export interface Expected {
  readonly searches: number
  readonly views: number
  readonly carts: number
  readonly purchases: number
  /** Lines of all purchases. */
  readonly items: number
  /** Steps before the exit, each followed by a time to think. */
  readonly steps: number
}

export interface Funnel {
  readonly expected: Expected
  next(step: Step, random: RandomStream): Step
}

export function funnel(profile: Profile): Funnel {
  const isHigh = (chain: Chain): boolean => {
    const { searches, views, carts, purchases } = expectedOf(chain)
    return profile === 'realistic'
      ? carts / views > cartsPerViewRealistic
      : (searches + views + carts) / purchases < eventsPerPurchaseDocuments
  }
  let low = 0
  let high = 1
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2
    if (isHigh(chainOf(middle))) high = middle
    else low = middle
  }
  const chain = chainOf(low)
  return {
    expected: expectedOf(chain),
    next(step, random) {
      let rest = random.float()
      for (const [to, probability] of chain.get(step) ?? []) {
        if (rest < probability) return to
        rest -= probability
      }
      return 'exit'
    },
  }
}

/** `toCart`: how often a view leads to the cart. What a row lacks to 1 is the exit. */
function chainOf(toCart: number): Chain {
  // The companions' carts count as carts as well, so a first cart leads to a checkout a little more often.
  const toCheckout = purchasesPerCart / (1 - companionsPerPurchase * purchasesPerCart)
  const on = 1 - toCart
  return new Map<Step, Row>([
    [
      'landing',
      [
        ['search', 0.25],
        ['list', 0.25],
        ['view', 0.38],
      ],
    ],
    [
      'search',
      [
        ['view', 0.72],
        ['search', 0.14],
      ],
    ],
    [
      'list',
      [
        ['view', 0.74],
        ['list', 0.1],
        ['search', 0.05],
      ],
    ],
    [
      'view',
      [
        ['cart', toCart],
        ['view', on * 0.56],
        ['list', on * 0.12],
        ['search', on * 0.12],
      ],
    ],
    [
      'cart',
      [
        ['checkout', toCheckout],
        ['view', (1 - toCheckout) * 0.45],
      ],
    ],
    [
      'checkout',
      [
        ['companion-view', oneMore],
        ['paying', 1 - oneMore],
      ],
    ],
    ['companion-view', [['companion-cart', 1]]],
    ['companion-cart', [['checkout', 1]]],
    ['paying', []],
  ])
}

/** Expected visits of each step: the chain followed until nothing is left in it. */
function expectedOf(chain: Chain): Expected {
  const visits = new Map<Step, number>()
  let front = new Map<Step, number>([['landing', 1]])
  for (let i = 0; i < 200; i++) {
    const after = new Map<Step, number>()
    for (const [step, mass] of front) {
      visits.set(step, (visits.get(step) ?? 0) + mass)
      for (const [to, probability] of chain.get(step) ?? []) after.set(to, (after.get(to) ?? 0) + mass * probability)
    }
    front = after
  }
  const of = (step: Step): number => visits.get(step) ?? 0
  let steps = 0
  for (const count of visits.values()) steps += count
  return {
    searches: of('search'),
    views: of('view') + of('companion-view'),
    carts: of('cart') + of('companion-cart'),
    purchases: of('paying'),
    items: of('paying') + of('companion-cart'),
    steps,
  }
}
