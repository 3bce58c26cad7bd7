// OffsetDelete 0 (key 47): forgets what a group has committed for some partitions, answered when that is durable. Not for
// topics that its members read at the time.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import type { NamedPlace } from '../../groups/offset-store.ts'
import type { Asking } from '../serving.ts'
import { storageError } from './offset-commit.ts'

export async function offsetDelete(
  { groupId, topics }: RequestOf<'offsetDelete'>,
  { serving: { groups }, may }: Asking,
): Promise<ResponseTo<'offsetDelete'>> {
  if (!may('delete', 'group', groupId)) return { errorCode: kafkaErrors.GROUP_AUTHORIZATION_FAILED }
  const group = groups.group(groupId)
  const isThere = group !== null || groups.consumerGroup(groupId) !== null || groups.offsets.has(groupId)
  if (group?.state === 'Dead' || !isThere) {
    return { errorCode: kafkaErrors.GROUP_ID_NOT_FOUND }
  }
  if (group !== null && group.members.size > 0 && group.protocolType !== 'consumer') {
    return { errorCode: kafkaErrors.NON_EMPTY_GROUP }
  }
  const subscribed = groups.topicsRead(groupId)
  const forgotten: NamedPlace[] = []
  const answers = topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => {
      if (!may('read', 'topic', name)) {
        return { partitionIndex, errorCode: kafkaErrors.TOPIC_AUTHORIZATION_FAILED }
      }
      const isRead = subscribed === null || subscribed.has(name)
      const isKept = groups.offsets.committed(groupId, { topic: name, partition: partitionIndex }) !== null
      if (!isRead && isKept) forgotten.push({ topic: name, partition: partitionIndex })
      return { partitionIndex, errorCode: isRead ? kafkaErrors.GROUP_SUBSCRIBED_TO_TOPIC : kafkaErrors.NONE }
    }),
  }))
  try {
    if (forgotten.length > 0) await groups.offsets.forget(groupId, forgotten)
    return { errorCode: kafkaErrors.NONE, topics: answers }
  } catch (error) {
    return { errorCode: kafkaErrors[storageError(error)] }
  }
}
