// Sellers and categories, each against its share of what is usual: who goes another way than the rest of the shop.
import type { ExpectedRate } from '../../models/models.ts'
import { type Detector, type Direction, detect, detectorRules, newDetector, RECENT_MINUTES, sum } from './detector.ts'
import { tell } from './sales-telling.ts'
import { type Minute, mayFire, type Part, type Parts, type SalesEventsState, type View } from './sales-view.ts'

const PART_KEEP = 2 ** (-1 / (3 * 24 * 60))
/** Before its share is known a part is not judged. */
const PART_MINUTES_MIN = 30
const PART_SALES_MIN = 30
const PART_SHAPE_MAX = 20
const SHARE_MAX = 0.9
/** Sales as usual that the common factor starts with. */
const FACTOR_PRIOR = 10
/** Sales of the last minutes that weigh as much as one of this minute. */
const MINUTE_PRIOR = 5
const NEW_USUAL_MS = 3 * 3_600_000
const NEW_USUAL_LEARNING_MS = 3_600_000

/** A part as it is in this minute: what came, and its share of what is usual. */
export interface PartNow {
  readonly type: 'seller' | 'category'
  readonly name: string
  readonly part: Part
  readonly share: number
  readonly count: number
}
export function lookAtParts(view: View, parts: readonly PartNow[], usual: ExpectedRate): void {
  // Many are looked at: each must be the surer, so that all together are as rarely wrong as one.
  const ofMany = Math.log(Math.max(1, parts.length))
  for (const type of ['seller', 'category'] as const) {
    const some = parts.filter((one) => one.type === type)
    const factor = commonFactor(view, some)
    for (const { name, part, share, count } of some) {
      const { detector } = part
      const minute = {
        atMs: view.minute.atMs,
        count,
        mean: Math.max(usual.mean * share * factor, 1e-3),
        shape: Math.min(usual.shape, PART_SHAPE_MAX),
      }
      const mayPart = (direction: Direction, { seen, meant }: { readonly seen: number; readonly meant: number }) =>
        mayFire(view, direction, seen / meant - 1, sum(detector.means))
      const rules = { ...detectorRules, fireNats: detectorRules.fireNats + ofMany }
      for (const { direction, state: change, firing, nats } of detect(detector, minute, mayPart, rules))
        tell(view, {
          kind: 'volume',
          direction,
          of: { type, name },
          change,
          firing,
          nats: nats - ofMany,
          observed: sum(detector.counts),
          expected: sum(detector.means),
        })
    }
  }
}
export function partsNow({ state, minute }: View): PartNow[] {
  return Object.entries(state.parts).flatMap(([fingerprint, part]) => {
    const share = part.sales / (part.sales + part.others)
    // What is nearly all of the shop has nothing to be compared with.
    if (part.minutes < PART_MINUTES_MIN || part.sales < PART_SALES_MIN || share > SHARE_MAX) return []
    const [type, name] = splitPart(fingerprint)
    const count = minute[type === 'seller' ? 'sellers' : 'categories'][name]?.[0] ?? 0
    return [{ type, name, part, share, count }]
  })
}
/**
 * How busy the shop is beside its usual, by the parts that go with the rest: a shop that is busy is no news about one
 * seller, and one wild seller is none about the others.
 */
function commonFactor({ state }: View, parts: readonly PartNow[]): number {
  const usual = sum(state.usual)
  if (usual === 0) return 1
  const minutes = state.recent.slice(-RECENT_MINUTES)
  const seen = parts.map(({ type, name, share, part, count: now }) => ({
    now,
    count: sum(minutes.map((minute) => minute[type === 'seller' ? 'sellers' : 'categories'][name]?.[0] ?? 0)),
    mean: share * usual,
    share,
    firing: part.detector.firing.up !== null || part.detector.firing.down !== null,
  }))
  const middle = weightedMedian(seen.map(({ count, mean, share }) => ({ value: count / mean, weight: share })))
  const alike = seen.filter(({ firing, count, mean }) => {
    const meant = mean * middle
    return !firing && Math.abs(count - meant) <= 2.5 * Math.sqrt(meant + meant ** 2 / 100 + 1)
  })
  const total = (of: (one: (typeof seen)[number]) => number): number => sum(alike.map(of))
  const recent = (FACTOR_PRIOR + total(({ count }) => count)) / (FACTOR_PRIOR + total(({ mean }) => mean))
  // This very minute counts for what it holds: in a large shop a spike of all is known at once, in a small one by and by.
  const own = total(({ now }) => now)
  const ownMean = total(({ share }) => share) * (state.usual.at(-1) ?? 0)
  return (MINUTE_PRIOR * recent + own) / (MINUTE_PRIOR + ownMean)
}
function weightedMedian(values: readonly { readonly value: number; readonly weight: number }[]): number {
  const sorted = values.toSorted((a, b) => a.value - b.value)
  let rest = sum(values.map(({ weight }) => weight)) / 2
  for (const { value, weight } of sorted) {
    rest -= weight
    if (rest <= 0) return value
  }
  return 1
}
function splitPart(fingerprint: string): readonly ['seller' | 'category', string] {
  const at = fingerprint.indexOf('/')
  return [fingerprint.slice(0, at) === 'seller' ? 'seller' : 'category', fingerprint.slice(at + 1)]
}
export function learnParts(state: SalesEventsState, minute: Minute, learning: boolean): void {
  const learn = (type: 'seller' | 'category', of: Parts['sellers']): void => {
    for (const name of Object.keys(of)) state.parts[`${type}/${name}`] ??= newPart()
  }
  learn('seller', minute.sellers)
  learn('category', minute.categories)
  for (const [fingerprint, part] of Object.entries(state.parts)) {
    if (!mayLearn(part.detector, minute.atMs, learning)) continue
    const [type, name] = splitPart(fingerprint)
    const count = minute[type === 'seller' ? 'sellers' : 'categories'][name]?.[0] ?? 0
    part.sales = part.sales * PART_KEEP + count
    part.others = part.others * PART_KEEP + minute.sales - count
    part.minutes++
    // Nothing of it for long: it is forgotten.
    if (part.sales < 1e-3) delete state.parts[fingerprint]
  }
}
function newPart(): Part {
  return { sales: 0, others: 0, minutes: 0, detector: newDetector() }
}

/** What lasts is not what is usual, until it has lasted so long that it is. */
export function mayLearn({ firing }: Detector, atMs: number, learning: boolean): boolean {
  return [firing.up, firing.down].every(
    (one) => one === null || atMs - one.sinceMs > (learning ? NEW_USUAL_LEARNING_MS : NEW_USUAL_MS),
  )
}
