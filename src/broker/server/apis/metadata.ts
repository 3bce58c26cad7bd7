// Metadata 0-13 (key 3): the one broker there is, and topics by name, by id (12+) or all of them. Missing topics are
// made on first use where broker and request allow it. Internal topics are listed and marked as such.
// Of the topics only those are told that the asker may describe.
import type { TopicInfo } from '../../../log/log.ts'
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import type { BrokerCore } from '../../core.ts'
import { clusterName } from '../../security/access-codes.ts'
import { topicNameProblem } from '../../topic-name.ts'
import { authorizedOperations, mayCreateTopic, mayOnCluster } from '../allowed.ts'
import { once } from '../once.ts'
import { type Asking, Disconnect, refusal } from '../serving.ts'
import { idText, isZeroId } from '../topic-directory.ts'

type TopicAnswer = ResponseTo<'metadata'>['topics'][number]
const zeroId = new Uint8Array(16)

export async function metadata(request: RequestOf<'metadata'>, asking: Asking): Promise<ResponseTo<'metadata'>> {
  const { serving, version, advertised } = asking
  const { core } = serving
  const all = request.topics === null || (version === 0 && request.topics.length === 0)
  const topics = all
    ? core.topics().flatMap((topic) => (asking.may('describe', 'topic', topic.name) ? described(topic, core) : []))
    : await askedFor(request, asking)
  return {
    brokers: [{ nodeId: core.nodeId, host: advertised.host, port: advertised.port }],
    clusterId: core.clusterId,
    controllerId: core.nodeId,
    topics: request.includeTopicAuthorizedOperations ? topics.map((topic) => withRights(topic, asking)) : topics,
    ...(request.includeClusterAuthorizedOperations ? { clusterAuthorizedOperations: clusterRights(asking) } : {}),
    errorCode: kafkaErrors.NONE,
  }
}

const withRights = (topic: TopicAnswer, asking: Asking): TopicAnswer =>
  topic.errorCode !== kafkaErrors.NONE || topic.name === null
    ? topic
    : { ...topic, topicAuthorizedOperations: authorizedOperations(asking, 'topic', topic.name) }
const clusterRights = (asking: Asking): number =>
  mayOnCluster(asking, 'describe') ? authorizedOperations(asking, 'cluster', clusterName) : 0

async function askedFor(request: RequestOf<'metadata'>, asking: Asking): Promise<TopicAnswer[]> {
  const { serving, version, may } = asking
  const { core, topics, limits } = serving
  const findId = topics.idFinder()
  const answers: (TopicAnswer | Promise<TopicAnswer>)[] = []
  let made = 0
  const keyOf = ({ name, topicId }: { readonly name: string | null; readonly topicId: Uint8Array }): string =>
    isZeroId(topicId) ? `name ${name}` : `id ${idText(topicId)}`
  for (const { name, topicId } of once(request.topics ?? [], keyOf)) {
    // An id counts more than a name: Java's client sends both, the name empty.
    if (name === null || !isZeroId(topicId)) {
      if (version < 12) throw new Disconnect('topics by id are served from Metadata 12 on')
      const { topic, errorCode } = findId(topicId)
      // An id is no secret, the name is.
      if (topic !== null && !may('describe', 'topic', topic.name)) {
        answers.push(missing(null, topicId, kafkaErrors.TOPIC_AUTHORIZATION_FAILED))
        continue
      }
      answers.push(topic === null ? missing(null, topicId, errorCode) : described(topic, core))
      continue
    }
    const { topic, errorCode } = topics.byName(name)
    if (!may('describe', 'topic', name)) {
      answers.push(missing(name, zeroId, kafkaErrors.TOPIC_AUTHORIZATION_FAILED))
    } else if (topic !== null) {
      answers.push(described(topic, core))
    } else if (topicNameProblem(name) !== null) {
      answers.push(missing(name, zeroId, kafkaErrors.INVALID_TOPIC_EXCEPTION))
    } else if (request.allowAutoTopicCreation && topics.makesMissing && !mayCreateTopic(asking, name)) {
      answers.push(missing(name, zeroId, kafkaErrors.TOPIC_AUTHORIZATION_FAILED))
    } else if (request.allowAutoTopicCreation && topics.makesMissing && made++ < limits.autoCreatedTopicsMax) {
      answers.push(
        topics.make(name).then(
          (topic) => described(topic, core),
          (error: unknown) => missing(name, zeroId, refusal(error).errorCode),
        ),
      )
    } else answers.push(missing(name, zeroId, errorCode))
  }
  return Promise.all(answers)
}

function described(topic: TopicInfo, { nodeId, leaderEpoch }: BrokerCore): TopicAnswer {
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
      leaderEpoch,
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
