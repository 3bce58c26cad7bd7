// The assignor `range`: of every topic each of its readers gets one stretch of partitions, in the order of their names.
// Topics of equal size that are read by the same members are cut alike, so that equal keys meet in one member.
import type { Subscriber, TopicSizes } from './assignors.ts'
import { type Parts, PartsMaker } from './parts.ts'

export function assignRange(subscribers: readonly Subscriber[], topics: TopicSizes): Map<string, Parts> {
  const made = new Map<string, PartsMaker>(subscribers.map(({ id }) => [id, new PartsMaker()]))
  const nameOf = ({ instanceId, id }: Subscriber): string => instanceId ?? id
  // Static members keep their place in the order across restarts.
  const ordered = [...subscribers].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0))
  for (const [topic, partitions] of topics) {
    const readers = ordered.filter((each) => each.topics.has(topic))
    let next = 0
    for (const [i, { id }] of readers.entries()) {
      const count = Math.floor(partitions / readers.length) + (i < partitions % readers.length ? 1 : 0)
      for (let taken = 0; taken < count; taken++) made.get(id)!.add(topic, next++)
    }
  }
  return new Map([...made].map(([id, { parts }]) => [id, parts]))
}
