// How a visit to the store goes on: a Markov chain from landing to purchase or exit, and what it leads one to expect.
import type { RandomStream } from '../std/random.ts'

/** `paying` is the moment of purchase, `declined` a payment that does not go through; a `companion` is a product added on the way to it. Views, carts and searches are events. */
export type Step =
  | 'landing'
  | 'search'
  | 'list'
  | 'view'
  | 'cart'
  | 'checkout'
  | 'companion-view'
  | 'companion-cart'
  | 'declined'
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

/** In the realistic profile so many payments do not go through, and so many of those are tried again. */
export const declinedShare = 0.12
const againShare = 0.6

/** Who visits: known customers buy more often, those on a phone less. */
export interface VisitorClass {
  readonly returning: boolean
  readonly mobile: boolean
}
export const returningTimes = 2.5
export const mobileTimes = 0.6
const classTimes = ({ returning, mobile }: VisitorClass): number =>
  (returning ? returningTimes : 1) * (mobile ? mobileTimes : 1)
const classes: readonly VisitorClass[] = [false, true].flatMap((returning) =>
  [false, true].map((mobile) => ({ returning, mobile })),
)
/** Shares of all visits; they do not matter in the `documents` profile, where all visitors are alike. */
export interface VisitorShares {
  readonly returning: number
  readonly mobile: number
}
const visitorSharesUsual: VisitorShares = { returning: 0.4, mobile: 0.4 }

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
  /** Of each kind of visitor. */
  readonly expectedOf: (visitor: VisitorClass) => Expected
  next(step: Step, visitor: VisitorClass, random: RandomStream): Step
}

export function funnel(profile: Profile, shares: VisitorShares = visitorSharesUsual): Funnel {
  const realistic = profile === 'realistic'
  const shareOf = ({ returning, mobile }: VisitorClass): number =>
    (returning ? shares.returning : 1 - shares.returning) * (mobile ? shares.mobile : 1 - shares.mobile)
  const meanTimes = classes.reduce((sum, one) => sum + shareOf(one) * classTimes(one), 0)
  const chainsAt = (toCart: number): readonly Chain[] =>
    realistic
      ? classes.map((one) => chainOf((toCart * classTimes(one)) / meanTimes, declinedShare))
      : [chainOf(toCart, 0)]
  const mean = (expected: readonly Expected[]): Expected =>
    realistic ? mixed(expected, classes.map(shareOf)) : expected[0]!
  const isHigh = (chains: readonly Chain[]): boolean => {
    const { searches, views, carts, purchases } = mean(chains.map(expectedOf))
    return realistic
      ? carts / views > cartsPerViewRealistic
      : (searches + views + carts) / purchases < eventsPerPurchaseDocuments
  }
  let low = 0
  // A returning visitor's chance is up to 2.5 times this, and still one.
  let high = realistic ? 1 / returningTimes : 1
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2
    if (isHigh(chainsAt(middle))) high = middle
    else low = middle
  }
  const chains = chainsAt(low)
  const expected = chains.map(expectedOf)
  const of = ({ returning, mobile }: VisitorClass): number => (realistic ? (returning ? 2 : 0) + (mobile ? 1 : 0) : 0)
  return {
    expected: mean(expected),
    expectedOf: (visitor) => expected[of(visitor)]!,
    next(step, visitor, random) {
      let rest = random.float()
      for (const [to, probability] of chains[of(visitor)]!.get(step) ?? []) {
        if (rest < probability) return to
        rest -= probability
      }
      return 'exit'
    },
  }
}

function mixed(all: readonly Expected[], shares: readonly number[]): Expected {
  const of = (part: keyof Expected): number => all.reduce((sum, one, i) => sum + shares[i]! * one[part], 0)
  return {
    searches: of('searches'),
    views: of('views'),
    carts: of('carts'),
    purchases: of('purchases'),
    items: of('items'),
    steps: of('steps'),
  }
}

/** `toCart`: how often a view leads to the cart. What a row lacks to 1 is the exit. */
function chainOf(toCart: number, declined: number): Chain {
  const paid = (1 - declined) / (1 - declined * againShare)
  // The companions' carts count as carts as well, and not every payment goes through, so a first cart leads to a checkout
  // a little more often.
  const toCheckout = purchasesPerCart / (paid - companionsPerPurchase * purchasesPerCart)
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
        ['declined', (1 - oneMore) * declined],
        ['paying', (1 - oneMore) * (1 - declined)],
      ],
    ],
    [
      'declined',
      [
        ['declined', againShare * declined],
        ['paying', againShare * (1 - declined)],
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
    // Who was declined for good leaves with the companions in the cart.
    items: of('paying') * (1 + companionsPerPurchase),
    steps,
  }
}
