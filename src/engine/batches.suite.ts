// For the engine's tests: records as source batches, and result rows as plain objects.
import type { Evidence, JobOutput, ResultValue, SourceBatch, Timing } from './engine.ts'
import { encodeRow, resultRow, timings } from './engine.ts'

/** Texts (null: a tombstone) as one batch; offsets count from `offset`, arrivals are unknown unless given. */
export function batchOf(
  topic: string,
  partition: number,
  offset: number,
  texts: readonly (string | Uint8Array | null)[],
  arrivalMs = -1,
): SourceBatch {
  const values = texts.map((text) => (typeof text === 'string' ? new TextEncoder().encode(text) : text))
  const bytes = new Uint8Array(values.reduce((sum, value) => sum + (value?.length ?? 0), 0))
  const starts = new Int32Array(texts.length)
  const ends = new Int32Array(texts.length)
  let at = 0
  values.forEach((value, i) => {
    starts[i] = value === null ? -1 : at
    if (value !== null) {
      bytes.set(value, at)
      at += value.length
    }
    ends[i] = at
  })
  return {
    topic,
    partition,
    bytes,
    count: texts.length,
    starts,
    ends,
    offsets: Float64Array.from(texts, (_, i) => offset + i),
    arrivals: new Float64Array(texts.length).fill(arrivalMs),
  }
}

export interface PlainRow {
  readonly plan: string
  readonly timing: Timing
  /** -1: the row under this key is taken back. */
  readonly weight: number
  readonly values: { readonly [column: string]: ResultValue }
  readonly json: string
  readonly evidence: readonly Evidence[]
}
export function plainRows(output: JobOutput): PlainRow[] {
  return output.results.flatMap((batch) =>
    Array.from({ length: batch.count }, (_, row) => ({
      plan: batch.plan.name,
      timing: timings[batch.timing[row] ?? 0] ?? 'early',
      weight: batch.weight[row] ?? 0,
      values: resultRow(batch, row),
      json: encodeRow(batch, row),
      evidence: batch.evidence(row),
    })),
  )
}
