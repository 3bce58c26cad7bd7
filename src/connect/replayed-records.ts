// Records that were dead letters once and have been sent again: should they fail once more, their dead letter says the how
// manieth time it is.
import type { LogEntry } from '../log/log.ts'
import {
  baseOffset,
  batchHeaderBytes,
  codecOf,
  hasProducer,
  recordHeaders,
  recordSlots,
  walkRecords,
} from '../wire/record-batch.ts'

export const attemptHeader = 'dlq.attempt'
/** Remembered at a time; one beyond is told as a first attempt. */
const recordsMax = 10_000
const decoder = new TextDecoder()

export class ReplayedRecords {
  readonly #attempts = new Map<string, number>()
  readonly #slots = recordSlots(256)

  /** Replays are sent without a producer's numbers and as they are, so that other batches are passed over at a glance. */
  note({ topic, partition, bytes }: Extract<LogEntry, { kind: 'batch' }>): void {
    if (hasProducer(bytes) || codecOf(bytes) !== 'none') return
    for (let at = batchHeaderBytes; at < bytes.length; ) {
      at = walkRecords(bytes, at, bytes.length, this.#slots)
      for (let row = 0; row < this.#slots.count; row++) {
        const start = this.#slots.headersStart[row]!
        // The count of headers: 0 is nearly always there.
        if (bytes[start] === 0) continue
        const attempt = recordHeaders(bytes, start).find(({ name }) => name === attemptHeader)?.value
        if (attempt == null || this.#attempts.size >= recordsMax) continue
        const number = Number(decoder.decode(attempt))
        if (Number.isSafeInteger(number) && number > 0)
          this.#attempts.set(placeOf(topic, partition, baseOffset(bytes) + this.#slots.offsetDelta[row]!), number)
      }
    }
  }
  /** Of a record that has failed now, from 1. */
  take(topic: string, partition: number, offset: number): number {
    if (this.#attempts.size === 0) return 1
    const place = placeOf(topic, partition, offset)
    const attempt = this.#attempts.get(place) ?? 1
    this.#attempts.delete(place)
    return attempt
  }
}

function placeOf(topic: string, partition: number, offset: number): string {
  return `${topic}/${partition}/${offset}`
}
