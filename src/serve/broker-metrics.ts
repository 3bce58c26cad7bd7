// Figures of the broker for Prometheus: its own by the house's names, topics and groups by the names that ready-made
// Kafka boards ask for (those of the widely used kafka_exporter).
import type { BrokerMetrics, GroupLagLine } from './ports.ts'

export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number]
/** Name, meaning, names of the labels, and where the values come from. */
export type Family = readonly [
  name: string,
  help: string,
  labels: readonly string[],
  samples: () => readonly Sample[] | Promise<readonly Sample[]>,
]

export function brokerGauges(
  broker: () => BrokerMetrics,
  groups: () => Promise<readonly GroupLagLine[]>,
): readonly Family[] {
  const ofPartitions = (value: (line: BrokerMetrics['partitions'][number]) => number) => () =>
    broker().partitions.map((line): Sample => [{ topic: line.topic, partition: `${line.partition}` }, value(line)])
  const ofGroups = (value: (line: GroupLagLine['partitions'][number]) => number | null) => async () =>
    (await groups()).flatMap(({ group, partitions }) =>
      partitions.flatMap((line): Sample[] => {
        const found = value(line)
        const labels = { consumergroup: group, topic: line.topic, partition: `${line.partition}` }
        return found === null ? [] : [[labels, found]]
      }),
    )
  const groupLabels = ['consumergroup', 'topic', 'partition']
  return [
    ['millrace_broker_connections', 'Connections of Kafka clients open now.', [], () => [[{}, broker().connections]]],
    ['kafka_brokers', 'Brokers of the cluster: the one.', [], () => [[{}, 1]]],
    [
      'kafka_topic_partitions',
      'Partitions of a topic.',
      ['topic'],
      () => broker().topics.map(({ topic, partitions }) => [{ topic }, partitions]),
    ],
    [
      'kafka_topic_partition_current_offset',
      'One past the last durable record.',
      ['topic', 'partition'],
      ofPartitions(({ end }) => end),
    ],
    [
      'kafka_topic_partition_oldest_offset',
      'The first offset still held.',
      ['topic', 'partition'],
      ofPartitions(({ start }) => start),
    ],
    [
      'kafka_consumergroup_members',
      'Members of a consumer group now.',
      ['consumergroup'],
      async () => (await groups()).map(({ group, members }) => [{ consumergroup: group }, members]),
    ],
    [
      'kafka_consumergroup_current_offset',
      'Offset a consumer group has committed.',
      groupLabels,
      ofGroups(({ committed }) => committed),
    ],
    [
      'kafka_consumergroup_lag',
      'Records between what a consumer group has committed and the end.',
      groupLabels,
      ofGroups(({ lagRecords }) => lagRecords),
    ],
    [
      'kafka_consumergroup_lag_seconds',
      'Age of the record that a consumer group would read next; 0 when it is caught up.',
      groupLabels,
      ofGroups(({ lagMs }) => (lagMs === null ? null : lagMs / 1000)),
    ],
  ]
}

export function brokerCounters(broker: () => BrokerMetrics): readonly Family[] {
  const one = (value: () => number) => (): readonly Sample[] => [[{}, value()]]
  return [
    ['millrace_broker_received_bytes_total', 'Bytes of requests.', [], one(() => broker().receivedBytes)],
    ['millrace_broker_sent_bytes_total', 'Bytes of answers.', [], one(() => broker().sentBytes)],
    [
      'millrace_broker_connections_refused_total',
      'Connections turned away because too many were open.',
      [],
      one(() => broker().refusedConnections),
    ],
    [
      'millrace_broker_connections_broken_total',
      'Connections closed for what their peers sent.',
      [],
      one(() => broker().brokenConnections),
    ],
    ['millrace_broker_logins_failed_total', 'Logins without the right password.', [], one(() => broker().failedLogins)],
  ]
}

const durationName = 'millrace_broker_request_duration_seconds'
/** A histogram from counts that are kept elsewhere, in the text format (version 0.0.4), ending in a newline. */
export function requestDurations({ apis, durationBoundsSeconds }: BrokerMetrics): string {
  const lines = [
    `# HELP ${durationName} From a request's arrival to its answer, by API. A fetch counts its waiting for records.`,
    `# TYPE ${durationName} histogram`,
  ]
  for (const { api, requests, seconds, buckets } of apis) {
    let below = 0
    for (const [i, bound] of durationBoundsSeconds.entries()) {
      below += buckets[i] ?? 0
      lines.push(`${durationName}_bucket{api="${api}",le="${bound}"} ${below}`)
    }
    lines.push(`${durationName}_bucket{api="${api}",le="+Inf"} ${requests}`)
    lines.push(`${durationName}_sum{api="${api}"} ${seconds}`, `${durationName}_count{api="${api}"} ${requests}`)
  }
  return `${lines.join('\n')}\n`
}
