// Schemas of Avro records from a schema registry (the HTTP interface of Confluent's, which others speak as well): asked for before
// the records that name them go into a job, and kept, for a schema never changes under its id.
import { type AvroReader, type AvroReaders, avroSchemaId } from '../engine/engine.ts'
import type { LogEntry } from '../log/log.ts'
import { assert } from '../std/assert.ts'
import { recordSlots, recordsOf, walkRecords } from '../wire/record-batch.ts'
import { WireError } from '../wire/wire-error.ts'
import type { Clock } from '../world/world.ts'

/** The schema as JSON; null: there is none of that id. Rejects when the registry cannot be asked: it is tried again. */
export type AskForSchema = (id: number) => Promise<string | null>

export interface SchemaRegistry extends AvroReaders {
  /** Resolves when the schemas of the entries are there; however long the registry is away, until `close`. */
  prepare(entries: readonly LogEntry[]): Promise<void>
  /** Why the last question failed; null: it did not. */
  trouble(): Error | null
  close(): void
}

const againMs = 500
const schemaBytesMax = 1 << 20
const answerMsMax = 10_000
const recordsAtOnce = 4_096

/** `topics`: those that are in Avro. */
export function schemaRegistry(clock: Clock, ask: AskForSchema, topics: ReadonlySet<string>): SchemaRegistry {
  const readers = new Map<number, AvroReader | null>()
  const slots = recordSlots(recordsAtOnce)
  let trouble: Error | null = null
  let isClosed = false

  const learn = async (id: number): Promise<void> => {
    while (!isClosed) {
      try {
        const schema = await ask(id)
        trouble = null
        readers.set(id, schema === null ? null : await readerOf(schema))
        return
      } catch (error) {
        trouble = error instanceof Error ? error : new Error(String(error))
        await clock.sleep(againMs)
      }
    }
  }
  return {
    reader(id) {
      const reader = readers.get(id)
      assert(reader !== undefined, `schema ${id} was not asked for before its records came`)
      return reader
    },
    async prepare(entries) {
      const missing = new Set<number>()
      for (const entry of entries) {
        if (entry.kind !== 'batch' || !topics.has(entry.topic)) continue
        for (const id of idsIn(entry.bytes, slots)) if (!readers.has(id)) missing.add(id)
      }
      for (const id of missing) await learn(id)
    },
    trouble: () => trouble,
    close() {
      isClosed = true
    },
  }
}
/** Null: what the registry has is no schema of Avro. */
async function readerOf(schema: string): Promise<AvroReader | null> {
  // Loaded by those who need it only.
  const { avroReader } = await import('./avro-types.ts')
  try {
    return avroReader(schema)
  } catch {
    return null
  }
}
/** A batch that cannot be read is the job's to tell of. */
function idsIn(batch: Uint8Array, slots: ReturnType<typeof recordSlots>): Set<number> {
  const ids = new Set<number>()
  try {
    const { bytes, start, end } = recordsOf(batch)
    for (let at = start; at < end; ) {
      at = walkRecords(bytes, at, end, slots)
      for (let i = 0; i < slots.count; i++) {
        const id = avroSchemaId(bytes, slots.valueStart[i]!, slots.valueEnd[i]!)
        if (id !== null) ids.add(id)
      }
    }
  } catch (error) {
    if (!(error instanceof WireError)) throw error
  }
  return ids
}

/** Asks a registry at this address, `http://host:8081`; `authorization` goes along as it is. */
export function askRegistry(url: string, authorization: string | null = null): AskForSchema {
  const base = url.replace(/\/+$/, '')
  return async (id) => {
    const answer = await fetch(`${base}/schemas/ids/${id}`, {
      redirect: 'error',
      signal: AbortSignal.timeout(answerMsMax),
      headers: {
        accept: 'application/vnd.schemaregistry.v1+json, application/json',
        ...(authorization === null ? {} : { authorization }),
      },
    })
    if (answer.status === 404) return null
    if (!answer.ok) throw new Error(`the schema registry at ${base} answers ${answer.status} for schema ${id}`)
    const text = await answer.text()
    if (text.length > schemaBytesMax) throw new Error(`schema ${id} has more than ${schemaBytesMax} bytes`)
    const { schema, schemaType = 'AVRO' } = JSON.parse(text) as { schema?: unknown; schemaType?: unknown }
    return typeof schema === 'string' && schemaType === 'AVRO' ? schema : null
  }
}
