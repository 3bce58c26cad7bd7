// DescribeTopicPartitions 0 (key 75): topics in the order of their names, some or all, page by page: `nextCursor` is where
// the next request is to go on. A page holds at most 2000 partitions, or fewer if the client says so.
import type { TopicInfo } from '../../../log/log.ts'
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { topicNameProblem } from '../../topic-name.ts'
import { authorizedOperations } from '../allowed.ts'
import { type Asking, Disconnect } from '../serving.ts'

type TopicAnswer = ResponseTo<'describeTopicPartitions'>['topics'][number]
/** Kafka's max.request.partition.size.limit. */
const partitionsMax = 2_000
const zeroId = new Uint8Array(16)

export function describeTopicPartitions(
  { topics, cursor, responsePartitionLimit }: RequestOf<'describeTopicPartitions'>,
  asking: Asking,
): ResponseTo<'describeTopicPartitions'> {
  if (cursor !== null && cursor.partitionIndex < 0) throw new Disconnect('a cursor at a partition below 0')
  const { serving, may } = asking
  const { core } = serving
  const all = topics.length === 0
  const names = [...new Set(all ? core.topics().map(({ name }) => name) : topics.map(({ name }) => name))]
    .filter((name) => cursor === null || name >= cursor.topicName)
    .sort((a, b) => (a < b ? -1 : 1))
  const answers: TopicAnswer[] = []
  let room = Math.min(partitionsMax, Math.max(1, responsePartitionLimit))
  for (const name of names) {
    if (!may('describe', 'topic', name)) {
      if (!all) answers.push(refused(name, kafkaErrors.TOPIC_AUTHORIZATION_FAILED))
      continue
    }
    const topic = core.topic(name)
    if (topic === null) {
      const isName = topicNameProblem(name) === null
      const errorCode = isName ? kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION : kafkaErrors.INVALID_TOPIC_EXCEPTION
      if (!all) answers.push(refused(name, errorCode))
      continue
    }
    const first = cursor?.topicName === name ? cursor.partitionIndex : 0
    if (room === 0) return { topics: answers, nextCursor: { topicName: name, partitionIndex: first } }
    const last = Math.min(topic.partitions, first + room)
    answers.push(page(asking, topic, first, last))
    room -= Math.max(0, last - first)
    if (last < topic.partitions) return { topics: answers, nextCursor: { topicName: name, partitionIndex: last } }
  }
  return { topics: answers, nextCursor: null }
}

function page(asking: Asking, topic: TopicInfo, first: number, last: number): TopicAnswer {
  const { nodeId, leaderEpoch } = asking.serving.core
  const nodes = [nodeId]
  return {
    errorCode: kafkaErrors.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.internal,
    partitions: Array.from({ length: Math.max(0, last - first) }, (_, i) => ({
      errorCode: kafkaErrors.NONE,
      partitionIndex: first + i,
      leaderId: nodeId,
      leaderEpoch,
      replicaNodes: nodes,
      isrNodes: nodes,
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
      offlineReplicas: [],
    })),
    topicAuthorizedOperations: authorizedOperations(asking, 'topic', topic.name),
  }
}
const refused = (name: string, errorCode: number): TopicAnswer => ({ errorCode, name, topicId: zeroId, partitions: [] })
