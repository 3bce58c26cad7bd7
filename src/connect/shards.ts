// The worker threads of a job, seen from the job's own thread: batches go out over rings, each partition to one thread;
// what the threads made of them comes back and is taken into the job in the order in which the batches were given out. So
// the job is, after each batch, exactly what it would be had it done all the work itself, and nothing it gives out, keeps
// or commits depends on how many threads there are, or whether there are any.
import type { Job, ShardSettings, SourceBatch } from '../engine/engine.ts'
import type { Plan } from '../query/plan.ts'
import { assert } from '../std/assert.ts'
import { entryOf } from '../std/maps.ts'
import { RingWriter, ringMemory } from '../std/ring.ts'
import type { Thread, World } from '../world/world.ts'
import { recordSource } from './record-source.ts'
import {
  messageIn,
  type ShardAnswer,
  type ShardMessage,
  type ShardPost,
  sendTo,
  sizeOf,
  sizeOfBatch,
  unpackAnswers,
} from './shard-messages.ts'
import type { ShardStart } from './shard-thread.ts'

export interface ShardsSettings {
  readonly plans: readonly Plan[]
  readonly settings: ShardSettings
  readonly partitionsOf: (topic: string) => number
  readonly count: number
  /** Of each thread's ring: what may be on its way to it and not yet taken into the job. */
  readonly ringBytes: number
}
export interface BatchEntry {
  readonly topic: string
  readonly partition: number
  readonly baseOffset: number
  readonly bytes: Uint8Array
}
/** The batch is in the job; why the rest of it could not be read, if so; its bytes, in the ring. */
export type BatchDone = (unreadable: string | null, bytes: Uint8Array) => void
/** What was given out, in order. */
type InFlight =
  | {
      readonly kind: 'batch'
      readonly shard: number
      readonly entry: BatchEntry
      /** Frees the ring up to here. */
      readonly mark: number
      readonly done: BatchDone
    }
  | { readonly kind: 'flush'; readonly marks: readonly number[]; readonly done: () => void }

interface Shard {
  readonly thread: Thread
  readonly ring: RingWriter
  readonly answers: ShardAnswer[]
  ready: boolean
}

export const ringBytesDefault = 8 << 20

/** A shard's thread came to an end it was not told to come to. */
export class ShardError extends Error {
  override name = 'ShardError'
}

export class Shards {
  readonly #job: Job
  readonly #settings: ShardsSettings
  readonly #shards: readonly Shard[]
  readonly #inFlight: InFlight[] = []
  /** Partitions whose time the threads know, by topic. */
  readonly #told = new Map<string, Set<number>>()
  /** Threads that have something to read and do not know of it. */
  readonly #waiting = new Set<Shard['thread']>()
  #arrived: () => void = () => {}
  #failure: Error | null = null

  constructor(world: World, job: Job, settings: ShardsSettings) {
    this.#job = job
    this.#settings = settings
    this.#shards = Array.from({ length: settings.count }, (_, number) => this.#spawn(world, number))
  }
  #spawn(world: World, number: number): Shard {
    const { plans, settings, ringBytes } = this.#settings
    const memory = ringMemory(ringBytes)
    const start: ShardStart = { plans, settings, topics: this.#job.topics, ring: memory }
    const thread = world.threads.spawn(new URL('./shard-thread.ts', import.meta.url), start)
    const shard: Shard = { thread, ring: new RingWriter(memory), answers: [], ready: false }
    thread.onMessage((message) => {
      const post = message as ShardPost
      if ('answers' in post) shard.answers.push(...unpackAnswers(post))
      else if ('ready' in post) shard.ready = true
      else this.#failure ??= new ShardError(`shard ${number} of the job failed: ${post.failed}`)
      this.#arrived()
    })
    thread.onExit((error) => {
      this.#failure ??= new ShardError(`shard ${number} of the job ended`, { cause: error })
      this.#arrived()
    })
    return shard
  }
  get count(): number {
    return this.#shards.length
  }
  /** All threads run. */
  get ready(): boolean {
    this.#check()
    return this.#shards.every(({ ready }) => ready)
  }
  get idle(): boolean {
    return this.#inFlight.length === 0
  }
  /** Bytes on their way, by shard. */
  queuedBytes(): number[] {
    return this.#shards.map(({ ring }) => ring.usedBytes)
  }
  /** Can a thread take the batch at all? Larger ones are the job's own. */
  takes({ bytes }: BatchEntry): boolean {
    return sizeOfBatch(bytes.length) <= this.#shards[0]!.ring.messageBytesMax
  }

  /** Gives a batch out; false while there is no room: take in what has come, or wait for more. */
  offer(entry: BatchEntry, done: BatchDone): boolean {
    const { topic, partition } = entry
    // What an idle partition is raised to is known once all before it has been taken in.
    const woken = this.#job.isIdle(topic, partition)
    if (woken && !this.idle) return false
    const shard = this.#shardOf(topic, partition)
    if (this.#shards[shard]!.ring.usedBytes + entry.bytes.length + 1024 > this.#settings.ringBytes / 2 && !this.idle)
      return false
    const told = this.#toldOf(topic)
    if (woken || !told.has(partition)) {
      const topicIndex = this.#job.topics.indexOf(topic)
      if (
        !this.#send(shard, {
          kind: 'partition',
          topic: topicIndex,
          partition,
          ...this.#job.wakingAt(topic, partition),
          idle: false,
        })
      )
        return false
      told.add(partition)
    }
    const message: ShardMessage = {
      kind: 'batch',
      topic: this.#job.topics.indexOf(topic),
      partition,
      baseOffset: entry.baseOffset,
      bytes: entry.bytes,
    }
    if (!this.#send(shard, message)) return false
    const { ring } = this.#shards[shard]!
    // The entry's own bytes are its follower's: what is in the ring stays until the batch is taken in.
    const sent = messageIn(ring.last)
    assert(sent.kind === 'batch', 'the message sent last is the batch')
    this.#inFlight.push({
      kind: 'batch',
      shard,
      entry: { ...entry, bytes: sent.bytes },
      mark: ring.mark,
      done,
    })
    return true
  }
  /** Asks for all that was gathered; `done` once that, and everything before, is in the job. */
  flush(done: () => void): boolean {
    if (this.#shards.some(({ ring }) => ring.usedBytes + 1024 > this.#settings.ringBytes / 2) && !this.idle)
      return false
    for (let shard = 0; shard < this.#shards.length; shard++) {
      const sent = this.#send(shard, { kind: 'flush' })
      assert(sent, 'there is room for a flush')
    }
    this.#inFlight.push({ kind: 'flush', marks: this.#shards.map(({ ring }) => ring.mark), done })
    return true
  }
  /** The time of a partition has changed otherwise than by its batches. Nothing is on its way. */
  tellPartition(topic: string, partition: number): void {
    assert(this.idle, 'a partition is told of between batches')
    const sent = this.#send(this.#shardOf(topic, partition), {
      kind: 'partition',
      topic: this.#job.topics.indexOf(topic),
      partition,
      ...this.#job.wakingAt(topic, partition),
      idle: this.#job.isIdle(topic, partition),
    })
    assert(sent, 'there is room when nothing is on its way')
    this.#toldOf(topic).add(partition)
  }
  #toldOf(topic: string): Set<number> {
    return entryOf(this.#told, topic, () => new Set<number>())
  }
  #send(shard: number, message: ShardMessage): boolean {
    const { ring, thread } = this.#shards[shard]!
    assert(sizeOf(message) <= ring.messageBytesMax, 'a batch that the ring takes')
    return sendTo(ring, message, () => this.#waiting.add(thread))
  }
  /** Wakes the threads that wait for what was sent: told once for many batches, as a message costs more than one of them. */
  wake(): void {
    for (const thread of this.#waiting) thread.post(null)
    this.#waiting.clear()
  }
  #shardOf(topic: string, partition: number): number {
    let before = 0
    for (const each of this.#job.topics) {
      if (each === topic) break
      before += this.#settings.partitionsOf(each)
    }
    return (before + partition) % this.#shards.length
  }

  /** Takes what has come into the job, in order, at most so many batches; how many it was. */
  absorb(batchesMax: number): number {
    this.#check()
    let taken = 0
    while (taken < batchesMax) {
      const next = this.#inFlight[0]
      if (next === undefined || !this.#answered(next)) break
      this.#inFlight.shift()
      taken++
      if (next.kind === 'flush') this.#absorbFlush(next)
      else this.#absorbBatch(next)
    }
    return taken
  }
  #answered(next: InFlight): boolean {
    if (next.kind === 'batch') return this.#shards[next.shard]!.answers.length > 0
    return this.#shards.every(({ answers }) => answers.length > 0)
  }
  #absorbBatch({ shard: number, entry, mark, done }: Extract<InFlight, { kind: 'batch' }>): void {
    const { answers, ring } = this.#shards[number]!
    const answer = answers.shift()
    assert(answer !== undefined, 'an answer has come')
    answer.pieces.forEach((piece, index) => {
      this.#job.absorb(number, piece, (use) => pieceOf(entry, index, use))
    })
    done(answer.unreadable, entry.bytes)
    ring.free(mark)
  }
  #absorbFlush({ marks, done }: Extract<InFlight, { kind: 'flush' }>): void {
    this.#shards.forEach(({ answers, ring }, number) => {
      const [piece] = answers.shift()?.pieces ?? []
      assert(piece !== undefined, 'a flush is answered')
      this.#job.absorb(number, piece, () => assert(false, 'a flush brings no records'))
      ring.free(marks[number]!)
    })
    done()
  }
  #check(): void {
    if (this.#failure !== null) throw this.#failure
  }

  /** Resolves when something has come, or a thread has failed. */
  arrived(): Promise<void> {
    this.wake()
    const next = this.#inFlight[0]
    if (this.#failure !== null || (next !== undefined && this.#answered(next))) return Promise.resolve()
    return new Promise((resolve) => {
      this.#arrived = resolve
    })
  }
  async stop(): Promise<void> {
    this.#failure ??= new ShardError('the shards were stopped')
    await Promise.all(this.#shards.map(({ thread }) => thread.stop()))
  }
}

/** The same piece of a batch that the thread had, for a record that goes wrong: rare, so it is walked again. */
function pieceOf(entry: BatchEntry, index: number, use: (batch: SourceBatch) => void): void {
  let at = 0
  recordSource({
    push: (batch) => {
      if (batch.count > 0 && at++ === index) use(batch)
    },
    memoryOf: () => null,
  })(entry.topic, entry.partition, entry.baseOffset, entry.bytes)
}
