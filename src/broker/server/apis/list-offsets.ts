// ListOffsets 1-10 (key 2): the ends of a partition, the largest timestamp's record, or the first record at or after a
// time. Answered from durable records only;
// with read_committed (2+) from those before the first open transaction.
// Left out: tiered storage (-5 finds nothing, -4 is the start), replicas.
import { LogError } from '../../../log/log.ts'
import { type PartitionId, partitionId } from '../../../std/units.ts'
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import type { BrokerCore } from '../../core.ts'
import { leaderEpochProblem } from '../leader-epoch.ts'
import { type Asking, refusal } from '../serving.ts'

type PartitionAnswer = ResponseTo<'listOffsets'>['topics'][number]['partitions'][number]

const forbidden = { topic: null, errorCode: kafkaErrors.TOPIC_AUTHORIZATION_FAILED }

/** Of the isolation levels; 0 is read_uncommitted. */
const readCommitted = 1

const latest = -1
const earliest = -2
const ofLargestTimestamp = -3
const earliestLocal = -4
const latestTiered = -5
/** Questions below 0, and the version from which on each may be asked. Others are refused, as Kafka does. */
const since: ReadonlyMap<number, number> = new Map([
  [latest, 1],
  [earliest, 1],
  [ofLargestTimestamp, 7],
  [earliestLocal, 8],
  [latestTiered, 9],
])

export function listOffsets(
  request: RequestOf<'listOffsets'>,
  { serving, version, may }: Asking,
): ResponseTo<'listOffsets'> {
  // By name, then partition: a key of both would hold the name, which may be long, once for each partition.
  const times = new Map<string, Map<number, number>>()
  for (const { name, partitions } of request.topics) {
    const ofTopic = times.get(name) ?? new Map<number, number>()
    times.set(name, ofTopic)
    for (const { partitionIndex } of partitions) {
      ofTopic.set(partitionIndex, (ofTopic.get(partitionIndex) ?? 0) + 1)
    }
  }
  return {
    topics: request.topics.map(({ name, partitions }) => {
      const { topic, errorCode } = may('describe', 'topic', name) ? serving.topics.byName(name) : forbidden
      return {
        name,
        partitions: partitions.map(({ partitionIndex, timestamp, currentLeaderEpoch }): PartitionAnswer => {
          if (topic === null) return { partitionIndex, errorCode }
          if (partitionIndex < 0 || partitionIndex >= topic.partitions) {
            return { partitionIndex, errorCode: kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION }
          }
          if (times.get(name)?.get(partitionIndex) !== 1) {
            return { partitionIndex, errorCode: kafkaErrors.INVALID_REQUEST }
          }
          const problem = leaderEpochProblem(serving.core, currentLeaderEpoch)
          if (problem !== kafkaErrors.NONE) return { partitionIndex, errorCode: problem }
          if (timestamp < 0 && version < (since.get(timestamp) ?? Number.POSITIVE_INFINITY)) {
            return { partitionIndex, errorCode: kafkaErrors.UNSUPPORTED_VERSION }
          }
          try {
            return {
              partitionIndex,
              errorCode: kafkaErrors.NONE,
              ...find(
                serving.core,
                name,
                partitionId(partitionIndex),
                timestamp,
                request.isolationLevel === readCommitted,
              ),
            }
          } catch (error) {
            if (!(error instanceof LogError)) throw error
            return { partitionIndex, errorCode: refusal(error).errorCode }
          }
        }),
      }
    }),
  }
}

/** Offset -1 with timestamp -1: nothing is there to be found. */
type Place = Pick<PartitionAnswer, 'offset' | 'timestamp' | 'leaderEpoch'>
const nowhere: Place = { offset: -1, timestamp: -1, leaderEpoch: -1 }

function find(core: BrokerCore, topic: string, partition: PartitionId, timestamp: number, committed: boolean): Place {
  const end = committed ? core.stable.end(topic, partition) : core.offsets(topic, partition).end
  switch (timestamp) {
    case latest:
      return { offset: end, timestamp: -1, leaderEpoch: core.leaderEpoch }
    case earliest:
    case earliestLocal: {
      const { start } = core.offsets(topic, partition)
      return { offset: start, timestamp: -1, leaderEpoch: core.epochAt(topic, partition, start) }
    }
    case latestTiered:
      return nowhere
    default: {
      const found =
        timestamp === ofLargestTimestamp
          ? core.offsetOfMaxTime(topic, partition)
          : core.offsetForTime(topic, partition, timestamp)
      if (found === null || found.offset >= end) return nowhere
      const leaderEpoch = core.epochAt(topic, partition, found.offset)
      return { offset: found.offset, timestamp: found.timestampMs, leaderEpoch }
    }
  }
}
