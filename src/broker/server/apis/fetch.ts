// Fetch 4-18 (key 1): record batches from given offsets on, as a long poll by minBytes and maxWaitMs, limited per
// partition and in all; the first batch goes out even above the limits. Readers see durable records only;
// with read_committed those before the first open transaction, and which of them were aborted.
// Sessions: KIP-227 (fetch-sessions.ts). A last fetched epoch (12+) beyond the log's end is answered with where it diverges.
// Left out: followers (another broker is told that it is no replica), rack awareness, leader hints (there is one broker).
import { LogError } from '../../../log/log.ts'
import { offset, type PartitionId, partitionId } from '../../../std/units.ts'
import { baseOffset, lastOffset } from '../../../wire/record-batch.ts'
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import type { BrokerCore } from '../../core.ts'
import { Lease, type ReadRoom } from '../../read-room.ts'
import type { Wanted } from '../arrivals.ts'
import type { AskedPartition, ServedContext } from '../fetch-sessions.ts'
import { leaderEpochProblem } from '../leader-epoch.ts'
import { type Asking, clientOf, refusal, type Serving, type Turn } from '../serving.ts'
import { isZeroId, type Found as TopicFound } from '../topic-directory.ts'

type PartitionAnswer = ResponseTo<'fetch'>['responses'][number]['partitions'][number]

interface WantedPartition {
  readonly index: number
  readonly from: number
  readonly bytesMax: number
  readonly lastFetchedEpoch: number
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
/** Too much is on its way to peers that do not take it: whoever else fetches waits for so long. */
const noRoomMs = 100

export async function fetch(request: RequestOf<'fetch'>, asking: Asking): Promise<ResponseTo<'fetch'>> {
  const { serving, version, turn } = asking
  const context = serving.fetchSessions.begin(request, version)
  if (context.kind === 'refused') return { errorCode: context.errorCode, sessionId: 0, responses: [] }
  const wanted = resolve(context.asked, replicaOf(request, version), asking)
  const { flow, quotas } = serving
  const client = clientOf(asking.principal, asking.clientId)
  const bytesAtOnce = Math.min(request.maxBytes, quotas.atOnce(client, 'consumer_byte_rate'))
  const owedMs = quotas.owedMs(client, 'consumer_byte_rate')
  if (owedMs > 0) return waiting(context, asking, owedMs)
  const waitMs = Math.min(request.maxWaitMs, serving.limits.fetchWaitMsMax)
  const watched: Wanted[] = []
  for (const { name, partitions } of wanted) {
    if (name !== null) for (const { index } of partitions) watched.push({ topic: name, partition: index })
  }
  let over: Over | null = null
  for (;;) {
    const lease = new Lease(serving.memory)
    const wait = serving.arrivals.wait(watched)
    try {
      const found = await flow.oneByOne(() => {
        const room = flow.fetchBytes(turn.queuedBytes)
        if (room === 0) return null
        return collect(serving, wanted, Math.max(0, Math.min(bytesAtOnce, room)), request.isolationLevel, turn, lease)
      })
      if (found === null) {
        over?.cancel()
        return waiting(context, asking, noRoomMs)
      }
      const enough = found.bytes >= request.minBytes || found.failed || watched.length === 0 || waitMs <= 0
      if (enough || over?.passed === true) {
        over?.cancel()
        turn.throttle(quotas.charge(client, 'consumer_byte_rate', found.bytes))
        turn.afterSent(lease.bytes, () => lease.giveBack())
        return { errorCode: kafkaErrors.NONE, ...serving.fetchSessions.answer(context, version, found.responses) }
      }
      turn.reserve(0)
      // What there is will be looked for again.
      lease.giveBack()
      over ??= untilOver(asking, waitMs)
      await Promise.race([wait.news, over.promise])
      if (request.minBytes > 1 && !over.passed) await Promise.race([serving.world.clock.sleep(gatherMs), over.promise])
    } finally {
      wait.cancel()
    }
  }
}

/** No records now, come again later (KIP-219). */
function waiting(context: ServedContext, { turn }: Asking, ms: number): ResponseTo<'fetch'> {
  turn.throttle(ms)
  const sessionId = context.kind === 'incremental' ? context.session.id : 0
  return { errorCode: kafkaErrors.NONE, sessionId, responses: [] }
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

/** Of the isolation levels; 0 is read_uncommitted. */
const readCommitted = 1

const forbidden: TopicFound = { topic: null, errorCode: kafkaErrors.TOPIC_AUTHORIZATION_FAILED }

/** The broker that fetches as a follower; below 0: a consumer. */
function replicaOf({ replicaId, replicaState }: RequestOf<'fetch'>, version: number): number {
  return version >= 15 ? (replicaState?.replicaId ?? -1) : replicaId
}

/** Partitions of the same topic that follow each other stand together. */
function resolve(asked: readonly AskedPartition[], replicaId: number, asking: Asking): WantedTopic[] {
  const { serving, version, may } = asking
  const findId = serving.topics.idFinder()
  const findTopic = (given: string, topicId: Uint8Array): TopicFound => {
    const found = version >= 13 ? findId(topicId) : serving.topics.byName(given)
    const named = version >= 13 ? (found.topic?.name ?? null) : given
    if (replicaId >= 0) return may('cluster-action', 'cluster', 'kafka-cluster') ? found : forbidden
    // The right to read comes first: without it nobody learns whether the topic is there.
    return named === null || may('read', 'topic', named) ? found : forbidden
  }
  const wanted: (WantedTopic & { readonly partitions: WantedPartition[] })[] = []
  let last: AskedPartition | null = null
  let found: TopicFound = forbidden
  for (const each of asked) {
    const { topic: given, topicId } = each
    if (last === null || last.topic !== given || !sameBytes(last.topicId, topicId)) {
      found = findTopic(given, topicId)
      wanted.push({ topic: given, topicId, name: found.topic?.name ?? null, partitions: [] })
    }
    last = each
    wanted.at(-1)!.partitions.push({
      index: each.partition,
      from: each.fetchOffset,
      bytesMax: each.partitionMaxBytes,
      lastFetchedEpoch: each.lastFetchedEpoch,
      errorCode: errorOf(serving, each, found, replicaId),
    })
  }
  return wanted
}
function errorOf(
  { core }: Serving,
  { partition, currentLeaderEpoch }: AskedPartition,
  found: TopicFound,
  replicaId: number,
): number {
  const { topic, errorCode } = found
  if (topic === null) return errorCode
  if (partition < 0 || partition >= topic.partitions) return kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION
  const problem = leaderEpochProblem(core, currentLeaderEpoch)
  if (problem !== kafkaErrors.NONE) return problem
  // No other broker is among the replicas of anything.
  if (replicaId >= 0) return kafkaErrors.NOT_LEADER_OR_FOLLOWER
  return kafkaErrors.NONE
}
const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a === b || Buffer.compare(a, b) === 0

/** Partitions that are looked at in one turn of the loop. */
const partitionsPerTurn = 1_000
async function collect(
  serving: Serving,
  wanted: readonly WantedTopic[],
  bytesMax: number,
  isolationLevel: number,
  turn: Turn,
  room: ReadRoom,
): Promise<Found> {
  const committed = isolationLevel === readCommitted
  let bytes = 0
  let failed = false
  let inTurn = 0
  const responses: ResponseTo<'fetch'>['responses'][number][] = []
  for (const { topic, topicId, name, partitions } of wanted) {
    const answers: PartitionAnswer[] = []
    // Another topic of the name may have been made while this fetch waited.
    const isAnother = name !== null && !isZeroId(topicId) && !isStill(serving.core, name, topicId)
    for (const { index, from, bytesMax: partitionBytesMax, lastFetchedEpoch, errorCode: known } of partitions) {
      if (++inTurn > partitionsPerTurn) {
        await new Promise<void>((resolve) => serving.world.clock.soon(resolve))
        inTurn = 1
      }
      const errorCode = known === kafkaErrors.NONE && isAnother ? kafkaErrors.UNKNOWN_TOPIC_ID : known
      const answer =
        name === null || errorCode !== kafkaErrors.NONE
          ? refused(index, errorCode)
          : await read(
              serving,
              name,
              partitionId(index),
              from,
              lastFetchedEpoch,
              Math.max(0, Math.min(partitionBytesMax, bytesMax - bytes)),
              bytes === 0,
              committed,
              room,
            )
      if (answer.errorCode !== kafkaErrors.NONE || answer.divergingEpoch != null) failed = true
      for (const batch of partsOf(answer)) bytes += batch.length
      answers.push(answer)
    }
    responses.push({ topic, topicId, partitions: answers })
  }
  turn.reserve(bytes)
  return { responses, bytes, failed }
}
function isStill(core: BrokerCore, name: string, topicId: Uint8Array): boolean {
  const topic = core.topic(name)
  return topic !== null && sameBytes(topic.id, topicId)
}
const partsOf = ({ records }: PartitionAnswer): readonly Uint8Array[] =>
  records === null || records === undefined ? [] : records instanceof Uint8Array ? [records] : records

async function read(
  { core }: Serving,
  topic: string,
  partition: PartitionId,
  from: number,
  lastFetchedEpoch: number,
  bytesMax: number,
  nothingYet: boolean,
  committed: boolean,
  room: ReadRoom,
): Promise<PartitionAnswer> {
  try {
    const { start, end } = core.offsets(topic, partition)
    const ended = lastFetchedEpoch < 0 ? null : core.endOfEpoch(topic, partition, lastFetchedEpoch)
    if (ended !== null && (ended.leaderEpoch < lastFetchedEpoch || ended.endOffset < from)) {
      const divergingEpoch = { epoch: ended.leaderEpoch, endOffset: ended.endOffset }
      return { ...refused(partition, kafkaErrors.NONE), highWatermark: end, logStartOffset: start, divergingEpoch }
    }
    // Of an epoch that never was nobody knows where it ends.
    if (!(from >= start && from <= end) || (lastFetchedEpoch >= 0 && ended === null))
      return { ...refused(partition, kafkaErrors.OFFSET_OUT_OF_RANGE), highWatermark: end }
    const stable = core.stable.end(topic, partition)
    const readable = committed ? stable : end
    const records: Uint8Array[] = []
    let last: Uint8Array | null = null
    if (from < readable && (bytesMax > 0 || nothingYet)) {
      let bytes = 0
      for (const batch of await core.read(topic, partition, offset(from), Math.max(1, bytesMax), room)) {
        // The log gives at least one batch; it may be above the limit only if it is the first of the whole answer.
        if (bytes + batch.length > bytesMax && !(nothingYet && bytes === 0)) break
        if (baseOffset(batch) >= readable) break
        append(records, batch)
        last = batch
        bytes += batch.length
      }
    }
    return {
      partitionIndex: partition,
      errorCode: kafkaErrors.NONE,
      highWatermark: end,
      lastStableOffset: stable,
      logStartOffset: start,
      abortedTransactions: committed ? abortedAmong(core, topic, partition, from, last) : null,
      records,
    }
  } catch (error) {
    if (!(error instanceof LogError)) throw error
    return refused(partition, refusal(error).errorCode)
  }
}

/** What lies behind each other in memory goes out as one. */
function append(parts: Uint8Array[], batch: Uint8Array): void {
  const before = parts.at(-1)
  const end = before === undefined ? -1 : before.byteOffset + before.length
  if (before === undefined || before.buffer !== batch.buffer || end !== batch.byteOffset) parts.push(batch)
  else parts[parts.length - 1] = new Uint8Array(before.buffer, before.byteOffset, before.length + batch.length)
}
function abortedAmong(
  core: BrokerCore,
  topic: string,
  partition: PartitionId,
  from: number,
  last: Uint8Array | null,
): NonNullable<PartitionAnswer['abortedTransactions']> {
  if (last === null) return []
  const aborted = core.stable.abortedIn(topic, partition, offset(from), offset(lastOffset(last) + 1))
  return aborted.map(({ producerId, firstOffset }) => ({ producerId: BigInt(producerId), firstOffset }))
}

const refused = (partitionIndex: number, errorCode: number): PartitionAnswer => ({
  partitionIndex,
  errorCode,
  highWatermark: -1,
  abortedTransactions: null,
  records: [],
})
