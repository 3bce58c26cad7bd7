// OffsetCommit 2-9 (key 8): how far a group has come, answered when it is durable. Members of the present generation may
// commit, those of KIP-848 at their present epoch (9), and anyone who claims no generation while the group has no members.
// Offset -1 or -2 (kafkajs resets a group to the latest or earliest with them) is kept and told as it is, as Kafka does:
// clients take it for "nothing committed", and their own rule for that case decides.
// Left out: a retention time of its own (2-4), topics by id (10).
import { LogError } from '../../../log/log.ts'
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import type { NewOffset } from '../../groups/offset-store.ts'
import { committedBytes } from '../../groups/offset-table.ts'
import type { Asking, Serving } from '../serving.ts'

const memberEpochSince = 9

/** Kafka's "earliest"; -1 is its "latest". */
const noOffsetMin = -2

type PartitionRequest = RequestOf<'offsetCommit'>['topics'][number]['partitions'][number]

export async function offsetCommit(
  request: RequestOf<'offsetCommit'>,
  { serving, may, version }: Asking,
): Promise<ResponseTo<'offsetCommit'>> {
  const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch: generation, topics } = request
  const { groups, core } = serving
  const claim = { memberId, instanceId: groupInstanceId, generation }
  const refused = !may('read', 'group', groupId)
    ? 'GROUP_AUTHORIZATION_FAILED'
    : isTooLong(groupId, serving)
      ? 'INVALID_GROUP_ID'
      : version < memberEpochSince && groups.hasEpoch(groupId, memberId)
        ? 'UNSUPPORTED_VERSION'
        : groups.checkCommit(groupId, claim)
  const accepted: NewOffset[] = []
  const room = { bytes: groups.settings.offsetBytesMax - groups.offsets.bytes }
  const answers = topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((partition) => {
      const error =
        refused !== 'NONE'
          ? refused
          : may('read', 'topic', name)
            ? judge(serving, name, partition, room)
            : 'TOPIC_AUTHORIZATION_FAILED'
      const { partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata } = partition
      if (error === 'NONE') {
        accepted.push({
          topic: name,
          partition: partitionIndex,
          offset: committedOffset,
          leaderEpoch: committedLeaderEpoch,
          metadata: committedMetadata ?? '',
        })
      }
      return { partitionIndex, errorCode: kafkaErrors[error] }
    }),
  }))
  if (accepted.length === 0) return { topics: answers }
  try {
    await core.groupOffsets.commit(groupId, groups.protocolType(groupId), serving.world.clock.nowMs(), accepted)
    return { topics: answers }
  } catch (error) {
    const errorCode = kafkaErrors[storageError(error)]
    return {
      topics: answers.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map((each) => (each.errorCode === kafkaErrors.NONE ? { ...each, errorCode } : each)),
      })),
    }
  }
}

const isTooLong = (groupId: string, { groups }: Serving): boolean =>
  Buffer.byteLength(groupId) > groups.settings.groupIdBytesMax

function judge(serving: Serving, name: string, partition: PartitionRequest, room: { bytes: number }) {
  const { settings } = serving.groups
  const { partitionIndex, committedOffset, committedMetadata } = partition
  const { topic } = serving.topics.byName(name)
  if (topic === null || partitionIndex < 0 || partitionIndex >= topic.partitions) return 'UNKNOWN_TOPIC_OR_PARTITION'
  const metadata = committedMetadata ?? ''
  if (metadata.length > settings.offsetMetadataCharactersMax) return 'OFFSET_METADATA_TOO_LARGE'
  if (!(committedOffset >= noOffsetMin && committedOffset <= Number.MAX_SAFE_INTEGER)) return 'INVALID_REQUEST'
  room.bytes -= committedBytes(metadata)
  return room.bytes < 0 ? 'INVALID_COMMIT_OFFSET_SIZE' : 'NONE'
}

/** In words that clients expect of a coordinator: what the disk does not take now may be tried again. */
export function storageError(error: unknown) {
  if (!(error instanceof LogError)) throw error
  if (error.code === 'MESSAGE_TOO_LARGE') return 'INVALID_COMMIT_OFFSET_SIZE'
  return error.code === 'UNKNOWN_TOPIC_OR_PARTITION' ? error.code : 'COORDINATOR_NOT_AVAILABLE'
}
