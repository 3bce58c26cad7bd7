// Topics as requests name them: by name or by id, and brought into being on first use where the broker allows it.
import { LogError, type TopicInfo } from '../../log/log.ts'
import { kafkaErrors } from '../../wire/wire.ts'
import type { BrokerCore } from '../core.ts'
import { isReservedName, topicNameProblem } from '../topic-name.ts'
import { cannotMake } from './house-topics.ts'

export const idText = (id: Uint8Array): string => Buffer.from(id.buffer, id.byteOffset, id.length).toString('hex')
const zeroId = '0'.repeat(32)
export const isZeroId = (id: Uint8Array): boolean => idText(id) === zeroId

/** A topic of a request: found, or the error to say. */
export type Found =
  | { readonly topic: TopicInfo; readonly errorCode: 0 }
  | { readonly topic: null; readonly errorCode: number }

export class TopicDirectory {
  readonly #core: BrokerCore
  /** Names by id. Entries may be stale: each use checks against the core. */
  #nameById = new Map<string, string>()
  readonly #making = new Map<string, Promise<TopicInfo>>()

  constructor(core: BrokerCore) {
    this.#core = core
  }

  byName(name: string): Found {
    const topic = this.#core.topic(name)
    return topic === null
      ? { topic, errorCode: kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION }
      : { topic, errorCode: kafkaErrors.NONE }
  }

  /**
   * Finds topics by id for one request: the map is made anew at most once in it, so a request full of unknown ids
   * costs one pass over the topics.
   */
  idFinder(): (id: Uint8Array) => Found {
    let fresh = false
    const find = (id: Uint8Array): Found => {
      const key = idText(id)
      const name = this.#nameById.get(key)
      const topic = name === undefined ? null : this.#core.topic(name)
      if (topic !== null && idText(topic.id) === key) return { topic, errorCode: kafkaErrors.NONE }
      if (fresh) return { topic: null, errorCode: kafkaErrors.UNKNOWN_TOPIC_ID }
      fresh = true
      this.#nameById = new Map(this.#core.topics().map((each) => [idText(each.id), each.name]))
      return find(id)
    }
    return find
  }

  /** True if a missing topic of this name would be made on first use. */
  get makesMissing(): boolean {
    return this.#core.autoCreate !== null
  }
  /** Makes a missing topic, once for all who ask at the same time. Rejects with a LogError. */
  make(name: string): Promise<TopicInfo> {
    const making = this.#making.get(name)
    if (making !== undefined) return making
    const { autoCreate } = this.#core
    const problem = topicNameProblem(name)
    if (problem !== null) return Promise.reject(new LogError('INVALID_TOPIC_EXCEPTION', problem))
    if (isReservedName(name)) {
      return Promise.reject(new LogError('INVALID_TOPIC_EXCEPTION', cannotMake(name).errorMessage))
    }
    if (autoCreate === null) {
      return Promise.reject(
        new LogError('UNKNOWN_TOPIC_OR_PARTITION', `no topic ${name}, and none is made on first use`),
      )
    }
    const made = this.#core
      .createTopic({ name, partitions: autoCreate.partitions, internal: false })
      .catch((error: unknown) => {
        // Someone else was quicker, by another way than ours.
        if (!(error instanceof LogError && error.code === 'TOPIC_ALREADY_EXISTS')) throw error
        const topic = this.#core.topic(name)
        if (topic !== null) return topic
        // To be tried again, as every client does.
        throw new LogError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${name} is being made`, { cause: error })
      })
      .finally(() => this.#making.delete(name))
    this.#making.set(name, made)
    return made
  }
}
