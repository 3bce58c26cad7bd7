// What to show this visitor now (E7): what goes with what they looked at, put into the cart and bought (decayed co-visits),
// what is bought together, what is on its way up. Nothing is written: the state is asked.
import { type CoVisitRules, type CoVisits, coVisitRules, newCoVisits, suggest, visited } from '../../models/models.ts'
import type { Reaction, ReactionValue } from '../../query/reaction.ts'
import { newRecent, peek, put, type Recent, use } from '../../std/recent.ts'
import { actsPlan } from './funnel.ts'

export const pairsPlan = 'bought-together'
export const basketsPlan = 'baskets-by-product'
export const allBasketsPlan = 'baskets-in-all'

/** Pairs and products whose baskets are remembered; a running row comes again with its next purchase. */
export const pairsMax = 20_000
const productsMax = 20_000
const listedMax = 40
const weights: Readonly<Record<string, number>> = { product_view: 1, add_to_cart: 3, purchase: 6 }

/** Plain data. */
export interface PersonalisationState {
  readonly visits: CoVisits
  /** Baskets that hold both, by the two; and the products that one was bought with. */
  readonly pairs: Recent<number>
  readonly partners: Recent<string[]>
  readonly baskets: Recent<number>
  allBaskets: number
}

export function personalisation(rules: CoVisitRules = coVisitRules): Reaction<PersonalisationState> {
  return {
    name: 'personalisation',
    version: 1,
    reads: [allBasketsPlan, basketsPlan, pairsPlan, actsPlan],
    writes: [],
    initial: () => ({
      visits: newCoVisits(),
      pairs: newRecent(),
      partners: newRecent(),
      baskets: newRecent(),
      allBaskets: 0,
    }),
    step(state, input) {
      if (input.kind === 'tick' || input.weight < 0) return
      const { plan, values } = input
      if (plan === actsPlan) takeAct(state, values, rules)
      else if (plan === allBasketsPlan) state.allBaskets = Number(values.baskets)
      else if (plan === basketsPlan) put(state.baskets, String(values.product_id), Number(values.baskets), productsMax)
      else takePair(state, String(values.product_id), String(values.other_id), Number(values.baskets))
    },
  }
}

type Values = { readonly [column: string]: ReactionValue }
function takeAct({ visits }: PersonalisationState, values: Values, rules: CoVisitRules): void {
  const weight = weights[String(values.event_type)]
  const { product_id: item } = values
  if (weight === undefined || typeof item !== 'string') return
  visited(visits, { person: String(values.user_id), item, weight, atMs: Number(values.timestamp) }, rules)
}
function takePair(state: PersonalisationState, one: string, other: string, baskets: number): void {
  put(state.pairs, pairKey(one, other), baskets, pairsMax)
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    const partners = use(state.partners, from, productsMax, (): string[] => [])
    if (!partners.includes(to)) partners.push(to)
    if (partners.length > listedMax) partners.shift()
  }
}
function pairKey(a: string, b: string): string {
  return a < b ? `${a}\n${b}` : `${b}\n${a}`
}

/** Two products in one basket: support is a share of all baskets, confidence of those with the first. */
export interface BoughtTogether {
  readonly productId: string
  readonly baskets: number
  readonly support: number
  readonly confidence: number
  readonly lift: number
  readonly jaccard: number
}
/** What is bought with a product, the best lift of enough baskets first. */
export function boughtWith(
  state: PersonalisationState,
  product: string,
  count: number,
  basketsMin = 3,
): readonly BoughtTogether[] {
  const own = peek(state.baskets, product) ?? 0
  if (own === 0 || state.allBaskets === 0) return []
  return (peek(state.partners, product) ?? [])
    .flatMap((other): readonly BoughtTogether[] => {
      const both = peek(state.pairs, pairKey(product, other)) ?? 0
      const others = peek(state.baskets, other) ?? 0
      if (both < basketsMin || others === 0) return []
      return [
        {
          productId: other,
          baskets: both,
          support: both / state.allBaskets,
          confidence: both / own,
          lift: (both * state.allBaskets) / (own * others),
          jaccard: both / (own + others - both),
        },
      ]
    })
    .sort((a, b) => b.confidence - a.confidence || (a.productId < b.productId ? -1 : 1))
    .slice(0, count)
}

export interface Recommendation {
  readonly productId: string
  readonly score: number
  readonly reason: 'goes-with' | 'trending' | 'popular'
  /** What it goes with. */
  readonly with: string | null
}
export interface Recommendations {
  readonly known: boolean
  readonly items: readonly Recommendation[]
  /** With what the person touched last. */
  readonly boughtTogether: readonly BoughtTogether[]
}
export function recommend(
  state: PersonalisationState,
  user: string,
  nowMs: number,
  count: number,
  rules: CoVisitRules = coVisitRules,
): Recommendations {
  const last = peek(state.visits.people, user)?.last.at(-1)?.[0]
  return {
    known: last !== undefined,
    items: suggest(state.visits, user, nowMs, count, rules).map(({ item, score, because }) => ({
      productId: item,
      score: Math.round(score * 1e6) / 1e6,
      reason: because.kind,
      with: because.kind === 'goes-with' ? because.item : null,
    })),
    boughtTogether: last === undefined ? [] : boughtWith(state, last, 5),
  }
}
