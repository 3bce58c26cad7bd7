// Fetch 4-18 (key 1): record batches from given offsets on, as a long poll by minBytes and maxWaitMs, limited per
// partition and in all; the first batch goes out even above the limits. Readers see durable records only, so
// read_committed and read_uncommitted are the same.
// Left out: fetch sessions (KIP-227: session id 0 tells the client that it has none), replicas' fields, rack awareness,
// aborted transactions (there are no transactions yet).
import { LogError } from '../../../log/log.ts'
import { offset, type PartitionId, partitionId } from '../../../std/units.ts'
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import type { Wanted } from '../arrivals.ts'
import { type Asking, refusal, type Serving } from '../serving.ts'

type PartitionAnswer = ResponseTo<'fetch'>['responses'][number]['partitions'][number]

interface WantedPartition {
  readonly index: number
  readonly from: number
  readonly bytesMax: number
  /** Known before the log is looked at; 0 if all is well so far. */
  readonly errorCode: number
}
interface WantedTopic {
  readonly topic: string
  readonly topicId: Uint8Array
  /** The name to read by, null if there is no such topic. */
  readonly name: string | null
  readonly partitions: readonly WantedPartition[]
}
interface Found {
  readonly responses: ResponseTo<'fetch'>['responses']
  readonly bytes: number
  readonly failed: boolean
}

/** A client that asks for more than one byte prefers few large answers: it is looked after at most this often. */
const gatherMs = 5

export async function fetch(request: RequestOf<'fetch'>, asking: Asking): Promise<ResponseTo<'fetch'>> {
  const { serving } = asking
  if (request.sessionId !== 0) {
    return { errorCode: kafkaErrors.FETCH_SESSION_ID_NOT_FOUND, sessionId: 0, responses: [] }
  }
  const wanted = resolve(request, asking)
  const waitMs = Math.min(request.maxWaitMs, serving.limits.fetchWaitMsMax)
  const watched: Wanted[] = []
  for (const { name, partitions } of wanted) {
    if (name !== null) for (const { index } of partitions) watched.push({ topic: name, partition: index })
  }
  let over: Over | null = null
  for (;;) {
    const wait = serving.arrivals.wait(watched)
    try {
      const found = await collect(serving, wanted, request)
      const enough = found.bytes >= request.minBytes || found.failed || watched.length === 0 || waitMs <= 0
      if (enough || over?.passed === true) {
        over?.cancel()
        return { errorCode: kafkaErrors.NONE, responses: found.responses }
      }
      over ??= untilOver(asking, waitMs)
      await Promise.race([wait.news, over.promise])
      if (request.minBytes > 1 && !over.passed) await Promise.race([serving.world.clock.sleep(gatherMs), over.promise])
    } finally {
      wait.cancel()
    }
  }
}

interface Over {
  readonly promise: Promise<void>
  passed: boolean
  cancel(): void
}
/** The end of a long poll's patience: its time has passed, or nobody waits for the answer any more. */
function untilOver({ serving, onGone }: Asking, waitMs: number): Over {
  const over: Over = { promise: Promise.resolve(), passed: false, cancel: () => {} }
  const promise = new Promise<void>((resolve) => {
    const pass = (): void => {
      over.passed = true
      over.cancel()
      resolve()
    }
    const timer = serving.world.clock.timer(waitMs, pass)
    const forget = onGone(pass)
    over.cancel = () => {
      timer.cancel()
      forget()
    }
  })
  return Object.assign(over, { promise })
}

const forbidden = { topic: null, errorCode: kafkaErrors.TOPIC_AUTHORIZATION_FAILED }

function resolve(request: RequestOf<'fetch'>, { serving, version, may }: Asking): WantedTopic[] {
  const findId = serving.topics.idFinder()
  return request.topics.map(({ topic: given, topicId, partitions }) => {
    const found = version >= 13 ? findId(topicId) : serving.topics.byName(given)
    const named = version >= 13 ? (found.topic?.name ?? null) : given
    // The right to read comes first: without it nobody learns whether the topic is there.
    const { topic, errorCode } = named === null || may('read', 'topic', named) ? found : forbidden
    return {
      topic: given,
      topicId,
      name: topic?.name ?? null,
      partitions: partitions.map(({ partition, fetchOffset, partitionMaxBytes, currentLeaderEpoch }) => ({
        index: partition,
        from: fetchOffset,
        bytesMax: partitionMaxBytes,
        errorCode:
          topic === null
            ? errorCode
            : partition < 0 || partition >= topic.partitions
              ? kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION
              : currentLeaderEpoch > 0
                ? kafkaErrors.UNKNOWN_LEADER_EPOCH
                : kafkaErrors.NONE,
      })),
    }
  })
}

async function collect(
  serving: Serving,
  wanted: readonly WantedTopic[],
  { maxBytes, isolationLevel }: RequestOf<'fetch'>,
): Promise<Found> {
  const bytesMax = Math.max(0, Math.min(maxBytes, allowedBytes(serving)))
  const abortedTransactions = isolationLevel === 1 ? [] : null
  let bytes = 0
  let failed = false
  const responses: ResponseTo<'fetch'>['responses'][number][] = []
  for (const { topic, topicId, name, partitions } of wanted) {
    const answers: PartitionAnswer[] = []
    for (const { index, from, bytesMax: partitionBytesMax, errorCode } of partitions) {
      const answer =
        name === null || errorCode !== kafkaErrors.NONE
          ? refused(index, errorCode)
          : await read(
              serving,
              name,
              partitionId(index),
              from,
              Math.min(partitionBytesMax, bytesMax - bytes),
              bytes === 0,
            )
      if (answer.errorCode !== kafkaErrors.NONE) failed = true
      for (const batch of partsOf(answer)) bytes += batch.length
      answers.push({ ...answer, abortedTransactions })
    }
    responses.push({ topic, topicId, partitions: answers })
  }
  return { responses, bytes, failed }
}
const partsOf = ({ records }: PartitionAnswer): readonly Uint8Array[] =>
  records === null || records === undefined ? [] : records instanceof Uint8Array ? [records] : records

/** What one answer may hold: less and less as answers pile up that peers do not take. */
function allowedBytes({ limits, outboundBytes }: Serving): number {
  const spare = (limits.outboundBytesMax - outboundBytes) / 4
  return Math.min(limits.fetchBytesMax, Math.max(limits.fetchBytesMin, spare))
}

async function read(
  { core }: Serving,
  topic: string,
  partition: PartitionId,
  from: number,
  bytesMax: number,
  nothingYet: boolean,
): Promise<PartitionAnswer> {
  try {
    const { start, end } = core.offsets(topic, partition)
    if (!(from >= start && from <= end))
      return { ...refused(partition, kafkaErrors.OFFSET_OUT_OF_RANGE), highWatermark: end }
    const records: Uint8Array[] = []
    if (from < end && (bytesMax > 0 || nothingYet)) {
      let bytes = 0
      for (const batch of await core.read(topic, partition, offset(from), Math.max(1, bytesMax))) {
        // The log gives at least one batch; it may be above the limit only if it is the first of the whole answer.
        if (bytes + batch.length > bytesMax && !(nothingYet && bytes === 0)) break
        records.push(batch)
        bytes += batch.length
      }
    }
    return {
      partitionIndex: partition,
      errorCode: kafkaErrors.NONE,
      highWatermark: end,
      lastStableOffset: end,
      logStartOffset: start,
      abortedTransactions: null,
      records,
    }
  } catch (error) {
    if (!(error instanceof LogError)) throw error
    return refused(partition, refusal(error).errorCode)
  }
}

const refused = (partitionIndex: number, errorCode: number): PartitionAnswer => ({
  partitionIndex,
  errorCode,
  highWatermark: -1,
  abortedTransactions: null,
  records: [],
})
