// Changes of a topic while it is in use: more partitions, other configs. Planned on what has been taken already, so that
// changes on their way to the disk build on each other; seen by everyone when durable.
import { LogError, type TopicInfo } from '../log/log.ts'
import type { TopicEntry } from './house-entries.ts'
import { configProblem } from './topic-configs.ts'
import type { Topic, TopicTable } from './topic-table.ts'

export interface TopicChange {
  readonly entry: TopicEntry
  /** The journal has it. Returns the way back. */
  take(): () => void
  durable(): TopicInfo
}

function changeable(topics: TopicTable, name: string): Topic {
  const topic = topics.live(name)
  if (topic?.state === 'live') return topic
  throw new LogError('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic ${name}`)
}

/** Throws a LogError INVALID_PARTITIONS if it has so many already, or there is no room for so many. */
export function planPartitions(topics: TopicTable, name: string, partitions: number): TopicChange {
  const topic = changeable(topics, name)
  const before = topic.taken.partitions
  if (partitions === before) {
    throw new LogError('INVALID_PARTITIONS', `topic ${name} already has ${before} partition(s)`)
  }
  if (partitions < before) {
    const message = `topic ${name} has ${before} partitions; they can become more, and not ${partitions}`
    throw new LogError('INVALID_PARTITIONS', message)
  }
  topics.checkRoom(partitions - before)
  return {
    entry: { op: 'partitions', key: topic.key, partitions },
    take() {
      topics.grow(topic, partitions)
      return () => topics.shrink(topic, before)
    },
    durable() {
      topic.info = { ...topic.info, partitions }
      return topic.info
    },
  }
}

/** `change` gives all configs that are to be set, from those that are. Throws a LogError INVALID_CONFIG. */
export function planConfigs(
  topics: TopicTable,
  name: string,
  change: (set: Readonly<Record<string, string>>) => Readonly<Record<string, string>>,
): TopicChange {
  const topic = changeable(topics, name)
  const before = topic.taken
  const configs = change(before.configs)
  const problem = configProblem(configs)
  if (problem !== null) throw new LogError('INVALID_CONFIG', problem)
  return {
    entry: { op: 'configs', key: topic.key, configs },
    take() {
      topic.taken = { ...topic.taken, configs }
      return () => {
        topic.taken = before
      }
    },
    durable() {
      topic.info = { ...topic.info, configs }
      topics.heedConfigs(topic)
      return topic.info
    },
  }
}

/** An entry met in a replay. */
export function replayChange(topics: TopicTable, entry: TopicEntry & { readonly op: 'partitions' | 'configs' }): void {
  const topic = topics.byKey(entry.key)
  // Deleted since, or its making was lost.
  if (topic === null) return
  if (entry.op === 'partitions') topics.grow(topic, entry.partitions)
  else topic.taken = { ...topic.taken, configs: entry.configs }
  topic.info = topic.taken
  topics.heedConfigs(topic)
}
