// How late marketplaces tell their sales: a mix of four bands by marketplace, shifted by night and weekend, and a rare
// straggler. The mix over a week is 40 % below an hour, 30 % below six, 20 % below a day, 10 % later.
import type { RandomStream } from '../std/random.ts'
import { localOffsetMs, seasonAt } from './arrivals.ts'
import { weightedChoice } from './distributions.ts'

const hourMs = 3_600_000

export type Mix = readonly [immediate: number, short: number, medium: number, long: number]
export interface Marketplace {
  readonly name: string
  /** Share of all sales. */
  readonly share: number
  readonly mix: Mix
}
export const marketplaces: readonly Marketplace[] = [
  { name: 'Amazon', share: 0.4, mix: [0.5, 0.3, 0.15, 0.05] },
  { name: 'eBay', share: 0.2, mix: [0.34, 0.32, 0.22, 0.12] },
  { name: 'Walmart', share: 0.16, mix: [0.4, 0.3, 0.2, 0.1] },
  { name: 'Shopify', share: 0.12, mix: [0.35, 0.28, 0.25, 0.12] },
  { name: 'Etsy', share: 0.12, mix: [0.22, 0.28, 0.28, 0.22] },
]
/** What the demonstration asks for, and what a week of traffic comes to. */
export const demoMix: Mix = [0.4, 0.3, 0.2, 0.1]

/** `[from, to)` in ms. A delay begins at a minute, so that it is not lost in the delays of the line. */
export const bandsMs: readonly (readonly [number, number])[] = [
  [hourMs / 60, hourMs],
  [hourMs, 6 * hourMs],
  [6 * hourMs, 24 * hourMs],
  [24 * hourMs, 48 * hourMs],
]
const stragglerMs: readonly [number, number] = [48 * hourMs, 80 * hourMs]
export const stragglerShare = 0.003

/** By night and on weekends sales are told later; the other hours make up for it (solved for the weights of the hours). */
type Hours = 'night' | 'weekend' | 'other'
const factors: Readonly<Record<Hours, Mix>> = {
  night: [0.7, 1, 1.3, 1.3],
  weekend: [0.8, 1, 1.2, 1.4],
  other: [1.136, 1, 0.863, 0.746],
}
const nightFromHour = 22
const nightToHour = 7

function hoursAt(timeMs: number): Hours {
  const hours = (timeMs + localOffsetMs) / hourMs
  const hour = ((Math.floor(hours) % 24) + 24) % 24
  if (hour >= nightFromHour || hour < nightToHour) return 'night'
  // Day 0 of the epoch was a Thursday.
  const weekday = (((Math.floor(hours / 24) + 3) % 7) + 7) % 7
  return weekday >= 5 ? 'weekend' : 'other'
}

function shifted(mix: Mix, by: Mix): Mix {
  const sum = mix[0] * by[0] + mix[1] * by[1] + mix[2] * by[2] + mix[3] * by[3]
  return [(mix[0] * by[0]) / sum, (mix[1] * by[1]) / sum, (mix[2] * by[2]) / sum, (mix[3] * by[3]) / sum]
}

/** The mix that a week comes to, sales arriving by the weights of hour and weekday. Stragglers count as long. */
export function weekMix(): number[] {
  const sums = [0, 0, 0, 0]
  let weights = 0
  for (let quarter = 0; quarter < 7 * 24 * 4; quarter++) {
    const timeMs = quarter * (hourMs / 4)
    const weight = seasonAt(timeMs)
    weights += weight
    for (const { share, mix } of marketplaces) {
      const now = shifted(mix, factors[hoursAt(timeMs)])
      for (let band = 0; band < 4; band++) sums[band]! += weight * share * now[band]!
    }
  }
  return sums.map((sum, band) => (sum / weights) * (1 - stragglerShare) + (band === 3 ? stragglerShare : 0))
}

export interface Delay {
  /** Index in `bandsMs`; 4 for a straggler. */
  readonly band: number
  readonly ms: number
}
export interface Delays {
  /** The delay of a sale that arrives at `arrivalMs`. */
  draw(marketplace: number, arrivalMs: number): Delay
}

/** `demo`: the asked mix for every marketplace at any time. `steady`: the time does not matter. */
export function delays(random: RandomStream, mode: 'demo' | 'steady' | 'week'): Delays {
  const asked = weightedChoice(demoMix)
  const plain = marketplaces.map(({ mix }) => weightedChoice(mix))
  const byHours = {
    night: marketplaces.map(({ mix }) => weightedChoice(shifted(mix, factors.night))),
    weekend: marketplaces.map(({ mix }) => weightedChoice(shifted(mix, factors.weekend))),
    other: marketplaces.map(({ mix }) => weightedChoice(shifted(mix, factors.other))),
  }
  return {
    draw(marketplace, arrivalMs) {
      if (mode !== 'demo' && random.float() < stragglerShare) return { band: 4, ms: within(random, stragglerMs) }
      const choice = mode === 'demo' ? asked : (mode === 'steady' ? plain : byHours[hoursAt(arrivalMs)])[marketplace]!
      const band = choice.pick(random)
      return { band, ms: within(random, bandsMs[band]!) }
    },
  }
}

/** Log-uniform, whole ms, in `[from, to)`. */
export function within(random: RandomStream, [from, to]: readonly [number, number]): number {
  return Math.min(to - 1, Math.ceil(from * (to / from) ** random.float()))
}
