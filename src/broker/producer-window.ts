// Idempotence of one producer in one partition: the last five batches, and what they say about the next one. Pure.
// Rules: KIP-98 and KIP-360; five is the number of requests a client may have in flight.
import type { LogErrorCode } from '../log/log.ts'

export const windowBatchesMax = 5
/** Sequences wrap to 0 after 2^31 - 1. */
const sequences = 2 ** 31

export interface KeptBatch {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
  readonly lsn: number
  readonly appendedMs: number
}
export interface ProducerWindow {
  readonly epoch: number
  /** Oldest first, one to five. */
  readonly batches: readonly KeptBatch[]
}
export type Verdict =
  | { readonly verdict: 'append' }
  | { readonly verdict: 'duplicate'; readonly of: KeptBatch }
  | { readonly verdict: 'refuse'; readonly code: LogErrorCode; readonly message: string }

export function lastSequenceOf(firstSequence: number, lastOffsetDelta: number): number {
  return (firstSequence + lastOffsetDelta) % sequences
}

/** `window` undefined: nothing is known of the producer here (its data may have been deleted), it may start anywhere. */
export function judgeBatch(
  window: ProducerWindow | undefined,
  epoch: number,
  firstSequence: number,
  lastSequence: number,
): Verdict {
  if (window === undefined) return { verdict: 'append' }
  if (epoch < window.epoch) {
    const message = `the producer's epoch is ${window.epoch}, the batch is of epoch ${epoch}`
    return { verdict: 'refuse', code: 'INVALID_PRODUCER_EPOCH', message }
  }
  if (epoch > window.epoch) return firstSequence === 0 ? { verdict: 'append' } : outOfOrder(0, firstSequence)
  for (const kept of window.batches) {
    if (kept.firstSequence === firstSequence && kept.lastSequence === lastSequence) {
      return { verdict: 'duplicate', of: kept }
    }
  }
  const expected = (window.batches.at(-1)!.lastSequence + 1) % sequences
  return firstSequence === expected ? { verdict: 'append' } : outOfOrder(expected, firstSequence)
}
function outOfOrder(expected: number, got: number): Verdict {
  return {
    verdict: 'refuse',
    code: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
    message: `expected sequence ${expected}, the batch begins at ${got}`,
  }
}

/** The window after the batch was appended; the old one is left as it was, for taking the batch back. */
export function withBatch(window: ProducerWindow | undefined, epoch: number, batch: KeptBatch): ProducerWindow {
  if (window === undefined || window.epoch !== epoch) return { epoch, batches: [batch] }
  const { batches } = window
  return { epoch, batches: [...(batches.length < windowBatchesMax ? batches : batches.slice(1)), batch] }
}
