// A worker thread of a job: takes record batches from its ring, walks and decodes them, gathers what can be gathered, and
// answers with what the job's thread needs of each. It reads until the ring is empty, then waits to be woken.
import { openShard, type Shard, type ShardSettings, type SourceBatch } from '../engine/engine.ts'
import type { Plan } from '../query/plan.ts'
import { assert, unreachable } from '../std/assert.ts'
import { RingReader } from '../std/ring.ts'
import { WireError } from '../wire/wire-error.ts'
import type { ThreadPort } from '../world/world.ts'
import { recordSource } from './record-source.ts'
import { copyOut, messageIn, packAnswers, type ShardAnswer, type ShardPost } from './shard-messages.ts'

export interface ShardStart {
  readonly plans: readonly Plan[]
  readonly settings: ShardSettings
  readonly topics: readonly string[]
  readonly ring: SharedArrayBuffer
}

/** Answers are sent at the latest when they hold so much, or when there is nothing left to read. */
const answerBytesMax = 256 << 10

export default function shardThread(port: ThreadPort, data: unknown): void {
  const { plans, settings, topics, ring } = data as ShardStart
  const shard = openShard(plans, settings)
  const reader = new RingReader(ring)
  const work = new ShardWork(shard, topics)
  let failed = false
  const drain = (): void => {
    if (failed) return
    try {
      do {
        for (let place = reader.next(); place !== null; place = reader.next()) {
          work.take(place)
          if (work.bytes > answerBytesMax) send()
        }
        if (work.answers.length > 0) send()
      } while (!reader.wait())
    } catch (error) {
      failed = true
      post({ failed: error instanceof Error ? `${error.name}: ${error.message}` : String(error) })
    }
  }
  const post = (message: ShardPost, transfer: readonly ArrayBuffer[] = []): void => port.post(message, transfer)
  const send = (): void => {
    const packed = packAnswers(work.takeAnswers())
    post(packed, [packed.bytes.buffer])
  }
  port.onMessage(drain)
  post({ ready: true })
  drain()
}

class ShardWork {
  readonly answers: ShardAnswer[] = []
  bytes = 0
  readonly #shard: Shard
  readonly #topics: readonly string[]
  readonly #pushRecords: ReturnType<typeof recordSource>
  #pieces: Uint8Array[] = []
  /** Where the batch at hand is copied to. */
  #room = new Uint8Array(0)

  constructor(shard: Shard, topics: readonly string[]) {
    this.#shard = shard
    this.#topics = topics
    this.#pushRecords = recordSource({
      push: (batch: SourceBatch) => {
        if (batch.count > 0) this.#pieces.push(shard.push(batch))
      },
      memoryOf: (topic) => shard.memoryOf(topic),
    })
  }
  take(place: Uint8Array): void {
    const message = messageIn(place)
    switch (message.kind) {
      case 'batch': {
        const bytes = copyOut(message.bytes, this.#room)
        if (bytes.buffer !== this.#room.buffer) this.#room = new Uint8Array(bytes.buffer)
        this.#answer(this.#batch(message.topic, message.partition, message.baseOffset, bytes))
        break
      }
      case 'flush':
        this.#pieces.push(this.#shard.flush())
        this.#answer(null)
        break
      case 'partition':
        this.#shard.setPartition(this.#topicOf(message.topic), message.partition, message, message.idle)
        break
      default:
        unreachable(message)
    }
  }
  #topicOf(index: number): string {
    const topic = this.#topics[index]
    assert(topic !== undefined, `the job has no topic ${index}`)
    return topic
  }
  /** Why the rest of it cannot be read. */
  #batch(topic: number, partition: number, baseOffset: number, bytes: Uint8Array): string | null {
    try {
      this.#pushRecords(this.#topicOf(topic), partition, baseOffset, bytes)
      return null
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      return error.message
    }
  }
  #answer(unreadable: string | null): void {
    for (const { length } of this.#pieces) this.bytes += length
    this.answers.push({ pieces: this.#pieces, unreadable })
    this.#pieces = []
  }
  takeAnswers(): ShardAnswer[] {
    this.bytes = 0
    return this.answers.splice(0)
  }
}
