// Schema drift that no dead letter tells: fields that the contract does not know. The newest records of each topic are
// looked at now and then; unknown fields pass, so nothing else would say that they are there.
import { contracts } from '../commerce/commerce.ts'
import { lastRows } from '../connect/connect.ts'
import type { Log } from '../log/log.ts'

/** Of each partition. */
const sampledRecords = 100

export interface UnknownField {
  readonly topic: string
  readonly field: string
  /** Of the contract. */
  readonly version: number
  /** Share of the sampled records that have it. */
  readonly share: number
}

export async function unknownFields(log: Log): Promise<UnknownField[]> {
  const found: UnknownField[] = []
  for (const { topic, version, fields, origin } of contracts.values()) {
    if (origin === 'result' || log.topic(topic) === null) continue
    const known = new Set([...Object.keys(fields), ...Object.values(fields).flatMap(({ aliases = [] }) => aliases)])
    const rows = await lastRows(log, topic, sampledRecords)
    const counts = new Map<string, number>()
    for (const row of rows)
      for (const field of Object.keys(row)) if (!known.has(field)) counts.set(field, (counts.get(field) ?? 0) + 1)
    for (const [field, records] of counts) found.push({ topic, field, version, share: records / rows.length })
  }
  return found
}
