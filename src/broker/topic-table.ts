// The topics: made, found, deleted, rebuilt from the journal. A topic's key is its number in the journal, never reused.
import { LogError, type TopicInfo, type TopicSpec } from '../log/log.ts'
import { assert } from '../std/assert.ts'
import type { RandomStream } from '../std/random.ts'
import type { TopicEntry } from './house-entries.ts'
import type { CurrentEpoch } from './leader-epochs.ts'
import { Partition } from './partition.ts'
import { configDefaults, configProblem, type TopicConfigName } from './topic-configs.ts'
import { isInternalName, topicNameProblem } from './topic-name.ts'

export interface Topic {
  readonly key: number
  /** As everyone sees it: what is durable. */
  info: TopicInfo
  /** With the changes that are on their way to the disk (topic-changes.ts). */
  taken: TopicInfo
  /** As many as are taken; those that everyone sees come first. */
  readonly partitions: Partition[]
  /** `making`, `deleting`: the entry that says so is not durable yet. */
  state: 'making' | 'live' | 'deleting'
  messageBytesMax: number
  /** Records carry the broker's time, not the producer's. */
  appendTime: boolean
  /** Only the newest record of each key is kept in the end, so each record needs one. */
  compacted: boolean
}

export class TopicTable {
  readonly #byName = new Map<string, Topic>()
  readonly #byKey = new Map<number, Topic>()
  readonly #partitionsMax: number
  #partitions = 0
  #nextKey = 1
  /** Shared by all partitions. */
  readonly epoch: CurrentEpoch = { current: 0 }
  /** Of topics that do not say otherwise. */
  #defaults = configDefaults

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
  /** Of all that has a key: those that are being made or deleted too. */
  known(): Topic[] {
    return [...this.#byName.values()]
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
    const partition = id < topic.info.partitions ? topic.partitions[id] : undefined
    if (partition === undefined) {
      const message = `topic ${topicName} has partitions 0 to ${topic.info.partitions - 1}, and no ${id}`
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
    this.checkRoom(partitions)
    const configError = configProblem(configs)
    if (configError !== null) throw new LogError('INVALID_CONFIG', configError)
    const id = uuid(random.fill(new Uint8Array(16)))
    const internal = spec.internal ?? isInternalName(name)
    return {
      op: 'create',
      key: this.#nextKey,
      name,
      id: Buffer.from(id).toString('hex'),
      partitions,
      configs,
      internal,
    }
  }
  /** Throws a LogError INVALID_PARTITIONS if so many partitions cannot be added. */
  checkRoom(partitions: number): void {
    const room = this.#partitionsMax - this.#partitions
    if (Number.isInteger(partitions) && partitions >= 1 && partitions <= room) return
    const message = `${partitions} partitions; at least 1, and ${room} more can be made (${this.#partitionsMax} in all)`
    throw new LogError('INVALID_PARTITIONS', message)
  }

  add(entry: TopicEntry & { readonly op: 'create' }, state: 'making' | 'live'): Topic {
    const { key, name, partitions, configs, internal = isInternalName(name) } = entry
    const info: TopicInfo = { name, id: new Uint8Array(Buffer.from(entry.id, 'hex')), partitions, configs, internal }
    const topic: Topic = {
      key,
      info,
      taken: info,
      partitions: Array.from({ length: partitions }, (_, id) => new Partition(key, id, this.epoch)),
      state,
      messageBytesMax: 0,
      appendTime: false,
      compacted: false,
    }
    this.heedConfigs(topic)
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

  /** A topic's config, or the default that holds for it. */
  config(topic: Topic, name: TopicConfigName): string {
    return topic.info.configs[name] ?? this.#defaults[name] ?? configDefaults[name]!
  }
  /** The configs of a topic, or the defaults, may have changed. */
  heedConfigs(topic: Topic): void {
    topic.messageBytesMax = Number(this.config(topic, 'max.message.bytes'))
    topic.compacted = (this.config(topic, 'cleanup.policy') ?? '').split(',').some((each) => each.trim() === 'compact')
    topic.appendTime = this.config(topic, 'message.timestamp.type') === 'LogAppendTime'
  }
  get defaults(): Readonly<Record<string, string>> {
    return this.#defaults
  }
  /** What holds from now on for topics that do not say otherwise. */
  setDefaults(changed: Readonly<Record<string, string>>): void {
    this.#defaults = { ...configDefaults, ...changed }
    for (const topic of this.#byName.values()) this.heedConfigs(topic)
  }

  /** Batches are appended in this epoch from now on, or in a later one if the log has met it already. */
  beginEpoch(epoch: number): void {
    let latest = -1
    for (const { partitions } of this.#byName.values()) {
      for (const { epochs } of partitions) latest = Math.max(latest, epochs.latest)
    }
    this.epoch.current = Math.max(epoch, latest + 1)
  }

  /** It has so many partitions from now on; nobody sees the new ones yet. */
  grow(topic: Topic, partitions: number): void {
    while (topic.partitions.length < partitions) {
      topic.partitions.push(new Partition(topic.key, topic.partitions.length, this.epoch))
      this.#partitions++
    }
    topic.taken = { ...topic.taken, partitions: topic.partitions.length }
  }
  /** The newest partitions were taken back. */
  shrink(topic: Topic, partitions: number): void {
    this.#partitions -= topic.partitions.length - partitions
    topic.partitions.length = partitions
    topic.taken = { ...topic.taken, partitions }
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
