// What tests of watched folders stand on: a folder, a broker, and what of the files is in the log.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Log } from '../../src/log/log.ts'
import { offset, partitionId } from '../../src/std/units.ts'
import { recordHeaders, recordSlots, recordsOf, walkRecords } from '../../src/wire/record-batch.ts'

export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'millrace-files-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

export interface ReadRecord {
  readonly partition: number
  readonly key: string | null
  readonly value: string
  readonly headers: Readonly<Record<string, string>>
}
const decoder = new TextDecoder()

/** All committed records of a topic. */
export async function recordsIn(log: Log, topic: string): Promise<ReadRecord[]> {
  const found: ReadRecord[] = []
  const slots = recordSlots(1000)
  for (let partition = 0; partition < (log.topic(topic)?.partitions ?? 0); partition++) {
    for (let from = offset(log.offsets(topic, partitionId(partition)).start); ; ) {
      const { batches, next } = await log.readCommitted(topic, partitionId(partition), from, 1 << 20)
      for (const batch of batches) {
        const records = recordsOf(batch)
        for (let at = records.start; at < records.end; ) {
          at = walkRecords(records.bytes, at, records.end, slots)
          for (let i = 0; i < slots.count; i++) {
            const text = (start: number, end: number): string => decoder.decode(records.bytes.subarray(start, end))
            const headers = recordHeaders(records.bytes, slots.headersStart[i]!)
            found.push({
              partition,
              key: slots.keyStart[i]! < 0 ? null : text(slots.keyStart[i]!, slots.keyEnd[i]!),
              value: text(slots.valueStart[i]!, slots.valueEnd[i]!),
              headers: Object.fromEntries(headers.map(({ name, value }) => [name, decoder.decode(value ?? undefined)])),
            })
          }
        }
      }
      if (next === from) break
      from = next
    }
  }
  return found
}
