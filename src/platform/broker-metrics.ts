// What `/metrics` and the health checks tell of a broker, whether it stands alone or in the house.
import { type Broker, durationBoundsSeconds } from '../broker/broker.ts'
import type { Component, MetricsPort, MetricsState } from '../serve/ports.ts'
import { partitionId } from '../std/units.ts'

export function brokerState(broker: Broker): Pick<MetricsState, 'journal' | 'broker'> {
  const { connections, server, journal } = broker.stats()
  const { fileBytes, segments, pendingBytes, writes, syncs } = journal
  const topics = broker.topics()
  return {
    journal: { fileBytes, segments, pendingBytes, writes, syncs },
    broker: {
      connections,
      ...server,
      durationBoundsSeconds,
      topics: topics.map(({ name, partitions }) => ({ topic: name, partitions })),
      partitions: topics.flatMap(({ name, partitions }) =>
        Array.from({ length: partitions }, (_, partition) => ({
          topic: name,
          partition,
          ...broker.offsets(name, partitionId(partition)),
        })),
      ),
    },
  }
}

/** Since the topic was created, those that retention has taken included. */
export function recordsOf(broker: Broker, topic: string): number {
  let records = 0
  const partitions = broker.topic(topic)?.partitions ?? 0
  for (let partition = 0; partition < partitions; partition++)
    records += broker.offsets(topic, partitionId(partition)).end
  return records
}

/** Of a broker without a shop: no contracts, so nothing is rejected, and no pipelines. */
export function aloneMetrics(broker: Broker): MetricsPort {
  return {
    read: () => ({
      ingested: broker.topics().map(({ name }) => ({ topic: name, records: recordsOf(broker, name) })),
      rejected: [],
      watermarkLags: [],
      engine: { operators: [], jobs: [] },
      ...brokerState(broker),
    }),
    groupLags: () => broker.groupLags(),
  }
}

export function brokerComponent(broker: Broker): Component {
  const topics = broker.topics().filter(({ internal }) => !internal)
  const partitions = topics.reduce((sum, topic) => sum + topic.partitions, 0)
  const trouble = broker.trouble()
  return {
    name: 'broker',
    state: trouble === null ? 'ok' : broker.isPaused() ? 'degraded' : 'down',
    detail: trouble?.message ?? `${topics.length} topics, ${partitions} partitions`,
  }
}
