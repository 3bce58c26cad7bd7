// What a partition itself says of its idempotent producers: in each of their epochs the sequences of the batches follow each other
// without a gap and nothing twice, aborted ones included. Where the first one begins is free: a broker takes any sequence from
// a producer that it does not know, as Kafka does, and the batch before may have been lost, unacknowledged, in a kill.
import {
  baseOffset,
  baseSequence,
  hasProducer,
  isControl,
  producerEpoch,
  producerId,
  recordCount,
} from '../../src/wire/record-batch.ts'

const sequences = 2 ** 31

export class SequenceBook {
  /** The next sequence of a producer's epoch in a partition. */
  readonly #next = new Map<string, number>()
  readonly faults: string[] = []
  batches = 0

  /** The batches of a partition in their order, each once. */
  note(place: string, batch: Uint8Array): void {
    if (isControl(batch) || !hasProducer(batch)) return
    this.batches++
    const who = `${place}: producer ${producerId(batch)} in epoch ${producerEpoch(batch)}`
    const expected = this.#next.get(who)
    const found = baseSequence(batch)
    if (expected !== undefined && found !== expected) {
      this.faults.push(`${who}: sequence ${found} at offset ${baseOffset(batch)}, where ${expected} was to come`)
    }
    this.#next.set(who, (found + recordCount(batch)) % sequences)
  }
}
