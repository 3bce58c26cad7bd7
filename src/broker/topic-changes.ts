// Topics made, changed while they are in use, and deleted. Planned on what has been taken already, so that changes on their
// way to the disk build on each other; seen by everyone when durable.
import { LogError, type TopicInfo, type TopicSpec } from '../log/log.ts'
import { assert } from '../std/assert.ts'
import type { RandomStream } from '../std/random.ts'
import type { ConfigsChange } from './core.ts'
import type { TopicEntry } from './house-entries.ts'
import type { LogState } from './replay.ts'
import { configProblem } from './topic-configs.ts'
import type { Topic, TopicTable } from './topic-table.ts'

export interface TopicChange<T = TopicInfo> {
  readonly entry: TopicEntry
  /** The journal has it. Returns the way back. */
  take(): () => void
  durable(): T
}

/** Throws a LogError if it cannot be made. */
export function planTopic(topics: TopicTable, spec: TopicSpec, random: RandomStream): TopicChange {
  const entry = topics.plan(spec, random)
  let topic: Topic | null = null
  return {
    entry,
    take() {
      const made = topics.add(entry, 'making')
      topic = made
      return () => topics.remove(made)
    },
    durable() {
      assert(topic !== null, 'a topic is taken before it is durable')
      topic.state = 'live'
      return topic.info
    },
  }
}
/** With what groups have committed for it. Throws a LogError UNKNOWN_TOPIC_OR_PARTITION. */
export function planDeletion({ topics, deleted, offsets }: LogState, name: string): TopicChange<void> {
  const topic = changeable(topics, name)
  return {
    entry: { op: 'delete', key: topic.key },
    take() {
      topic.state = 'deleting'
      deleted.add(topic.key)
      return () => {
        topic.state = 'live'
        deleted.delete(topic.key)
      }
    },
    durable() {
      topics.remove(topic)
      offsets.dropTopic(topic.key)
    },
  }
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
export function planConfigs(topics: TopicTable, name: string, change: ConfigsChange): TopicChange {
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
