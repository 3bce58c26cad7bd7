// How far a watched folder was taken in, in the log: topic `millrace.files`, compacted, one partition, written in the
// same commits as the records. A record for each file, key and value:
//
//   ["<job>",<number>]   {"v":1,"path":"<name in the folder>","lines":<n>,"position":<bytes>,"head":"<hex>","tail":"<hex>"}
//
// Numbers are given once in a job; `position`, `head` and `tail` are a fingerprint (taken-content.ts). A file that has
// been gone for long is deleted (a null value). Changing this needs a format version.
import { type Log, LogError } from '../../log/log.ts'
import { offset, partitionId } from '../../std/units.ts'
import { BatchWriter } from '../../wire/batch-writer.ts'
import { recordSlots, recordsOf, walkRecords } from '../../wire/record-batch.ts'
import type { Fingerprint } from './taken-content.ts'

export const progressTopic = 'millrace.files'
export const progressTopicSpec = {
  name: progressTopic,
  partitions: 1,
  configs: { 'cleanup.policy': 'compact' },
  internal: true,
} as const
const formatVersion = 1
const readBytes = 1 << 20
export const progressPartition = partitionId(0)

export interface FileProgress {
  readonly number: number
  readonly path: string
  readonly lines: number
  readonly fingerprint: Fingerprint
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/** Null progress: the file is forgotten. Needs at least one. */
export function progressBatch(
  job: string,
  files: readonly { readonly number: number; readonly progress: FileProgress | null }[],
  nowMs: number,
): Uint8Array {
  const writer = new BatchWriter()
  for (const { number, progress } of files) {
    const key = encoder.encode(JSON.stringify([job, number]))
    writer.append(key, progress === null ? null : encoder.encode(textOf(progress)), nowMs)
  }
  return writer.finish()
}
function textOf({ path, lines, fingerprint: { position, head, tail } }: FileProgress): string {
  return JSON.stringify({ v: formatVersion, path, lines, position, head, tail })
}

/** Of all files of the job that are known. */
export async function readProgress(log: Log, job: string): Promise<FileProgress[]> {
  const files = new Map<number, FileProgress>()
  const slots = recordSlots(1024)
  const { start, end } = log.offsets(progressTopic, progressPartition)
  for (let from: number = start; from < end; ) {
    const { batches, next } = await log.readCommitted(progressTopic, progressPartition, offset(from), readBytes)
    for (const batch of batches) {
      const records = recordsOf(batch)
      for (let at = records.start; at < records.end; ) {
        at = walkRecords(records.bytes, at, records.end, slots)
        for (let row = 0; row < slots.count; row++) {
          const key = decoder.decode(records.bytes.subarray(slots.keyStart[row]!, slots.keyEnd[row]!))
          const number = numberOf(job, key)
          if (number === null) continue
          if (slots.valueStart[row]! < 0) files.delete(number)
          else
            files.set(number, progressOf(number, records.bytes.subarray(slots.valueStart[row]!, slots.valueEnd[row]!)))
        }
      }
    }
    // From here on records wait for the end of a transaction: of another job, for those of this one are over.
    if (next === from) break
    from = next
  }
  return [...files.values()]
}
function numberOf(job: string, key: string): number | null {
  try {
    const said: unknown = JSON.parse(key)
    return Array.isArray(said) && said[0] === job && Number.isSafeInteger(said[1]) ? Number(said[1]) : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
function progressOf(number: number, value: Uint8Array): FileProgress {
  const said: unknown = JSON.parse(decoder.decode(value))
  const { v, path, lines, position, head, tail } = Object(said) as Record<string, unknown>
  const isRight =
    v === formatVersion &&
    typeof path === 'string' &&
    typeof lines === 'number' &&
    typeof position === 'number' &&
    typeof head === 'string' &&
    typeof tail === 'string'
  if (isRight) return { number, path, lines, fingerprint: { position, head, tail } }
  throw new LogError(
    'CORRUPT_MESSAGE',
    `the progress of file ${number} in topic ${progressTopic} cannot be read: this build reads format ${formatVersion}. ` +
      'Update millrace, or delete that topic to take all files in again.',
  )
}
