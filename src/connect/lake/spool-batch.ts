// The records of one batch of the log as records of a spool.
import type { SpoolWriter } from '../../stores/stores.ts'
import {
  baseOffset,
  baseTimestampMs,
  isAppendTime,
  maxTimestampMs,
  type RecordHeader,
  recordHeaders,
  recordSlots,
  recordsOf,
  walkRecords,
} from '../../wire/record-batch.ts'
import { WireError } from '../../wire/wire-error.ts'

const slots = recordSlots(1024)
const noHeaders = 0

/**
 * Those of its records that lie in [from, to). False for a batch whose records cannot be read: the engine keeps such a one
 * whole in the dead letters.
 */
export function spoolBatch(
  spool: SpoolWriter,
  { partition, from, to, headers }: { partition: number; from: number; to: number; headers: boolean },
  batch: Uint8Array,
): boolean {
  try {
    const base = baseOffset(batch)
    const stamp = isAppendTime(batch) ? maxTimestampMs(batch) : null
    const baseMs = baseTimestampMs(batch)
    const records = recordsOf(batch)
    const { bytes } = records
    for (let at = records.start; at < records.end; ) {
      at = walkRecords(bytes, at, records.end, slots)
      for (let row = 0; row < slots.count; row++) {
        const offset = base + slots.offsetDelta[row]!
        if (offset < from || offset >= to) continue
        const headersAt = slots.headersStart[row]!
        spool.add({
          partition,
          offset,
          arrivalMs: stamp ?? baseMs + slots.timestampDelta[row]!,
          bytes,
          keyStart: slots.keyStart[row]!,
          keyEnd: slots.keyEnd[row]!,
          valueStart: slots.valueStart[row]!,
          valueEnd: slots.valueEnd[row]!,
          headers: !headers || bytes[headersAt] === noHeaders ? null : headersJson(recordHeaders(bytes, headersAt)),
        })
      }
    }
    return true
  } catch (error) {
    if (error instanceof WireError) return false
    throw error
  }
}

function headersJson(headers: readonly RecordHeader[]): string {
  return JSON.stringify(headers.map(({ name, value }) => [name, value === null ? null : textOrBytes(value)]))
}
function textOrBytes(value: Uint8Array): string | { readonly base64: string } {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value)
  } catch {
    return { base64: Buffer.from(value).toString('base64') }
  }
}
