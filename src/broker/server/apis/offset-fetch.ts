// OffsetFetch 1-9 (key 9): what groups have committed: for some partitions, or (2+) all. Only what is durable is told.
// Members of KIP-848 are told at their present epoch only (9+).
// `requireStable` (7+): UNSTABLE_OFFSET_COMMIT for an offset that an open transaction may change.
// Left out: topics by id (10).
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { once } from '../once.ts'
import type { Asking } from '../serving.ts'

const severalGroupsSince = 8
/** Before, the error of a group stood at each of its partitions. */
const groupErrorSince = 2

interface Wanted {
  readonly name: string
  readonly partitionIndexes: readonly number[]
}

export function offsetFetch(request: RequestOf<'offsetFetch'>, asking: Asking): ResponseTo<'offsetFetch'> {
  const { version, may } = asking
  if (version < severalGroupsSince) {
    const { groupId, topics } = request
    if (may('describe', 'group', groupId)) return { topics: told(asking, groupId, topics, request.requireStable) }
    const errorCode = kafkaErrors.GROUP_AUTHORIZATION_FAILED
    return { errorCode, topics: version < groupErrorSince ? refused(topics ?? [], errorCode) : [] }
  }
  return {
    groups: once(request.groups, ({ groupId, topics }) => `${groupId} ${topics === null}`).map(
      ({ groupId, topics, memberId, memberEpoch }) => {
        const error = may('describe', 'group', groupId)
          ? asking.serving.groups.checkFetch(groupId, memberId, memberEpoch)
          : 'GROUP_AUTHORIZATION_FAILED'
        return error === 'NONE'
          ? { groupId, topics: told(asking, groupId, topics, request.requireStable) }
          : { groupId, errorCode: kafkaErrors[error], topics: [] }
      },
    ),
  }
}

function told({ serving, may }: Asking, group: string, wanted: readonly Wanted[] | null, requireStable: boolean) {
  const { groupOffsets, transactions } = serving.core
  const topics =
    wanted ??
    groupOffsets
      .all(group)
      .filter(({ topic }) => may('describe', 'topic', topic))
      .map(({ topic, partitions }) => ({ name: topic, partitionIndexes: partitions }))
  return once(topics, ({ name }) => name).map(({ name, partitionIndexes }) => ({
    name,
    partitions: once(partitionIndexes, String).map((partition) => {
      if (!may('describe', 'topic', name)) return without(partition, kafkaErrors.TOPIC_AUTHORIZATION_FAILED)
      if (requireStable && transactions.isUnstable(group, { topic: name, partition })) {
        return without(partition, kafkaErrors.UNSTABLE_OFFSET_COMMIT)
      }
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
const without = (partitionIndex: number, errorCode: number) => ({
  partitionIndex,
  committedOffset: -1,
  committedLeaderEpoch: -1,
  metadata: '',
  errorCode,
})
const refused = (topics: readonly Wanted[], errorCode: number) =>
  topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partition) => without(partition, errorCode)),
  }))
