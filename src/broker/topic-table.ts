// The topics: made, found, deleted, rebuilt from the journal. A topic's key is its number in the journal, never reused.
import { LogError, type TopicInfo, type TopicSpec } from '../log/log.ts'
import { assert } from '../std/assert.ts'
import type { RandomStream } from '../std/random.ts'
import type { TopicEntry } from './house-entries.ts'
import { Partition } from './partition.ts'
import { configDefaults, configProblem } from './topic-configs.ts'
import { topicNameProblem } from './topic-name.ts'

export interface Topic {
  readonly key: number
  readonly info: TopicInfo
  readonly partitions: readonly Partition[]
  /** `making`, `deleting`: the entry that says so is not durable yet. */
  state: 'making' | 'live' | 'deleting'
  readonly messageBytesMax: number
  /** Records carry the broker's time, not the producer's. */
  readonly appendTime: boolean
}

export class TopicTable {
  readonly #byName = new Map<string, Topic>()
  readonly #byKey = new Map<number, Topic>()
  readonly #partitionsMax: number
  #partitions = 0
  #nextKey = 1

  /** `partitionsMax`: of all topics together. */
  constructor(partitionsMax: number) {
    this.#partitionsMax = partitionsMax
  }
  get partitions(): number {
    return this.#partitions
  }

  live(name: string): Topic | null {
    const topic = this.#byName.get(name)
    return topic === undefined || topic.state === 'making' ? null : topic
  }
  byKey(key: number): Topic | null {
    return this.#byKey.get(key) ?? null
  }
  all(): Topic[] {
    return [...this.#byName.values()].filter((topic) => topic.state !== 'making')
  }
  /** With all that was taken, durable or not: those that are being made, without those that are being deleted. */
  assigned(): Topic[] {
    return [...this.#byName.values()].filter((topic) => topic.state !== 'deleting')
  }
  get nextKey(): number {
    return this.#nextKey
  }
  /** Throws a LogError UNKNOWN_TOPIC_OR_PARTITION. */
  partition(topicName: string, id: number): { readonly topic: Topic; readonly partition: Partition } {
    const topic = this.live(topicName)
    if (topic === null) throw new LogError('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic ${topicName}`)
    const partition = topic.partitions[id]
    if (partition === undefined) {
      const message = `topic ${topicName} has partitions 0 to ${topic.partitions.length - 1}, and no ${id}`
      throw new LogError('UNKNOWN_TOPIC_OR_PARTITION', message)
    }
    return { topic, partition }
  }

  /** The entry of a new topic. Throws a LogError if it cannot be. */
  plan(spec: TopicSpec, random: RandomStream): TopicEntry & { readonly op: 'create' } {
    const { name, partitions, configs = {} } = spec
    const nameProblem = topicNameProblem(name)
    if (nameProblem !== null) throw new LogError('INVALID_TOPIC_EXCEPTION', nameProblem)
    if (this.#byName.has(name)) throw new LogError('TOPIC_ALREADY_EXISTS', `there is a topic ${name} already`)
    const room = this.#partitionsMax - this.#partitions
    if (!Number.isInteger(partitions) || partitions < 1 || partitions > room) {
      const message = `${partitions} partitions; at least 1, and ${room} more can be made (${this.#partitionsMax} in all)`
      throw new LogError('INVALID_PARTITIONS', message)
    }
    const configError = configProblem(configs)
    if (configError !== null) throw new LogError('INVALID_CONFIG', configError)
    const id = uuid(random.fill(new Uint8Array(16)))
    return { op: 'create', key: this.#nextKey, name, id: Buffer.from(id).toString('hex'), partitions, configs }
  }

  add(entry: TopicEntry & { readonly op: 'create' }, state: 'making' | 'live'): Topic {
    const { key, name, partitions, configs } = entry
    const value = (config: string): string | undefined => configs[config] ?? configDefaults[config]
    const topic: Topic = {
      key,
      info: {
        name,
        id: new Uint8Array(Buffer.from(entry.id, 'hex')),
        partitions,
        configs,
        internal: name.startsWith('__'),
      },
      partitions: Array.from({ length: partitions }, (_, id) => new Partition(key, id)),
      state,
      messageBytesMax: Number(value('max.message.bytes')),
      appendTime: value('message.timestamp.type') === 'LogAppendTime',
    }
    assert(!this.#byName.has(name) && !this.#byKey.has(key), `topic ${name} (${key}) is made twice`)
    this.#byName.set(name, topic)
    this.#byKey.set(key, topic)
    this.#partitions += partitions
    this.keyUsed(key)
    return topic
  }
  remove(topic: Topic): void {
    this.#byName.delete(topic.info.name)
    this.#byKey.delete(topic.key)
    this.#partitions -= topic.partitions.length
  }
  /** This key, and all below, are not to be given to a new topic. */
  keyUsed(key: number): void {
    this.#nextKey = Math.max(this.#nextKey, key + 1)
  }
  /** So many entries that may have made topics are lost: their keys are not to be given out again. */
  skipKeys(count: number): void {
    this.#nextKey += count
  }
}

/** A random UUID, version 4 (RFC 9562). */
function uuid(random: Uint8Array): Uint8Array {
  random[6] = (random[6]! & 0x0f) | 0x40
  random[8] = (random[8]! & 0x3f) | 0x80
  return random
}
