// The few Kafka requests the loaders send, written by hand so that the load generator shares no code with the broker and
// costs next to nothing. Old, not flexible versions: Apache Kafka 4 takes them as well as ours.
import { connect, type Socket } from 'node:net'

const clientId = 'millrace-bench'
const leaderMsMax = 10_000

/** Big-endian fields one after another. */
class Fields {
  #bytes = Buffer.allocUnsafe(256)
  #end = 0
  /** Makes room for so many bytes (perhaps in another buffer) and returns where they go. */
  #room(count: number): number {
    if (this.#end + count > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#end + count))
      this.#bytes.copy(grown, 0, 0, this.#end)
      this.#bytes = grown
    }
    const at = this.#end
    this.#end += count
    return at
  }
  int8(value: number): this {
    const at = this.#room(1)
    this.#bytes.writeInt8(value, at)
    return this
  }
  int16(value: number): this {
    const at = this.#room(2)
    this.#bytes.writeInt16BE(value, at)
    return this
  }
  int32(value: number): this {
    const at = this.#room(4)
    this.#bytes.writeInt32BE(value, at)
    return this
  }
  int64(value: number): this {
    const at = this.#room(8)
    this.#bytes.writeBigInt64BE(BigInt(value), at)
    return this
  }
  string(text: string): this {
    const bytes = Buffer.from(text)
    return this.int16(bytes.length).raw(bytes)
  }
  raw(bytes: Uint8Array): this {
    const at = this.#room(bytes.length)
    this.#bytes.set(bytes, at)
    return this
  }
  /** With the size in front, of what is here and of so many bytes that follow. */
  frame(bytesThatFollow = 0): Buffer {
    const framed = Buffer.allocUnsafe(4 + this.#end)
    framed.writeInt32BE(this.#end + bytesThatFollow, 0)
    this.#bytes.copy(framed, 4, 0, this.#end)
    return framed
  }
}
/** Answers come in the order of the requests, so all carry the same correlation id. */
const request = (key: number, version: number): Fields =>
  new Fields().int16(key).int16(version).int32(1).string(clientId)

export const apiVersionsFrame = (): Buffer => request(18, 0).frame()

/** acks=all, one batch for one partition. */
export function produceFrame(topic: string, partition: number, batch: Uint8Array): Buffer {
  return produceHead(topic, partition, batch.length).raw(batch).frame()
}
/** The same without the batch, which is to follow it: it need not be copied. */
export function produceFrameHead(topic: string, partition: number, batchBytes: number): Buffer {
  return produceHead(topic, partition, batchBytes).frame(batchBytes)
}
function produceHead(topic: string, partition: number, batchBytes: number): Fields {
  const head = request(0, 7).int16(-1).int16(-1).int32(30_000).int32(1).string(topic).int32(1).int32(partition)
  return head.int32(batchBytes)
}

export interface FetchSettings {
  readonly minBytes: number
  readonly maxWaitMs: number
  readonly maxBytes: number
  readonly partitionMaxBytes: number
}
export function fetchFrame(topic: string, offsets: readonly number[], settings: FetchSettings): Buffer {
  const { maxWaitMs, minBytes, maxBytes, partitionMaxBytes } = settings
  const fields = request(1, 11).int32(-1).int32(maxWaitMs).int32(minBytes).int32(maxBytes)
  // Committed or not: there are no transactions here. No fetch session (id 0, epoch -1).
  fields.int8(0).int32(0).int32(-1).int32(1).string(topic).int32(offsets.length)
  for (const [partition, offset] of offsets.entries())
    fields.int32(partition).int32(-1).int64(offset).int64(-1).int32(partitionMaxBytes)
  return fields.int32(0).string('').frame()
}

function createTopicFrame(topic: string, partitions: number): Buffer {
  const fields = request(19, 4).int32(1).string(topic).int32(partitions).int16(1).int32(0).int32(0)
  return fields.int32(30_000).int8(0).frame()
}

/** Throws with Kafka's number of the error. */
function refuse(what: string, code: number): void {
  if (code !== 0) throw new Error(`${what}: the broker answered with Kafka's error ${code}`)
}

/** Offset of the batch in the partition. Throws what the broker refused. */
export function producedOffset(answer: Buffer): number {
  // correlation 4, topics 4, name, partitions 4, index 4, error 2, base offset 8
  const at = 8 + 2 + answer.readInt16BE(8) + 8
  refuse('produce', answer.readInt16BE(at))
  return Number(answer.readBigInt64BE(at + 2))
}

/** Calls `take` with the record batches of each partition that has some: bytes `[start, end)` of the answer. */
export function fetchedBatches(
  answer: Buffer,
  take: (partition: number, bytes: Buffer, start: number, end: number) => void,
): void {
  // correlation 4, throttle 4, error 2, session 4, topics 4
  refuse('fetch', answer.readInt16BE(8))
  const topics = answer.readInt32BE(14)
  let at = 18
  for (let topic = 0; topic < topics; topic++) {
    at += 2 + answer.readInt16BE(at)
    const partitions = answer.readInt32BE(at)
    at += 4
    for (let i = 0; i < partitions; i++) {
      // index 4, error 2, high watermark 8, last stable 8, log start 8, aborted transactions 4 * 16, preferred replica 4
      const partition = answer.readInt32BE(at)
      refuse(`fetch of partition ${partition}`, answer.readInt16BE(at + 4))
      const aborted = answer.readInt32BE(at + 30)
      at += 34 + Math.max(0, aborted) * 16 + 4
      const size = Math.max(0, answer.readInt32BE(at))
      at += 4
      if (size > 0) take(partition, answer, at, at + size)
      at += size
    }
  }
}

/** A connection that hands out whole answers in the order of the requests. Any fault ends everything waiting. */
export class KafkaConnection {
  readonly #socket: Socket
  readonly #waiting: { readonly resolve: (answer: Buffer) => void; readonly reject: (error: Error) => void }[] = []
  #parts: Buffer[] = []
  #held = 0
  #needed = 4
  #room = Buffer.allocUnsafeSlow(4096)
  #kept = 0

  private constructor(socket: Socket, isRead: boolean) {
    this.#socket = socket
    socket.setNoDelay(true)
    if (!isRead) socket.on('data', (bytes: Buffer) => this.#take(bytes))
    const fail = (error: Error): void => {
      for (const { reject } of this.#waiting.splice(0)) reject(error)
    }
    socket.on('error', fail)
    socket.on('close', () => fail(new Error('the broker closed the connection')))
  }

  /**
   * `reuses`: it reads into memory that is used again, so that the collector of whoever measures has nothing to do with answers. An
   * answer above 4 KiB is then to be looked at in the turn in which it comes, with no other request under way.
   */
  static open(address: string, { reuses = false } = {}): Promise<KafkaConnection> {
    const colon = address.lastIndexOf(':')
    const to = { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) }
    return new Promise((resolve, reject) => {
      let connection: KafkaConnection | null = null
      const callback = (count: number, into: Uint8Array): boolean => {
        if (connection !== null) connection.#keep(Buffer.from(into.buffer, into.byteOffset, count))
        return true
      }
      const socket = connect(reuses ? { ...to, onread: { buffer: Buffer.allocUnsafeSlow(256 << 10), callback } } : to)
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        connection = new KafkaConnection(socket, reuses)
        resolve(connection)
      })
    })
  }

  /** Answer without its size. Never waits before sending: the caller bounds how many are in flight. */
  send(frame: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#socket.write(frame)
    })
  }
  /** The same of a request in two parts. */
  sendParts(head: Buffer, rest: Uint8Array): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#socket.cork()
      this.#socket.write(head)
      this.#socket.write(rest)
      this.#socket.uncork()
    })
  }
  close(): void {
    this.#socket.destroy()
  }

  /** Resolves when every partition can be read: Kafka answers before its partitions have a leader. */
  async createTopic(topic: string, partitions: number): Promise<void> {
    const answer = await this.send(createTopicFrame(topic, partitions))
    // correlation 4, throttle 4, topics 4, name, error 2
    refuse(`create ${topic}`, answer.readInt16BE(14 + answer.readInt16BE(12)))
    const look = { minBytes: 0, maxWaitMs: 0, maxBytes: 1, partitionMaxBytes: 1 }
    const untilMs = performance.now() + leaderMsMax
    for (;;) {
      const looked = await this.send(fetchFrame(topic, new Array<number>(partitions).fill(0), look))
      try {
        fetchedBatches(looked, () => {})
        return
      } catch (error) {
        if (performance.now() > untilMs) throw error
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
  }

  /** Gathers answers in one room; what is below 4 KiB is handed out as a copy. */
  #keep(bytes: Buffer): void {
    if (this.#kept + bytes.length > this.#room.length) {
      const grown = Buffer.allocUnsafeSlow(2 * (this.#kept + bytes.length))
      this.#room.copy(grown, 0, 0, this.#kept)
      this.#room = grown
    }
    this.#kept += bytes.copy(this.#room, this.#kept)
    let at = 0
    let isLent = false
    while (this.#kept - at >= 4) {
      const end = at + 4 + this.#room.readInt32BE(at)
      if (end > this.#kept) break
      const answer = this.#room.subarray(at + 4, end)
      isLent ||= answer.length > 4096
      this.#waiting.shift()?.resolve(answer.length > 4096 ? answer : Buffer.from(answer))
      at = end
    }
    if (at === 0) return
    // Whoever was lent a part of the room has not looked yet.
    if (isLent && at < this.#kept) this.#room = Buffer.concat([this.#room.subarray(at, this.#kept)], 1 << 20)
    else this.#room.copyWithin(0, at, this.#kept)
    this.#kept -= at
  }
  #take(bytes: Buffer): void {
    this.#parts.push(bytes)
    this.#held += bytes.length
    while (this.#held >= this.#needed) {
      const held = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts, this.#held)
      const size = held.readInt32BE(0) + 4
      if (held.length < size) {
        // Nothing is joined again before the whole answer is there.
        this.#parts = [held]
        this.#needed = size
        return
      }
      this.#parts = [held.subarray(size)]
      this.#held -= size
      this.#needed = 4
      this.#waiting.shift()?.resolve(held.subarray(4, size))
    }
  }
}
