// DescribeLogDirs 1-4 (key 35): what partitions take in the one data directory, and how much room its disk has (4+). With
// null all of them are told, else those that are named and there.
// Left out: replicas that lag, or are on their way to another directory: there are none.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { mayOnCluster } from '../allowed.ts'
import type { Asking } from '../serving.ts'

type TopicAnswer = ResponseTo<'describeLogDirs'>['results'][number]['topics'][number]

export function describeLogDirs(
  { topics }: RequestOf<'describeLogDirs'>,
  asking: Asking,
): ResponseTo<'describeLogDirs'> {
  if (!mayOnCluster(asking, 'describe')) return { errorCode: kafkaErrors.CLUSTER_AUTHORIZATION_FAILED, results: [] }
  const { core } = asking.serving
  const wanted = topics === null ? null : new Map(topics.map(({ topic, partitions }) => [topic, new Set(partitions)]))
  const found = new Map<string, TopicAnswer['partitions'][number][]>()
  for (const { topic, partition, bytes } of core.diskUsage()) {
    if (wanted !== null && wanted.get(topic)?.has(partition) !== true) continue
    const partitions = found.get(topic) ?? []
    found.set(topic, partitions)
    partitions.push({ partitionIndex: partition, partitionSize: bytes, offsetLag: 0, isFutureKey: false })
  }
  const { folder, room } = core.logDir()
  return {
    errorCode: kafkaErrors.NONE,
    results: [
      {
        errorCode: kafkaErrors.NONE,
        logDir: folder,
        topics: [...found].map(([name, partitions]) => ({ name, partitions })),
        ...(room === null ? {} : { totalBytes: room.totalBytes, usableBytes: room.freeBytes }),
      },
    ],
  }
}
