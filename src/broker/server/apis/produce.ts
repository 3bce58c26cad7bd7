// Produce 3-13 (key 0): appends one record batch per partition. acks=all and acks=1 are both answered once the batch is
// durable (no reader sees a record that a power cut could take back); acks=0 is never answered, and an error closes the
// connection. Batches of a request reach the log in its order, before the next request of its connection is looked at; more
// than two megabytes of them in several turns of the loop. Versions 0 to 2 are answered by produce-of-old.ts.
// A batch of a transaction is taken only into the open one of its epoch. From 12 on its partition joins it by itself
// (KIP-890); before, it must have been added.
// Left out: leader hints (there is one broker).
import type { TopicInfo } from '../../../log/log.ts'
import { crc32c } from '../../../std/crc32c.ts'
import { partitionId } from '../../../std/units.ts'
import {
  type BatchProblem,
  batchCrc,
  batchHeaderBytes,
  checkBatch,
  checkRecords,
  checksummedFrom,
  codecOf,
  vouchForChecksum,
} from '../../../wire/record-batch.ts'
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import type { World } from '../../../world/world.ts'
import { mayCreateTopic } from '../allowed.ts'
import { cannotWrite, isOfTheHouse } from '../house-topics.ts'
import { isOfTransaction, type Sending, sendingOf } from '../producing-within.ts'
import { type Asking, clientOf, Disconnect, refusal, type Serving } from '../serving.ts'

type PartitionAnswer = ResponseTo<'produce'>['responses'][number]['partitionResponses'][number]
type PartitionRequest = RequestOf<'produce'>['topicData'][number]['partitionData'][number]

/** Bytes of batches that are checked and appended in one turn of the loop; a request with more takes several. */
export const bytesPerTurn = 2 * 1024 * 1024
/** A disk that takes longer is slow: if many requests wait for it, producers are asked to come more slowly. */
const slowMs = 1_000
const slowThrottleMsMax = 1_000

export async function produce(request: RequestOf<'produce'>, asking: Asking): Promise<ResponseTo<'produce'> | null> {
  const { serving, turn } = asking
  const { clock } = serving.world
  const startMs = clock.monoMs()
  const { bytes, work } = sizeOf(request)
  const client = clientOf(asking.principal, asking.clientId)
  turn.throttle(serving.quotas.charge(client, 'producer_byte_rate', bytes))
  const placed = work <= bytesPerTurn ? placeAll(request, asking) : await placeInTurns(request, asking)
  const responses = await Promise.all(
    placed.map(async ({ name, topicId, answers }) => ({
      name,
      topicId,
      partitionResponses: await Promise.all(answers),
    })),
  )
  const tookMs = clock.monoMs() - startMs
  if (tookMs >= slowMs && serving.flow.inboundIsHigh) turn.throttle(Math.min(slowThrottleMsMax, tookMs / 10))
  if (request.acks !== 0) return { responses }
  const failed = responses
    .flatMap(({ partitionResponses }) => partitionResponses)
    .find(({ errorCode }) => errorCode !== 0)
  if (failed !== undefined) throw new Disconnect(`a batch without acknowledgement was refused: ${failed.errorMessage}`)
  return null
}
/** Bytes, and what looking at them is worth in bytes: compressed ones grow while they are looked at. */
function sizeOf({ topicData }: RequestOf<'produce'>): { readonly bytes: number; readonly work: number } {
  let bytes = 0
  let work = 0
  for (const { partitionData } of topicData) {
    for (const { records } of partitionData) {
      bytes += records?.length ?? 0
      work += workOf(records)
    }
  }
  return { bytes, work }
}
const decompressedTimes = 16
function workOf(records: Uint8Array | null): number {
  if (records === null || records.length < batchHeaderBytes) return 0
  return codecOf(records) === 'none' ? records.length : records.length * decompressedTimes
}

interface Placed {
  readonly name: string
  readonly topicId: Uint8Array
  /** Of the partitions so far. */
  readonly answers: (PartitionAnswer | Promise<PartitionAnswer>)[]
}
/** Everything up to the appends happens in this turn: the order of requests is the order in the log. */
function placeAll(request: RequestOf<'produce'>, asking: Asking): Placed[] {
  const place = placing(request, asking)
  return request.topicData.map((topic) => {
    const placed = place(topic)
    for (const partition of topic.partitionData) placed.add(partition)
    return placed
  })
}
/** The same for a large request, which must not keep everyone else waiting: later ones of its connection do wait. */
async function placeInTurns(request: RequestOf<'produce'>, asking: Asking): Promise<Placed[]> {
  const { world } = asking.serving
  const release = asking.turn.hold()
  try {
    const place = placing(request, asking)
    const all: Placed[] = []
    let inTurn = 0
    for (const topic of request.topicData) {
      const placed = place(topic)
      all.push(placed)
      for (const partition of topic.partitionData) {
        const work = workOf(partition.records)
        if (inTurn > 0 && inTurn + work > bytesPerTurn) {
          await nextTurn(world)
          inTurn = 0
        }
        if (partition.records !== null && partition.records.length > bytesPerTurn)
          await vouchInTurns(world, partition.records)
        inTurn += work
        placed.add(partition)
      }
    }
    return all
  } finally {
    release()
  }
}
const nextTurn = (world: World): Promise<void> => new Promise((resolve) => world.clock.soon(resolve))
/** The checksum of a large batch, a piece per turn; if it is right the log need not go through it again. */
async function vouchInTurns(world: World, batch: Uint8Array): Promise<void> {
  let sum = 0
  for (let at = checksummedFrom; at < batch.length; at += bytesPerTurn) {
    sum = crc32c(batch, at, Math.min(at + bytesPerTurn, batch.length), sum)
    await nextTurn(world)
  }
  if (batch.length >= batchHeaderBytes && sum === batchCrc(batch)) vouchForChecksum(batch)
}

type TopicRequest = RequestOf<'produce'>['topicData'][number]
function placing(
  request: RequestOf<'produce'>,
  asking: Asking,
): (topic: TopicRequest) => Placed & { add(partition: PartitionRequest): void } {
  const { serving, version, may } = asking
  const findId = serving.topics.idFinder()
  const sending = sendingOf(request.transactionalId, asking)
  const making = new Set<string>()
  const mayMake = (name: string): boolean => {
    if (making.size < serving.limits.autoCreatedTopicsMax) making.add(name)
    return making.has(name)
  }
  return ({ name, topicId }) => {
    const { topic, errorCode } = version >= 13 ? findId(topicId) : serving.topics.byName(name)
    const named = version >= 13 ? topic?.name : name
    const isForbidden = named !== undefined && !may('write', 'topic', named)
    const answerTo = (partition: PartitionRequest): PartitionAnswer | Promise<PartitionAnswer> => {
      if (request.acks !== 0 && request.acks !== 1 && request.acks !== -1) {
        return refused(partition.index, kafkaErrors.INVALID_REQUIRED_ACKS, `acks is -1, 0 or 1, not ${request.acks}`)
      }
      if (isForbidden) return refused(partition.index, kafkaErrors.TOPIC_AUTHORIZATION_FAILED, null)
      if (!sending.mayTransact && isOfTransaction(partition.records)) {
        return refused(partition.index, kafkaErrors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, null)
      }
      if (topic !== null) return append(serving, topic, partition, sending)
      if (version >= 13 || !serving.topics.makesMissing) return refused(partition.index, errorCode, null)
      if (!mayCreateTopic(asking, name)) {
        return refused(partition.index, kafkaErrors.TOPIC_AUTHORIZATION_FAILED, null)
      }
      // As many as one Metadata may; the others are made when the producer tries again.
      if (!mayMake(name)) return refused(partition.index, errorCode, null)
      return appendToNew(serving, name, partition, sending)
    }
    const answers: Placed['answers'] = []
    return { name, topicId, answers, add: (partition) => answers.push(answerTo(partition)) }
  }
}

async function appendToNew(
  serving: Serving,
  name: string,
  partition: PartitionRequest,
  sending: Sending,
): Promise<PartitionAnswer> {
  let topic: TopicInfo
  try {
    topic = await serving.topics.make(name)
  } catch (error) {
    const { errorCode, errorMessage } = refusal(error)
    return refused(partition.index, errorCode, errorMessage)
  }
  return append(serving, topic, partition, sending)
}

async function append(
  serving: Serving,
  topic: TopicInfo,
  partition: PartitionRequest,
  { within, said }: Sending,
): Promise<PartitionAnswer> {
  const { index, records } = partition
  if (index < 0 || index >= topic.partitions) {
    const message = `${topic.name} has ${topic.partitions} partitions, none is ${index}`
    return refused(index, kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION, message)
  }
  if (isOfTheHouse(serving.core, topic.name)) {
    const { errorCode, errorMessage } = cannotWrite(topic.name)
    return refused(index, errorCode, errorMessage)
  }
  const problem = inspect(records, Number(configOf(serving, topic, 'max.message.bytes')))
  if (problem !== null) return refused(index, kafkaErrors[problem.code], problem.message)
  try {
    const { core } = serving
    const batch = records ?? new Uint8Array(0)
    const appended = await (within !== null && isOfTransaction(batch)
      ? core.appendWithin(topic.name, partitionId(index), batch, within)
      : core.append(topic.name, partitionId(index), batch))
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
    return refused(index, said(errorCode), errorMessage)
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
