// OffsetFetch 1-9 (key 9): what groups have committed: for some partitions, or (2+) all. Only what is durable is told.
// Left out: topics by id (10), the member epochs of KIP-848 (9: there are no such groups). There are no transactions, so
// every offset is stable (7+).
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import type { Asking, Serving } from '../serving.ts'

const severalGroupsSince = 8

interface Wanted {
  readonly name: string
  readonly partitionIndexes: readonly number[]
}

export function offsetFetch(
  request: RequestOf<'offsetFetch'>,
  { serving, version }: Asking,
): ResponseTo<'offsetFetch'> {
  if (version < severalGroupsSince) return { topics: told(serving, request.groupId, request.topics) }
  return {
    groups: request.groups.map(({ groupId, topics }) => ({ groupId, topics: told(serving, groupId, topics) })),
  }
}

function told({ core: { groupOffsets } }: Serving, group: string, wanted: readonly Wanted[] | null) {
  const topics =
    wanted ?? groupOffsets.all(group).map(({ topic, partitions }) => ({ name: topic, partitionIndexes: partitions }))
  return topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partition) => {
      const committed = groupOffsets.committed(group, { topic: name, partition })
      return {
        partitionIndex: partition,
        committedOffset: committed?.offset ?? -1,
        committedLeaderEpoch: committed?.leaderEpoch ?? -1,
        metadata: committed?.metadata ?? '',
        errorCode: kafkaErrors.NONE,
      }
    }),
  }))
}
