// Metadata 0-13 (key 3): the one broker there is, and topics by name, by id (12+) or all of them. Missing topics are
// made on first use where broker and request allow it. Internal topics are listed and marked as such.
// Left out: authorized operations (there are no ACLs; the field stays at "not asked").
import type { TopicInfo } from '../../../log/log.ts'
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { topicNameProblem } from '../../topic-name.ts'
import { type Asking, Disconnect, refusal } from '../serving.ts'
import { isZeroId } from '../topic-directory.ts'

type TopicAnswer = ResponseTo<'metadata'>['topics'][number]
const zeroId = new Uint8Array(16)

export async function metadata(request: RequestOf<'metadata'>, asking: Asking): Promise<ResponseTo<'metadata'>> {
  const { serving, version, advertised } = asking
  const { core } = serving
  const all = request.topics === null || (version === 0 && request.topics.length === 0)
  const topics = all ? core.topics().map((topic) => described(topic, core.nodeId)) : await askedFor(request, asking)
  return {
    brokers: [{ nodeId: core.nodeId, host: advertised.host, port: advertised.port }],
    clusterId: core.clusterId,
    controllerId: core.nodeId,
    topics,
    errorCode: kafkaErrors.NONE,
  }
}

async function askedFor(request: RequestOf<'metadata'>, { serving, version }: Asking): Promise<TopicAnswer[]> {
  const { core, topics, limits } = serving
  const findId = topics.idFinder()
  const answers: (TopicAnswer | Promise<TopicAnswer>)[] = []
  let made = 0
  for (const { name, topicId } of request.topics ?? []) {
    // An id counts more than a name: Java's client sends both, the name empty.
    if (name === null || !isZeroId(topicId)) {
      if (version < 12) throw new Disconnect('topics by id are served from Metadata 12 on')
      const { topic, errorCode } = findId(topicId)
      answers.push(topic === null ? missing(null, topicId, errorCode) : described(topic, core.nodeId))
      continue
    }
    const { topic, errorCode } = topics.byName(name)
    if (topic !== null) {
      answers.push(described(topic, core.nodeId))
    } else if (topicNameProblem(name) !== null) {
      answers.push(missing(name, zeroId, kafkaErrors.INVALID_TOPIC_EXCEPTION))
    } else if (request.allowAutoTopicCreation && topics.makesMissing && made++ < limits.autoCreatedTopicsMax) {
      answers.push(
        topics.make(name).then(
          (topic) => described(topic, core.nodeId),
          (error: unknown) => missing(name, zeroId, refusal(error).errorCode),
        ),
      )
    } else answers.push(missing(name, zeroId, errorCode))
  }
  return Promise.all(answers)
}

function described(topic: TopicInfo, nodeId: number): TopicAnswer {
  const nodes = [nodeId]
  return {
    errorCode: kafkaErrors.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.internal,
    partitions: Array.from({ length: topic.partitions }, (_, partitionIndex) => ({
      errorCode: kafkaErrors.NONE,
      partitionIndex,
      leaderId: nodeId,
      leaderEpoch: 0,
      replicaNodes: nodes,
      isrNodes: nodes,
      offlineReplicas: [],
    })),
  }
}
const missing = (name: string | null, topicId: Uint8Array, errorCode: number): TopicAnswer => ({
  errorCode,
  name,
  topicId,
  partitions: [],
})
