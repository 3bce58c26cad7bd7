// CreateTopics 2-7 (key 19): each topic on its own, or only a look whether it could be (validateOnly). Replication
// factor 1 (or -1, the default), replicas assigned by hand only to this broker.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { configProblem } from '../../topic-configs.ts'
import { isReservedName, topicNameProblem } from '../../topic-name.ts'
import { mayCreateTopic } from '../allowed.ts'
import { cannotMake } from '../house-topics.ts'
import { mayChange, tooManyChanges } from '../mutations.ts'
import { type Asking, refusal, type Serving, shortened } from '../serving.ts'
import { brokerDefaultPartitions, describeTopicConfigs } from '../shown-configs.ts'

type TopicRequest = RequestOf<'createTopics'>['topics'][number]
type TopicAnswer = ResponseTo<'createTopics'>['topics'][number]
interface Problem {
  readonly errorCode: number
  readonly errorMessage: string
}
/** The error of the quota on changes. */
const quotaErrorSince = 6
const zeroId = new Uint8Array(16)
const notAllowed: Problem = {
  errorCode: kafkaErrors.TOPIC_AUTHORIZATION_FAILED,
  errorMessage: 'making it needs the right to create on the topic or on the cluster',
}

export async function createTopics(
  request: RequestOf<'createTopics'>,
  asking: Asking,
): Promise<ResponseTo<'createTopics'>> {
  const times = new Map<string, number>()
  for (const { name } of request.topics) times.set(name, (times.get(name) ?? 0) + 1)
  const byName = new Map(request.topics.map((topic) => [topic.name, topic]))
  const answers = [...times].map(([name, count]) => {
    const topic = byName.get(name)
    if (topic === undefined || count > 1) {
      return refused(name, {
        errorCode: kafkaErrors.INVALID_REQUEST,
        errorMessage: `${name} stands here ${count} times`,
      })
    }
    if (!mayCreateTopic(asking, name)) return refused(name, notAllowed)
    if (isReservedName(name)) return refused(name, cannotMake(name))
    return create(asking, topic, request.validateOnly)
  })
  return { topics: await Promise.all(answers) }
}

async function create(asking: Asking, request: TopicRequest, validateOnly: boolean): Promise<TopicAnswer> {
  const { serving, may } = asking
  const { core } = serving
  const { name } = request
  const found = problem(serving, request)
  if (found !== null) return refused(name, found)
  const partitions = partitionsOf(serving, request)
  const configs = configsOf(request)
  let topicId: Uint8Array = zeroId
  if (!validateOnly) {
    if (!mayChange(asking, partitions, quotaErrorSince)) return refused(name, tooManyChanges)
    try {
      topicId = (await core.createTopic({ name, partitions, configs, internal: false })).id
    } catch (error) {
      return refused(name, refusal(error))
    }
  }
  // Who may make a topic may not always see its settings: then these are left out, and it is said why.
  if (!may('describe-configs', 'topic', name)) {
    const topicConfigErrorCode = kafkaErrors.TOPIC_AUTHORIZATION_FAILED
    return { name, topicId, errorCode: kafkaErrors.NONE, errorMessage: null, topicConfigErrorCode, configs: null }
  }
  return {
    name,
    topicId,
    errorCode: kafkaErrors.NONE,
    errorMessage: null,
    numPartitions: partitions,
    replicationFactor: 1,
    configs: describeTopicConfigs(core, configs).map(({ name, value, source }) => ({
      name,
      value,
      readOnly: false,
      configSource: source,
      isSensitive: false,
    })),
  }
}

const partitionsOf = ({ core }: Serving, { assignments, numPartitions }: TopicRequest): number =>
  assignments.length > 0 ? assignments.length : numPartitions === -1 ? brokerDefaultPartitions(core) : numPartitions

/** Null for a value asks for the default. */
function configsOf({ configs }: TopicRequest): Record<string, string> {
  return Object.fromEntries(configs.flatMap(({ name, value }) => (value === null ? [] : [[name, value]])))
}

/** What can be said before the log is asked. It checks again what is its own: names, counts, configs. */
function problem({ core }: Serving, request: TopicRequest): Problem | null {
  const { name, numPartitions, replicationFactor, assignments } = request
  const wrongName = topicNameProblem(name)
  if (wrongName !== null) return { errorCode: kafkaErrors.INVALID_TOPIC_EXCEPTION, errorMessage: wrongName }
  if (core.topic(name) !== null) {
    return { errorCode: kafkaErrors.TOPIC_ALREADY_EXISTS, errorMessage: `topic ${name} is there already` }
  }
  if (assignments.length > 0) {
    if (numPartitions !== -1 || replicationFactor !== -1) {
      const errorMessage = 'with replicas assigned by hand, partitions and replication factor are both -1'
      return { errorCode: kafkaErrors.INVALID_REQUEST, errorMessage }
    }
    const indexes = new Set(assignments.map(({ partitionIndex }) => partitionIndex))
    const complete = indexes.size === assignments.length && assignments.every((_, i) => indexes.has(i))
    const here = assignments.every(({ brokerIds }) => brokerIds.length === 1 && brokerIds[0] === core.nodeId)
    if (!complete || !here) {
      const errorMessage = `assign each partition from 0 on once, to broker ${core.nodeId} alone`
      return { errorCode: kafkaErrors.INVALID_REPLICA_ASSIGNMENT, errorMessage }
    }
  } else {
    if (numPartitions !== -1 && numPartitions < 1) {
      const errorMessage = `a topic has at least one partition, not ${numPartitions}; -1 asks for the default`
      return { errorCode: kafkaErrors.INVALID_PARTITIONS, errorMessage }
    }
    if (replicationFactor !== -1 && replicationFactor !== 1) {
      const errorMessage = `there is one broker: a replication factor of 1 or -1, not ${replicationFactor}`
      return { errorCode: kafkaErrors.INVALID_REPLICATION_FACTOR, errorMessage }
    }
  }
  const wrongConfig = configProblem(configsOf(request))
  if (wrongConfig !== null) return { errorCode: kafkaErrors.INVALID_CONFIG, errorMessage: wrongConfig }
  return null
}

const refused = (name: string, { errorCode, errorMessage }: Problem): TopicAnswer => ({
  name,
  topicId: zeroId,
  errorCode,
  errorMessage: shortened(errorMessage),
  configs: null,
})
