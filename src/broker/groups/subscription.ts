// What the metadata of a consumer says of its topics. The one place where the broker looks into it: offsets of a topic
// that members read may not be deleted under them.
//
//   ConsumerProtocolSubscription, all versions: version 2, topics: count 4, then each: length 2, UTF-8; more follows
import { type Group, noBytes } from './group.ts'

/** The topics that members have subscribed to; null if that cannot be told: then it may be any. */
export function subscribedTopics({ protocolType, protocol, members }: Group): ReadonlySet<string> | null {
  const topics = new Set<string>()
  if (members.size > 0 && protocolType !== 'consumer') return null
  for (const { protocols } of members.values()) {
    const metadata = protocols.find(({ name }) => protocol === null || name === protocol)?.metadata ?? noBytes
    const told = topicsOf(metadata)
    if (told === null) return null
    for (const topic of told) topics.add(topic)
  }
  return topics
}

function topicsOf(metadata: Uint8Array): string[] | null {
  const view = new DataView(metadata.buffer, metadata.byteOffset, metadata.length)
  if (metadata.length < 6) return null
  const count = view.getInt32(2)
  const topics: string[] = []
  let at = 6
  for (let i = 0; i < count; i++) {
    if (at + 2 > metadata.length) return null
    const end = at + 2 + view.getUint16(at)
    if (end > metadata.length) return null
    topics.push(Buffer.from(metadata.subarray(at + 2, end)).toString())
    at = end
  }
  return topics
}
