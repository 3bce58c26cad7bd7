// What the members of a classic group read, as far as the broker can tell: offsets of a topic that members read may not
// be deleted under them.
import { readSubscription } from './consumer-protocol.ts'
import { type Group, noBytes } from './group.ts'

/** The topics that members have subscribed to; null if that cannot be told: then it may be any. */
export function subscribedTopics({ protocolType, protocol, members }: Group): ReadonlySet<string> | null {
  const topics = new Set<string>()
  if (members.size > 0 && protocolType !== 'consumer') return null
  for (const { protocols } of members.values()) {
    const metadata = protocols.find(({ name }) => protocol === null || name === protocol)?.metadata ?? noBytes
    const told = readSubscription(metadata)
    if (told === null) return null
    for (const topic of told.topics) topics.add(topic)
  }
  return topics
}
