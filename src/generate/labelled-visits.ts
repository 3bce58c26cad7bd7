// Visits to a large shop by people with tastes, for scoring recommendations: what each looks at next depends on what it goes
// with, on the person, and on what everybody likes.
import { type RandomStream, randomStream } from '../std/random.ts'
import { weightedChoice } from './distributions.ts'

export interface LabelledAct {
  readonly atMs: number
  readonly person: string
  readonly item: string
  readonly kind: 'view' | 'cart' | 'buy'
}

const startMs = Date.UTC(2026, 0, 5)
const dayMs = 86_400_000
const tastesOfPerson = 3
/** What the next look is at: something like it, something that goes with it, something of the person's tastes, or anything. */
const nextShares = [0.4, 0.2, 0.25, 0.15]
const products = 2_000
const categoryCount = 60
/** Steps to something alike in the category's order of demand, in the mean. */
const alikeSteps = 3
/** How often each of an item's companions comes to mind. */
const companionShares = [0.45, 0.25, 0.18, 0.12]
const actsMean = 7

/** Two weeks of `people` visitors, in the order of time. The same seed, the same acts. */
export function labelledVisits(seed: string, people: number): readonly LabelledAct[] {
  const random = randomStream(seed).fork('labelled-visits')
  // By category, the most wanted first.
  const categories = Array.from({ length: categoryCount }, (): number[] => [])
  for (let i = 0; i < products; i++) categories[i % categories.length]!.push(i)
  const categoryOf = (item: number): readonly number[] => categories[item % categories.length]!
  const anyItem = weightedChoice(Array.from({ length: products }, (_, rank) => (rank + 10) ** -1.05))
  const ofCategory = categories.map((items) => weightedChoice(items.map((_, i) => (i + 2) ** -1.05)))
  const companions = random.fork('companions')
  const goesWith = Array.from({ length: products }, () => companionShares.map(() => anyItem.pick(companions)))
  const chooseCompanion = weightedChoice(companionShares)
  const chooseNext = weightedChoice(nextShares)
  const chooseTaste = weightedChoice(categories.map((_, i) => (i + 5) ** -0.6))
  const acts: LabelledAct[] = []
  for (let number = 0; number < people; number++) {
    const draw = random.fork(`person/${number}`)
    const person = `person-${number}`
    const tastes = Array.from({ length: tastesOfPerson }, () => chooseTaste.pick(draw))
    const visits = 1 + draw.below(6)
    for (let visit = 0; visit < visits; visit++) {
      let atMs = startMs + draw.float() * 14 * dayMs
      let item = ofTaste(draw, tastes)
      const length = 2 + Math.floor(-Math.log(1 - draw.float()) * (actsMean - 2))
      for (let i = 0; i < length; i++) {
        acts.push({ atMs, person, item: `item-${item}`, kind: 'view' })
        if (draw.float() < 0.12) {
          atMs += 5_000 + 20_000 * draw.float()
          acts.push({ atMs, person, item: `item-${item}`, kind: 'cart' })
          if (draw.float() < 0.35) acts.push({ atMs: atMs + 60_000, person, item: `item-${item}`, kind: 'buy' })
        }
        atMs += 10_000 + 50_000 * draw.float()
        item = nextItem(draw, item, tastes)
      }
    }
  }
  return acts.sort((a, b) => a.atMs - b.atMs)

  function ofTaste(draw: RandomStream, tastes: readonly number[]): number {
    const taste = tastes[draw.below(tastes.length)]!
    return categories[taste]![ofCategory[taste]!.pick(draw)]!
  }
  function nextItem(draw: RandomStream, item: number, tastes: readonly number[]): number {
    switch (chooseNext.pick(draw)) {
      case 0: {
        const alike = categoryOf(item)
        const steps = 1 + Math.floor(-Math.log(1 - draw.float()) * (alikeSteps - 1))
        const at = alike.indexOf(item) + (draw.float() < 0.5 ? steps : -steps)
        return alike[Math.min(alike.length - 1, Math.max(0, at))]!
      }
      case 1:
        return goesWith[item]![chooseCompanion.pick(draw)]!
      case 2:
        return ofTaste(draw, tastes)
      default:
        return anyItem.pick(draw)
    }
  }
}
