// What goes with what: decayed weights between items that the same people look at, put into carts and buy. Item to item,
// bounded, plain data: a state may be written as JSON and read back.
import { entriesOf, newRecent, peek, type Recent, use } from '../std/recent.ts'

export interface CoVisitRules {
  readonly halfLifeMs: number
  /** Items of one person's last acts that the next one goes with, and how long they count. */
  readonly lastItems: number
  readonly withinMs: number
  /** Neighbours kept of an item, the weightiest. */
  readonly neighboursMax: number
  readonly itemsMax: number
  readonly peopleMax: number
  /** Weight that a pair must beat to be half believed. */
  readonly shrinkage: number
}
export const coVisitRules: CoVisitRules = Object.freeze({
  halfLifeMs: 7 * 86_400_000,
  lastItems: 10,
  withinMs: 2 * 86_400_000,
  neighboursMax: 30,
  itemsMax: 4_000,
  peopleMax: 5_000,
  shrinkage: 20,
})
/** Decayed, as of `CoVisits.refMs`. */
interface Item {
  weight: number
  /** Short memory, for what is on its way up. */
  soon: number
  soonMs: number
  readonly near: { [other: string]: number }
  nearCount: number
}
interface Person {
  /** Newest last: item, its weight, when. */
  readonly last: [item: string, weight: number, atMs: number][]
}
export interface CoVisits {
  /** All weights are written as if they were of this moment: later ones are larger instead of earlier ones smaller. */
  refMs: number | null
  readonly items: Recent<Item>
  readonly people: Recent<Person>
  weight: number
  soon: number
  soonMs: number
}
const SOON_HALF_LIFE_MS = 2 * 3_600_000
/** Beyond this exponent all weights are brought down once. */
const SCALE_MAX = 2 ** 40

export function newCoVisits(): CoVisits {
  return { refMs: null, items: newRecent(), people: newRecent(), weight: 0, soon: 0, soonMs: 0 }
}
/** What each older item of a person counts of the one after it. */
const FRESH = 0.6
const emptyItem = (): Item => ({ weight: 0, soon: 0, soonMs: 0, near: {}, nearCount: 0 })
const own = (name: string): string => `~${name}`
const fadedSoon = (soon: number, sinceMs: number, nowMs: number): number =>
  soon * 2 ** (-Math.max(0, nowMs - sinceMs) / SOON_HALF_LIFE_MS)

/** Someone did something with an item; acts come about in the order of time. */
export function visited(
  state: CoVisits,
  act: { readonly person: string; readonly item: string; readonly weight: number; readonly atMs: number },
  rules: CoVisitRules = coVisitRules,
): void {
  const { person, item, weight, atMs } = act
  const scale = scaleAt(state, atMs, rules)
  const of = use(state.items, item, rules.itemsMax, emptyItem)
  of.weight += weight * scale
  state.weight += weight * scale
  of.soon = fadedSoon(of.soon, of.soonMs, atMs) + weight
  of.soonMs = Math.max(of.soonMs, atMs)
  state.soon = fadedSoon(state.soon, state.soonMs, atMs) + weight
  state.soonMs = Math.max(state.soonMs, atMs)
  const { last } = use(state.people, person, rules.peopleMax, (): Person => ({ last: [] }))
  const at = last.findIndex(([other]) => other === item)
  const known = at < 0 ? null : last[at]!
  // The same item again: what it is worth more counts, not what it was worth already.
  const more = known === null ? weight : Math.max(0, weight - known[1])
  if (more > 0)
    for (const [other, , otherMs] of last)
      if (other !== item && atMs - otherMs <= rules.withinMs) {
        goWith(of, other, more * scale, rules)
        goWith(use(state.items, other, rules.itemsMax, emptyItem), item, more * scale, rules)
      }
  if (at >= 0) last.splice(at, 1)
  last.push([item, Math.max(weight, known?.[1] ?? 0), atMs])
  if (last.length > rules.lastItems) last.shift()
}
function goWith(of: Item, other: string, weight: number, { neighboursMax }: CoVisitRules): void {
  const name = own(other)
  const before = of.near[name]
  of.near[name] = (before ?? 0) + weight
  if (before !== undefined) return
  of.nearCount++
  if (of.nearCount <= 2 * neighboursMax) return
  // The weightier half stays.
  const sorted = Object.entries(of.near).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  for (const [weak] of sorted.slice(neighboursMax)) delete of.near[weak]
  of.nearCount = neighboursMax
}
function scaleAt(state: CoVisits, atMs: number, rules: CoVisitRules): number {
  state.refMs ??= atMs
  const scale = 2 ** ((atMs - state.refMs) / rules.halfLifeMs)
  if (scale < SCALE_MAX) return scale
  for (const [, item] of entriesOf(state.items)) {
    item.weight /= scale
    for (const name of Object.keys(item.near)) item.near[name]! /= scale
  }
  state.weight /= scale
  state.refMs = atMs
  return 1
}

export interface Suggestion {
  readonly item: string
  readonly score: number
  /** What it goes with, or that it is on its way up, or much liked by all. */
  readonly because: { readonly kind: 'goes-with'; readonly item: string } | { readonly kind: 'trending' | 'popular' }
}
/**
 * What to show this person now, best first. An item is as likely next as it went with the last ones before: the share of
 * their weight that it has, of which as much as `shrinkage` is believed to be as for everybody (what all like). The newest
 * counts most. Where too few are known, what is on its way up and what all like. `liked`: `popular`, if it is at hand.
 */
export function suggest(
  state: CoVisits,
  person: string,
  nowMs: number,
  count: number,
  rules: CoVisitRules = coVisitRules,
  liked: readonly Suggestion[] = popular(state, 2 * count),
): readonly Suggestion[] {
  const scale = state.refMs === null ? 1 : 2 ** ((nowMs - state.refMs) / rules.halfLifeMs)
  const last = peek(state.people, person)?.last ?? []
  const seen = new Set(last.map(([item]) => item))
  const scores = new Map<string, { score: number; best: number; item: string }>()
  const scoreOf = (item: string): { score: number; best: number; item: string } => {
    const known = scores.get(item) ?? { score: 0, best: 0, item: '' }
    scores.set(item, known)
    return known
  }
  last.forEach(([item, weight], i) => {
    const of = peek(state.items, item)
    if (of === undefined) return
    const fresh = FRESH ** (last.length - 1 - i) * Math.sqrt(weight)
    let near = 0
    for (const raw of Object.values(of.near)) near += raw
    const all = near / scale + rules.shrinkage
    for (const [name, raw] of Object.entries(of.near)) {
      const other = name.slice(1)
      if (seen.has(other)) continue
      const part = (fresh * (raw / scale)) / all
      const sum = scoreOf(other)
      sum.score += part
      if (part > sum.best) {
        sum.best = part
        sum.item = item
      }
    }
    for (const one of liked)
      if (!seen.has(one.item)) scoreOf(one.item).score += (fresh * one.score * rules.shrinkage) / all
  })
  const suggestions = [...scores]
    .map(([item, { score, best, item: because }]): Suggestion => {
      const kind = best * 2 >= score ? 'goes-with' : 'popular'
      return { item, score, because: kind === 'goes-with' ? { kind, item: because } : { kind } }
    })
    .sort(byScore)
    .slice(0, count)
  const taken = new Set([...seen, ...suggestions.map(({ item }) => item)])
  for (const one of suggestions.length < count ? [...trending(state, nowMs, count, rules), ...liked] : []) {
    if (suggestions.length >= count) break
    if (taken.has(one.item)) continue
    taken.add(one.item)
    suggestions.push({ ...one, score: 0 })
  }
  return suggestions
}
const byScore = (a: Suggestion, b: Suggestion): number => b.score - a.score || (a.item < b.item ? -1 : 1)

/** Share of the last hours by share of the last week: time of day and season are in both, so they say nothing. */
export function trending(
  state: CoVisits,
  nowMs: number,
  count: number,
  rules: CoVisitRules = coVisitRules,
): readonly Suggestion[] {
  const soonAll = fadedSoon(state.soon, state.soonMs, nowMs)
  if (soonAll <= 0 || state.weight <= 0) return []
  const found: Suggestion[] = []
  for (const [item, { weight, soon, soonMs }] of entriesOf(state.items)) {
    const share = fadedSoon(soon, soonMs, nowMs) / soonAll
    const usual = weight / state.weight
    const expected = usual * soonAll
    const lift = (share * soonAll + rules.shrinkage) / (expected + rules.shrinkage)
    if (lift > 1.5) found.push({ item, score: lift, because: { kind: 'trending' } })
  }
  return found.sort(byScore).slice(0, count)
}
export function popular(state: CoVisits, count: number): readonly Suggestion[] {
  const found: Suggestion[] = []
  for (const [item, { weight }] of entriesOf(state.items))
    found.push({ item, score: state.weight <= 0 ? 0 : weight / state.weight, because: { kind: 'popular' } })
  return found.sort(byScore).slice(0, count)
}
