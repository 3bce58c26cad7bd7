// The assignor `uniform`: everyone gets as many partitions as everyone else, give or take one, and as few move as can be.
// Where members read different topics that is not always possible; then no single move makes it more even.
import type { Subscriber, TopicSizes } from './assignors.ts'
import { type Parts, PartsMaker } from './parts.ts'

type Part = readonly [topic: string, partition: number]
interface Share {
  readonly subscriber: Subscriber
  readonly parts: Part[]
}

export function assignUniform(subscribers: readonly Subscriber[], topics: TopicSizes): Map<string, Parts> {
  if (subscribers.length === 0) return new Map()
  const taken = new Map<string, Set<number>>([...topics.keys()].map((topic) => [topic, new Set()]))
  const shares = subscribers.map((subscriber) => ({ subscriber, parts: keptParts(subscriber, topics, taken) }))
  const first = subscribers[0]!.topics
  const alike = subscribers.every((each) => each.topics.size === first.size && isWithin(each.topics, first))
  if (alike) shareEvenly(shares, topics, taken)
  else shareByReaders(shares, topics, taken)
  return new Map(shares.map(({ subscriber, parts }) => [subscriber.id, partsOf(parts)]))
}
const isWithin = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean => [...a].every((each) => b.has(each))
function partsOf(parts: readonly Part[]): Parts {
  const made = new PartsMaker()
  for (const [topic, partition] of parts) made.add(topic, partition)
  return made.parts
}

/** What a subscriber was to have, still reads, and still is there. */
function keptParts({ before, topics: read }: Subscriber, topics: TopicSizes, taken: Map<string, Set<number>>): Part[] {
  const kept: Part[] = []
  for (const [topic, partitions] of before) {
    const size = read.has(topic) ? (topics.get(topic) ?? 0) : 0
    const others = taken.get(topic)
    for (const partition of [...partitions].sort((a, b) => a - b)) {
      if (partition >= size || others === undefined || others.has(partition)) continue
      others.add(partition)
      kept.push([topic, partition])
    }
  }
  return kept
}
function* freeParts(topics: TopicSizes, taken: ReadonlyMap<string, ReadonlySet<number>>): Generator<Part> {
  for (const [topic, partitions] of topics) {
    const others = taken.get(topic)!
    for (let partition = 0; partition < partitions; partition++) if (!others.has(partition)) yield [topic, partition]
  }
}

/** All read the same. */
function shareEvenly(shares: readonly Share[], topics: TopicSizes, taken: Map<string, Set<number>>): void {
  let total = 0
  for (const [topic, partitions] of topics) if (shares[0]!.subscriber.topics.has(topic)) total += partitions
  const least = Math.floor(total / shares.length)
  // So many get one more: first those that have it.
  let more = total % shares.length
  for (const { parts } of shares) {
    const keeps = parts.length > least && more > 0 ? least + 1 : least
    if (parts.length > least) more -= keeps - least
    for (const [topic, partition] of parts.splice(keeps)) taken.get(topic)!.delete(partition)
  }
  let needy: readonly Share[] = []
  let at = 0
  for (const part of freeParts(topics, taken)) {
    if (!shares[0]!.subscriber.topics.has(part[0])) continue
    if (at >= needy.length) {
      // In rounds: first until all have the least, then one more for some.
      at = 0
      const below = shares.filter(({ parts }) => parts.length < least)
      needy = below.length > 0 ? below : shares.filter(({ parts }) => parts.length === least)
    }
    needy[at++]!.parts.push(part)
  }
}

/** They read different topics: each partition to the reader with the least, those with few readers first; then move. */
function shareByReaders(shares: readonly Share[], topics: TopicSizes, taken: Map<string, Set<number>>): void {
  const readers = new Map(
    [...topics.keys()].map((topic) => [topic, shares.filter((each) => each.subscriber.topics.has(topic))]),
  )
  const free = [...freeParts(topics, taken)].sort(([a], [b]) => readers.get(a)!.length - readers.get(b)!.length)
  for (const part of free) {
    const least = poorest(readers.get(part[0])!)
    if (least !== null) least.parts.push(part)
  }
  // Each move makes the sum of the squares smaller, so this ends.
  for (let moved = true; moved; ) {
    moved = false
    for (const [topic, all] of readers) {
      for (;;) {
        const least = poorest(all)
        const most = richest(all, topic)
        if (least === null || most === null || most.parts.length - least.parts.length <= 1) break
        const [part] = most.parts.splice(
          most.parts.findLastIndex(([each]) => each === topic),
          1,
        )
        least.parts.push(part!)
        moved = true
      }
    }
  }
}
function poorest(shares: readonly Share[]): Share | null {
  let found: Share | null = null
  for (const share of shares) if (found === null || share.parts.length < found.parts.length) found = share
  return found
}
/** Of those who have something of the topic. */
function richest(shares: readonly Share[], topic: string): Share | null {
  let found: Share | null = null
  for (const share of shares) {
    if (found !== null && share.parts.length <= found.parts.length) continue
    if (share.parts.some(([each]) => each === topic)) found = share
  }
  return found
}
