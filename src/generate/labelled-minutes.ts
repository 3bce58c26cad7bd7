// Minutes of shops with known incidents, for scoring: two weeks each, the first to learn from, incidents in the second.
// Arrivals are Poisson with a gamma-distributed rate, over the shop's hours and weekdays.
import { type RandomStream, randomStream } from '../std/random.ts'
import { seasonAt } from './arrivals.ts'
import { gammaOfMeanOne, normal } from './distributions.ts'

export type Suite = 'easy' | 'hard' | 'sellers'
export const suites: readonly Suite[] = Object.freeze(['easy', 'hard', 'sellers'])

/** An incident as it was made. */
export interface MinuteLabel {
  readonly startMs: number
  readonly endMs: number
  readonly direction: 'up' | 'down'
  /** The rate's factor meanwhile. */
  readonly factor: number
  /** Null: the whole shop. */
  readonly seller: string | null
}
export interface LabelledMinute {
  readonly atMs: number
  readonly sales: number
  readonly revenueMinor: number
  readonly sellers: readonly (readonly [name: string, sales: number, revenueMinor: number])[]
  readonly categories: readonly (readonly [name: string, sales: number, revenueMinor: number])[]
}
export interface LabelledStream {
  readonly labels: readonly MinuteLabel[]
  /** Where the scored week begins. */
  readonly scoredFromMs: number
  minutes(): Iterable<LabelledMinute>
}

const MINUTE_MS = 60_000
const LEARNED_MINUTES = 7 * 24 * 60
const SCORED_MINUTES = 7 * 24 * 60
const INCIDENTS = 16
/** So much quiet between two incidents, or they would be one. */
const APART_MINUTES = 60
/** An incident is one only if someone who knew everything could see it: over its length, so many standard deviations. */
const VISIBLE_SIGMA = 3
const DISPERSION_SHAPE = 20
const startMs = Date.UTC(2026, 0, 5, 3)
const sellerShares = [0.26, 0.2, 0.15, 0.12, 0.1, 0.08, 0.05, 0.04]
const categoryShares = [0.3, 0.24, 0.18, 0.14, 0.09, 0.05]
/** Mean value of a sale and the spread of its logarithm. */
const TICKET_MINOR = 90_00
const TICKET_SIGMA = 0.8

/** The same seed, suite and number give the same stream. */
export function labelledStream(seed: string, suite: Suite, number: number): LabelledStream {
  const random = randomStream(seed).fork(`labelled/${suite}/${number}`)
  const ratePerMinute = suite === 'hard' ? 1.5 : 20 * Math.exp(2 * random.float())
  const { labels, factors } = incidents(random.fork('incidents'), suite, ratePerMinute)
  return {
    labels,
    scoredFromMs: startMs + LEARNED_MINUTES * MINUTE_MS,
    *minutes() {
      const draw = random.fork('minutes')
      for (let i = 0; i < LEARNED_MINUTES + SCORED_MINUTES; i++) {
        const atMs = startMs + i * MINUTE_MS
        const label = factors[i]
        const mood = gammaOfMeanOne(draw, DISPERSION_SHAPE)
        const rate = ratePerMinute * seasonAt(atMs) * mood
        const sellers = sellerShares.flatMap((share, s) => {
          const name = sellerName(s)
          const touched = label != null && (label.seller === null || label.seller === name)
          return part(draw, name, rate * share * (touched ? label.factor : 1))
        })
        const sales = sellers.reduce((sum, [, count]) => sum + count, 0)
        const revenueMinor = sellers.reduce((sum, [, , minor]) => sum + minor, 0)
        yield { atMs, sales, revenueMinor, sellers, categories: split(draw, sales, revenueMinor) }
      }
    },
  }
}
const sellerName = (index: number): string => `seller ${String.fromCharCode(65 + index)}`

function incidents(random: RandomStream, suite: Suite, ratePerMinute: number) {
  const labels: MinuteLabel[] = []
  const factors: (MinuteLabel | undefined)[] = new Array(LEARNED_MINUTES + SCORED_MINUTES).fill(undefined)
  for (let tries = 0; labels.length < INCIDENTS && tries < 5_000; tries++) {
    const first = LEARNED_MINUTES + random.below(SCORED_MINUTES - 120)
    const length = 15 + random.below(76)
    const direction = labels.length % 2 === 0 ? 'up' : 'down'
    const strength = random.float()
    const factor =
      suite === 'hard'
        ? direction === 'up'
          ? 1.8 + 1.7 * strength
          : 0.35 * strength
        : direction === 'up'
          ? 2.5 + 2.5 * strength
          : 0.2 * strength
    const seller = suite === 'sellers' ? random.below(4) : null
    let usual = 0
    for (let i = first; i < first + length; i++) usual += ratePerMinute * seasonAt(startMs + i * MINUTE_MS)
    if (seller !== null) usual *= sellerShares[seller]!
    const spread = Math.sqrt(usual * Math.max(factor, 1) + usual ** 2 / (DISPERSION_SHAPE * length))
    if (Math.abs(usual * (factor - 1)) < VISIBLE_SIGMA * spread) continue
    const from = Math.max(0, first - APART_MINUTES)
    if (factors.slice(from, first + length + APART_MINUTES).some((one) => one !== undefined)) continue
    const label: MinuteLabel = {
      startMs: startMs + first * MINUTE_MS,
      endMs: startMs + (first + length) * MINUTE_MS,
      direction,
      factor,
      seller: seller === null ? null : sellerName(seller),
    }
    labels.push(label)
    factors.fill(label, first, first + length)
  }
  return { labels, factors }
}

function part(draw: RandomStream, name: string, mean: number): (readonly [string, number, number])[] {
  const sales = poisson(draw, mean)
  return sales === 0 ? [] : [[name, sales, revenueOf(draw, sales)]]
}
function revenueOf(draw: RandomStream, sales: number): number {
  let minor = 0
  for (let i = 0; i < sales; i++)
    minor += Math.max(1, Math.round(TICKET_MINOR * Math.exp(TICKET_SIGMA * normal(draw) - TICKET_SIGMA ** 2 / 2)))
  return minor
}
/** Shares the minute's sales out over the categories; the revenue with them, evenly. */
function split(draw: RandomStream, sales: number, revenueMinor: number): (readonly [string, number, number])[] {
  const counts = categoryShares.map(() => 0)
  for (let i = 0; i < sales; i++) {
    let rest = draw.float()
    let at = 0
    while (at < categoryShares.length - 1 && rest >= categoryShares[at]!) rest -= categoryShares[at++]!
    counts[at]!++
  }
  return counts.flatMap((count, i) =>
    count === 0 ? [] : [[`category ${i + 1}`, count, Math.round((revenueMinor * count) / sales)] as const],
  )
}
/** Knuth's product for small means, a rounded normal for large ones. */
function poisson(draw: RandomStream, mean: number): number {
  if (mean > 60) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(draw)))
  const limit = Math.exp(-mean)
  let count = 0
  for (let product = draw.float(); product > limit; product *= draw.float()) count++
  return count
}
