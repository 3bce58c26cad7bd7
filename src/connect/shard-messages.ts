// What the job's thread puts into a shard's ring. Both are of one build: no version.
//
//   u32 kind | u32 topic (its place in the job's topics) | u32 partition | u32 idle (0 or 1) | f64 base offset or watermark
//   | f64 newest event time
// and of a record batch, where u32 idle says how much padding there is:
//   | padding, 0 to 7 bytes | the bytes of the batch
//
// The padding is there because shared memory is copied word by word only if both sides lie alike to a word, else byte by
// byte: that alone was a third of a shard's work.
//
// Answers come back as messages of the thread, in the order of what they answer.
import { unreachable } from '../std/assert.ts'
import type { RingWriter } from '../std/ring.ts'

const HEADER_BYTES = 32
const WORD_BYTES = 8
const BATCH = 1
const FLUSH = 2
const PARTITION = 3

export type ShardMessage =
  | {
      readonly kind: 'batch'
      readonly topic: number
      readonly partition: number
      readonly baseOffset: number
      readonly bytes: Uint8Array
    }
  /** All that was gathered so far is wanted. */
  | { readonly kind: 'flush' }
  /** How the time of a partition stands. Not answered. */
  | {
      readonly kind: 'partition'
      readonly topic: number
      readonly partition: number
      readonly watermarkMs: number
      readonly eventTimeMsMax: number
      readonly idle: boolean
    }

/** Copies out of the ring, word by word: what is read often is read faster from memory that is not shared. */
export function copyOut(bytes: Uint8Array, into: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const from = bytes.byteOffset % WORD_BYTES
  const room = into.length >= from + bytes.length ? into : new Uint8Array(2 * (from + bytes.length))
  const copy = room.subarray(from, from + bytes.length)
  copy.set(bytes)
  return copy
}

/** What a shard made of one message. */
export interface ShardAnswer {
  /** Of a batch: one for each piece of it; of a flush: one. */
  readonly pieces: readonly Uint8Array[]
  /** Why the batch, or the rest of it, cannot be read. */
  readonly unreadable: string | null
}
/** From the thread to the job: answers in order, in one buffer; or what ended it. */
export type ShardPost = PostedAnswers | { readonly failed: string } | { readonly ready: true }
export interface PostedAnswers {
  /** Of each answer: its pieces, and why the rest could not be read. */
  readonly answers: readonly { readonly lengths: readonly number[]; readonly unreadable: string | null }[]
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** What is read of a piece lies where its elements can be read in place. */
const aligned = (at: number): number => (at + 7) & ~7
/** Many small buffers are dear to pass on. */
export function packAnswers(answers: readonly ShardAnswer[]): PostedAnswers {
  const pieces = answers.flatMap((answer) => answer.pieces)
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => aligned(sum + length), 0))
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at = aligned(at + piece.length)
  }
  return {
    answers: answers.map((answer) => ({
      lengths: answer.pieces.map(({ length }) => length),
      unreadable: answer.unreadable,
    })),
    bytes,
  }
}
export function unpackAnswers({ answers, bytes }: PostedAnswers): ShardAnswer[] {
  let at = 0
  return answers.map(({ lengths, unreadable }) => ({
    pieces: lengths.map((length) => {
      const piece = bytes.subarray(at, at + length)
      at = aligned(at + length)
      return piece
    }),
    unreadable,
  }))
}

/** The most that a batch of so many bytes takes in the ring. */
export function sizeOfBatch(bytes: number): number {
  return HEADER_BYTES + WORD_BYTES - 1 + bytes
}
export function sizeOf(message: ShardMessage): number {
  if (message.kind !== 'batch') return HEADER_BYTES
  return HEADER_BYTES + (message.bytes.byteOffset % WORD_BYTES) + message.bytes.length
}

/** False while the ring has no room; `wake` is called where the shard waits. */
export function sendTo(ring: RingWriter, message: ShardMessage, wake: () => void): boolean {
  const size = sizeOf(message)
  const place = ring.reserve(size)
  if (place === null) return false
  const view = new DataView(place.buffer, place.byteOffset, place.byteLength)
  switch (message.kind) {
    case 'batch':
      view.setUint32(0, BATCH, true)
      view.setUint32(4, message.topic, true)
      view.setUint32(8, message.partition, true)
      view.setUint32(12, message.bytes.byteOffset % WORD_BYTES, true)
      view.setFloat64(16, message.baseOffset, true)
      // Places in the ring begin at a word.
      place.set(message.bytes, HEADER_BYTES + (message.bytes.byteOffset % WORD_BYTES))
      break
    case 'flush':
      view.setUint32(0, FLUSH, true)
      break
    case 'partition':
      view.setUint32(0, PARTITION, true)
      view.setUint32(4, message.topic, true)
      view.setUint32(8, message.partition, true)
      view.setUint32(12, message.idle ? 1 : 0, true)
      view.setFloat64(16, message.watermarkMs, true)
      view.setFloat64(24, message.eventTimeMsMax, true)
      break
    default:
      unreachable(message)
  }
  if (ring.send(size)) wake()
  return true
}

/** The bytes of a batch lie in the ring: valid until its place is freed. */
export function messageIn(place: Uint8Array): ShardMessage {
  const view = new DataView(place.buffer, place.byteOffset, place.byteLength)
  const [topic, partition] = [view.getUint32(4, true), view.getUint32(8, true)]
  switch (view.getUint32(0, true)) {
    case BATCH:
      return {
        kind: 'batch',
        topic,
        partition,
        baseOffset: view.getFloat64(16, true),
        bytes: place.subarray(HEADER_BYTES + view.getUint32(12, true)),
      }
    case PARTITION:
      return {
        kind: 'partition',
        topic,
        partition,
        watermarkMs: view.getFloat64(16, true),
        eventTimeMsMax: view.getFloat64(24, true),
        idle: view.getUint32(12, true) === 1,
      }
    default:
      return { kind: 'flush' }
  }
}
