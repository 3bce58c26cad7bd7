// Fetch sessions (KIP-227): the server remembers which partitions a client fetches and what it was told of each, so that
// later requests and answers name only what has changed. Bounded in sessions and in partitions of all sessions together.
import type { RandomStream } from '../../std/random.ts'
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../wire/wire.ts'
import type { Clock } from '../../world/world.ts'
import { topicNameCharactersMax } from '../topic-name.ts'
import type { KafkaServerLimits } from './limits.ts'

/** Epochs of a request: `initial` begins a session, `final` ends one or wants none; others count up from 1. */
const initialEpoch = 0
const finalEpoch = -1
const largestEpoch = 0x7fff_ffff
const noSession = 0

/** One partition that a client wants, as its request says it or as its session remembers it. */
export interface AskedPartition {
  readonly topic: string
  readonly topicId: Uint8Array
  readonly partition: number
  readonly currentLeaderEpoch: number
  readonly fetchOffset: number
  readonly lastFetchedEpoch: number
  readonly partitionMaxBytes: number
}
type TopicAnswer = ResponseTo<'fetch'>['responses'][number]
type PartitionAnswer = TopicAnswer['partitions'][number]

/** What to fetch for a request, and how to answer: all partitions, or the ones that have changed. */
export type FetchContext =
  | { readonly kind: 'refused'; readonly errorCode: number }
  | { readonly kind: 'full'; readonly asked: readonly AskedPartition[]; readonly wantsSession: boolean }
  | { readonly kind: 'incremental'; readonly asked: readonly AskedPartition[]; readonly session: Session }

/** Of a request that gets records. */
export type ServedContext = Exclude<FetchContext, { readonly kind: 'refused' }>

interface Remembered {
  asked: AskedPartition
  /** What the client was told; -1: it is to be told again. */
  highWatermark: number
  logStartOffset: number
}
interface Session {
  readonly id: number
  readonly usesIds: boolean
  readonly createdMs: number
  lastUsedMs: number
  /** That the next request must say. */
  epoch: number
  /** Those that gave records last come last, so that each has its turn. */
  readonly partitions: Map<string, Remembered>
}

const idText = (id: Uint8Array): string => Buffer.from(id.buffer, id.byteOffset, id.length).toString('hex')
const nextEpoch = (epoch: number): number => (epoch === largestEpoch ? 1 : epoch + 1)
const keyOf = (usesIds: boolean, topic: string, topicId: Uint8Array, partition: number): string =>
  `${usesIds ? idText(topicId) : topic}/${partition}`

/** A session remembers a name with each of its partitions: one that no topic can have may be of any length. */
const areTopicNames = (topics: readonly { readonly topic: string }[]): boolean =>
  topics.every(({ topic }) => topic.length <= topicNameCharactersMax)

/** In the request's order, each partition once: as in Kafka the last word about it counts. */
function askedIn({ topics }: RequestOf<'fetch'>): AskedPartition[] {
  const byTopic = new Map<string, Map<number, AskedPartition>>()
  for (const { topic, topicId, partitions } of topics) {
    const key = `${idText(topicId)} ${topic}`
    const asked = byTopic.get(key) ?? new Map<number, AskedPartition>()
    byTopic.set(key, asked)
    for (const { partition, currentLeaderEpoch, fetchOffset, lastFetchedEpoch, partitionMaxBytes } of partitions) {
      asked.set(partition, {
        topic,
        topicId,
        partition,
        currentLeaderEpoch,
        fetchOffset,
        lastFetchedEpoch,
        partitionMaxBytes,
      })
    }
  }
  return [...byTopic.values()].flatMap((asked) => [...asked.values()])
}
/** Outlives its frame. */
const kept = (asked: AskedPartition): AskedPartition => ({ ...asked, topicId: new Uint8Array(asked.topicId) })

export class FetchSessions {
  readonly #clock: Clock
  readonly #random: RandomStream
  readonly #limits: KafkaServerLimits
  readonly #sessions = new Map<number, Session>()
  #partitions = 0

  constructor(clock: Clock, random: RandomStream, limits: KafkaServerLimits) {
    this.#clock = clock
    this.#random = random
    this.#limits = limits
  }

  get count(): number {
    return this.#sessions.size
  }
  /** Of all sessions. */
  get partitions(): number {
    return this.#partitions
  }

  begin(request: RequestOf<'fetch'>, version: number): FetchContext {
    const { sessionId, sessionEpoch } = request
    if (sessionEpoch === initialEpoch || sessionEpoch === finalEpoch) {
      this.#end(this.#sessions.get(sessionId))
      return { kind: 'full', asked: askedIn(request), wantsSession: version >= 7 && sessionEpoch === initialEpoch }
    }
    const session = this.#sessions.get(sessionId)
    if (session === undefined) return { kind: 'refused', errorCode: kafkaErrors.FETCH_SESSION_ID_NOT_FOUND }
    if (session.epoch !== sessionEpoch) {
      return { kind: 'refused', errorCode: kafkaErrors.INVALID_FETCH_SESSION_EPOCH }
    }
    if (session.usesIds !== version >= 13) {
      return { kind: 'refused', errorCode: kafkaErrors.FETCH_SESSION_TOPIC_ID_ERROR }
    }
    if (!this.#change(session, request)) {
      this.#end(session)
      return { kind: 'refused', errorCode: kafkaErrors.FETCH_SESSION_ID_NOT_FOUND }
    }
    session.lastUsedMs = this.#clock.monoMs()
    if (session.partitions.size === 0) {
      this.#end(session)
      return { kind: 'full', asked: [], wantsSession: false }
    }
    session.epoch = nextEpoch(session.epoch)
    return { kind: 'incremental', asked: [...session.partitions.values()].map(({ asked }) => asked), session }
  }

  /** False: it would hold more than there is room for. */
  #change(session: Session, request: RequestOf<'fetch'>): boolean {
    const { usesIds, partitions } = session
    if (!areTopicNames(request.topics) || !areTopicNames(request.forgottenTopicsData)) return false
    for (const asked of askedIn(request)) {
      const key = keyOf(usesIds, asked.topic, asked.topicId, asked.partition)
      const known = partitions.get(key)
      if (known !== undefined) known.asked = { ...asked, topicId: known.asked.topicId }
      else if (this.#partitions >= this.#limits.fetchSessionPartitionsMax) return false
      else {
        partitions.set(key, { asked: kept(asked), highWatermark: -1, logStartOffset: -1 })
        this.#partitions++
      }
    }
    for (const { topic, topicId, partitions: forgotten } of request.forgottenTopicsData) {
      for (const partition of forgotten) {
        if (partitions.delete(keyOf(usesIds, topic, topicId, partition))) this.#partitions--
      }
    }
    return true
  }

  /** What goes out: the session's id, and of an incremental fetch only what the client does not know yet. */
  answer(
    context: ServedContext,
    version: number,
    responses: readonly TopicAnswer[],
  ): { readonly sessionId: number; readonly responses: readonly TopicAnswer[] } {
    if (context.kind === 'full') {
      return { sessionId: context.wantsSession ? this.#make(context.asked, version >= 13, responses) : 0, responses }
    }
    const { session } = context
    const changed: TopicAnswer[] = []
    const withRecords: [string, Remembered][] = []
    for (const { topic, topicId, partitions } of responses) {
      const news = partitions.filter((answer) => {
        const key = keyOf(session.usesIds, topic, topicId, answer.partitionIndex)
        const known = session.partitions.get(key)
        if (known === undefined) return true
        if (hasRecords(answer)) withRecords.push([key, known])
        return isNews(known, answer)
      })
      if (news.length > 0) changed.push({ topic, topicId, partitions: news })
    }
    for (const [key, known] of withRecords) {
      session.partitions.delete(key)
      session.partitions.set(key, known)
    }
    return { sessionId: session.id, responses: changed }
  }

  /** The id of a new session, 0 if there is no room for it. */
  #make(asked: readonly AskedPartition[], usesIds: boolean, responses: readonly TopicAnswer[]): number {
    const nowMs = this.#clock.monoMs()
    if (asked.length === 0 || !areTopicNames(asked) || !this.#makeRoom(asked.length, nowMs)) return noSession
    const partitions = new Map<string, Remembered>()
    for (const each of asked) {
      const remembered = { asked: kept(each), highWatermark: -1, logStartOffset: -1 }
      partitions.set(keyOf(usesIds, each.topic, each.topicId, each.partition), remembered)
    }
    for (const { topic, topicId, partitions: answers } of responses) {
      for (const answer of answers) {
        const known = partitions.get(keyOf(usesIds, topic, topicId, answer.partitionIndex))
        if (known !== undefined) isNews(known, answer)
      }
    }
    const id = this.#freshId()
    this.#sessions.set(id, { id, usesIds, createdMs: nowMs, lastUsedMs: nowMs, epoch: 1, partitions })
    this.#partitions += partitions.size
    return id
  }
  #freshId(): number {
    for (;;) {
      const id = 1 + this.#random.below(largestEpoch - 1)
      if (!this.#sessions.has(id)) return id
    }
  }

  /** As Kafka: a session unused for long goes first, then one that is smaller and has had its time; else there is none. */
  #makeRoom(size: number, nowMs: number): boolean {
    const { fetchSessionsMax, fetchSessionPartitionsMax, fetchSessionKeepMsMin } = this.#limits
    if (size > fetchSessionPartitionsMax) return false
    while (this.#sessions.size >= fetchSessionsMax || this.#partitions + size > fetchSessionPartitionsMax) {
      let oldest: Session | undefined
      let smallest: Session | undefined
      for (const session of this.#sessions.values()) {
        if (oldest === undefined || session.lastUsedMs < oldest.lastUsedMs) oldest = session
        if (nowMs - session.createdMs < fetchSessionKeepMsMin || session.partitions.size >= size) continue
        if (smallest === undefined || session.partitions.size < smallest.partitions.size) smallest = session
      }
      const isUnused = oldest !== undefined && nowMs - oldest.lastUsedMs >= fetchSessionKeepMsMin
      const goes = isUnused ? oldest : smallest
      if (goes === undefined) return false
      this.#end(goes)
    }
    return true
  }
  #end(session: Session | undefined): void {
    if (session === undefined || !this.#sessions.delete(session.id)) return
    this.#partitions -= session.partitions.size
  }
}

function hasRecords({ records }: PartitionAnswer): boolean {
  return records !== null && records !== undefined && records.length > 0
}
/** Does the client not know this yet? Notes that it does from now on. */
function isNews(known: Remembered, answer: PartitionAnswer): boolean {
  const { errorCode, highWatermark, logStartOffset = -1, divergingEpoch = null } = answer
  const failed = errorCode !== kafkaErrors.NONE
  const moved = highWatermark !== known.highWatermark || logStartOffset !== known.logStartOffset
  // After an error it is told again, whatever it was.
  known.highWatermark = failed ? -1 : highWatermark
  known.logStartOffset = logStartOffset
  return moved || failed || divergingEpoch !== null || hasRecords(answer)
}
