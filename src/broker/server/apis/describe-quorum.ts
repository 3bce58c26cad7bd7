// DescribeQuorum 0-2 (key 55): who keeps the metadata. Kafka's is a topic of its own; ours is the journal that holds
// everything, so the answer for `__cluster_metadata` tells how far that is, with this broker as its only voter.
// Left out: observers, directory ids (zero), listeners by name (the one that the client reached is told).
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { mayOnCluster } from '../allowed.ts'
import type { Asking } from '../serving.ts'

type PartitionAnswer = ResponseTo<'describeQuorum'>['topics'][number]['partitions'][number]
const metadataTopic = '__cluster_metadata'
const zeroId = new Uint8Array(16)

export function describeQuorum({ topics }: RequestOf<'describeQuorum'>, asking: Asking): ResponseTo<'describeQuorum'> {
  if (!mayOnCluster(asking, 'describe')) {
    return { errorCode: kafkaErrors.CLUSTER_AUTHORIZATION_FAILED, errorMessage: null, topics: [], nodes: [] }
  }
  const { nodeId } = asking.serving.core
  const { host, port } = asking.advertised
  return {
    errorCode: kafkaErrors.NONE,
    errorMessage: null,
    topics: topics.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions.map(({ partitionIndex }) =>
        topicName === metadataTopic && partitionIndex === 0 ? quorum(asking) : unknown(partitionIndex),
      ),
    })),
    nodes: [{ nodeId, listeners: [{ name: 'BROKER', host, port }] }],
  }
}

function quorum({ serving: { core, world } }: Asking): PartitionAnswer {
  const highWatermark = core.journalEnd
  const nowMs = world.clock.nowMs()
  return {
    partitionIndex: 0,
    errorCode: kafkaErrors.NONE,
    errorMessage: null,
    leaderId: core.nodeId,
    leaderEpoch: core.leaderEpoch,
    highWatermark,
    currentVoters: [
      {
        replicaId: core.nodeId,
        replicaDirectoryId: zeroId,
        logEndOffset: highWatermark,
        lastFetchTimestamp: nowMs,
        lastCaughtUpTimestamp: nowMs,
      },
    ],
    observers: [],
  }
}
const unknown = (partitionIndex: number): PartitionAnswer => ({
  partitionIndex,
  errorCode: kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION,
  errorMessage: `the only log of metadata is ${metadataTopic}-0`,
  leaderId: -1,
  leaderEpoch: -1,
  highWatermark: -1,
  currentVoters: [],
  observers: [],
})
