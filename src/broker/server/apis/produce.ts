// Produce 3-13 (key 0): appends one record batch per partition. acks=all and acks=1 are both answered once the batch is
// durable (no reader sees a record that a power cut could take back); acks=0 is never answered, and an error closes the
// connection. Batches of a request reach the log in its order, before the next request is looked at.
// Left out: transactions (a transactional batch is refused), leader hints (there is one broker).
import type { TopicInfo } from '../../../log/log.ts'
import { partitionId } from '../../../std/units.ts'
import { type BatchProblem, batchHeaderBytes, checkBatch, checkRecords, codecOf } from '../../../wire/record-batch.ts'
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { mayCreateTopic } from '../allowed.ts'
import { type Asking, Disconnect, refusal, type Serving } from '../serving.ts'

type PartitionAnswer = ResponseTo<'produce'>['responses'][number]['partitionResponses'][number]
type PartitionRequest = RequestOf<'produce'>['topicData'][number]['partitionData'][number]

export function produce(request: RequestOf<'produce'>, asking: Asking): Promise<ResponseTo<'produce'> | null> {
  const { serving, version, may } = asking
  const findId = serving.topics.idFinder()
  const responses = request.topicData.map(async ({ name, topicId, partitionData }) => {
    // Everything up to the appends happens in this turn: the order of requests is the order in the log.
    const { topic, errorCode } = version >= 13 ? findId(topicId) : serving.topics.byName(name)
    const named = version >= 13 ? topic?.name : name
    const isForbidden = named !== undefined && !may('write', 'topic', named)
    const answers = partitionData.map((partition) => {
      if (request.acks !== 0 && request.acks !== 1 && request.acks !== -1) {
        return refused(partition.index, kafkaErrors.INVALID_REQUIRED_ACKS, `acks is -1, 0 or 1, not ${request.acks}`)
      }
      if (isForbidden) return refused(partition.index, kafkaErrors.TOPIC_AUTHORIZATION_FAILED, null)
      if (topic !== null) return append(serving, topic, partition)
      if (version >= 13 || !serving.topics.makesMissing) return refused(partition.index, errorCode, null)
      if (!mayCreateTopic(asking, name)) {
        return refused(partition.index, kafkaErrors.TOPIC_AUTHORIZATION_FAILED, null)
      }
      return appendToNew(serving, name, partition)
    })
    return { name, topicId, partitionResponses: await Promise.all(answers) }
  })
  return Promise.all(responses).then((answered) => {
    if (request.acks !== 0) return { responses: answered }
    const failed = answered
      .flatMap(({ partitionResponses }) => partitionResponses)
      .find(({ errorCode }) => errorCode !== 0)
    if (failed !== undefined)
      throw new Disconnect(`a batch without acknowledgement was refused: ${failed.errorMessage}`)
    return null
  })
}

async function appendToNew(serving: Serving, name: string, partition: PartitionRequest): Promise<PartitionAnswer> {
  let topic: TopicInfo
  try {
    topic = await serving.topics.make(name)
  } catch (error) {
    const { errorCode, errorMessage } = refusal(error)
    return refused(partition.index, errorCode, errorMessage)
  }
  return append(serving, topic, partition)
}

async function append(serving: Serving, topic: TopicInfo, partition: PartitionRequest): Promise<PartitionAnswer> {
  const { index, records } = partition
  if (index < 0 || index >= topic.partitions) {
    const message = `${topic.name} has ${topic.partitions} partitions, none is ${index}`
    return refused(index, kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION, message)
  }
  const problem = inspect(records, Number(configOf(serving, topic, 'max.message.bytes')))
  if (problem !== null) return refused(index, kafkaErrors[problem.code], problem.message)
  try {
    const appended = await serving.core.append(topic.name, partitionId(index), records ?? new Uint8Array(0))
    const byBroker = configOf(serving, topic, 'message.timestamp.type') === 'LogAppendTime'
    return {
      index,
      errorCode: kafkaErrors.NONE,
      baseOffset: appended.baseOffset,
      logAppendTimeMs: byBroker ? appended.appendedMs : -1,
      logStartOffset: serving.core.offsets(topic.name, partitionId(index)).start,
      recordErrors: [],
    }
  } catch (error) {
    const { errorCode, errorMessage } = refusal(error)
    return refused(index, errorCode, errorMessage)
  }
}

const configOf = ({ core }: Serving, topic: TopicInfo, name: string): string | undefined =>
  topic.configs[name] ?? core.configDefaults[name]

/**
 * Looks into compressed records: a batch that no consumer could read must not reach the log. Everything else is the
 * log's to check: size, header, checksum, plain records. When compressed records are wrong, it is asked first whether
 * the bytes came undamaged, so that damage on the way is CORRUPT_MESSAGE and tried again.
 */
function inspect(records: Uint8Array | null, bytesMax: number): BatchProblem | null {
  if (records === null || records.length === 0) return { code: 'INVALID_RECORD', message: 'no record batch' }
  if (records.length > bytesMax || records.length < batchHeaderBytes || codecOf(records) === 'none') return null
  const problem = checkRecords(records)
  return problem === null ? null : (checkBatch(records) ?? problem)
}

const refused = (index: number, errorCode: number, errorMessage: string | null): PartitionAnswer => ({
  index,
  errorCode,
  baseOffset: -1,
  recordErrors: [],
  errorMessage,
})
