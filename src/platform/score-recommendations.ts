// Scores recommendations on visits to a generated shop: the last thing each person did, left out in time, must be among the
// twenty suggested. Beside it, the twenty that all like most.

import { labelledVisits } from '../generate/generate.ts'
import { coVisitRules, newCoVisits, popular, type Suggestion, suggest, visited } from '../models/models.ts'

export interface RecommendationScore {
  readonly people: number
  readonly recallAt20: number
  readonly mrrAt20: number
  readonly popularRecallAt20: number
  /** How many times that of the most liked. */
  readonly lift: number
  /** Share of the items seen that were suggested to anybody. */
  readonly coverage: number
}
const shown = 20
const weightOf = { view: 1, cart: 3, buy: 6 } as const

export function scoreRecommendations(seeds: readonly string[], people: number): RecommendationScore {
  let asked = 0
  let hits = 0
  let reciprocal = 0
  let popularHits = 0
  let suggested = 0
  let items = 0
  for (const seed of seeds) {
    const acts = labelledVisits(seed, people)
    // The last new thing of each person is the question; what comes after it, and it, is not learned from.
    const lastNew = new Map<string, number>()
    const seen = new Map<string, Set<string>>()
    acts.forEach(({ person, item }, i) => {
      const known = seen.get(person) ?? new Set()
      if (!known.has(item) && known.size >= 2) lastNew.set(person, i)
      seen.set(person, known.add(item))
    })
    const state = newCoVisits()
    const toAnybody = new Set<string>()
    let liked: readonly Suggestion[] = []
    let bestLiked = new Set<string>()
    acts.forEach(({ person, item, kind, atMs }, i) => {
      // Asked before it is learned, in time: nothing later is known.
      if (lastNew.get(person) === i && atMs > acts[0]!.atMs + 7 * 86_400_000) {
        if (liked.length === 0 || asked % 50 === 0) {
          liked = popular(state, 2 * shown)
          bestLiked = new Set(liked.slice(0, shown).map((one) => one.item))
        }
        const suggestions = suggest(state, person, atMs, shown, coVisitRules, liked)
        const rank = suggestions.findIndex((one) => one.item === item)
        for (const one of suggestions) toAnybody.add(one.item)
        asked++
        if (rank >= 0) {
          hits++
          reciprocal += 1 / (rank + 1)
        }
        if (bestLiked.has(item)) popularHits++
      }
      visited(state, { person, item, weight: weightOf[kind], atMs })
    })
    suggested += toAnybody.size
    items += new Set(acts.map((act) => act.item)).size
  }
  return {
    people: asked,
    recallAt20: hits / asked,
    mrrAt20: reciprocal / asked,
    popularRecallAt20: popularHits / asked,
    lift: popularHits === 0 ? Number.POSITIVE_INFINITY : hits / popularHits,
    coverage: suggested / items,
  }
}
