// Records of the tests of sinks: of a topic and place always the same one, few keys, some taken back, some no rows.
import type { Log } from '../../src/log/log.ts'
import { servedTables } from '../../src/platform/serving-store.ts'
import { randomStream } from '../../src/std/random.ts'
import { partitionId } from '../../src/std/units.ts'
import type { ServingStore, ServingTable } from '../../src/stores/serving.ts'
import { BatchWriter } from '../../src/wire/batch-writer.ts'
import { readTopic } from '../flows/outcome.ts'

export const partitions = 2
/** One that replaces rows, one that appends them. */
export const tables: readonly ServingTable[] = servedTables().filter(({ name }) =>
  ['product_sales', 'orders_enriched'].includes(name),
)

const encoder = new TextEncoder()

/** One batch more for each partition of each topic. */
export async function appendMore(log: Log, seed: string, records: number): Promise<void> {
  for (const table of tables) {
    for (let partition = 0; partition < partitions; partition++) {
      const { end } = log.offsets(table.topic, partitionId(partition))
      const writer = new BatchWriter()
      for (let at = end; at < end + records; at++) {
        const { key, value } = recordAt(table, seed, partition, at)
        writer.append(encoder.encode(key), value === null ? null : encoder.encode(value), 1_760_000_000_000 + at, [
          { name: 'evidence', value: encoder.encode(`[[${partition},${at},${at}]]`) },
        ])
      }
      await log.append(table.topic, partitionId(partition), writer.finish())
    }
  }
}

function recordAt(
  table: ServingTable,
  seed: string,
  partition: number,
  at: number,
): { key: string; value: string | null } {
  const random = randomStream(`${seed}/${table.topic}/${partition}/${at}`)
  const key = JSON.stringify([`key ${random.below(40)}`, partition])
  const kind = random.below(20)
  if (kind === 0) return { key, value: null }
  if (kind === 1) return { key, value: '{"not": "a row"}' }
  const fields = table.columns.map(({ field, type }) => {
    if (type.kind === 'timestamp') {
      const ms = 1_760_000_000_000 + random.below(1_000_000) * 1000
      return [field, type.from === 'iso' ? new Date(ms).toISOString() : type.from === 'epoch-seconds' ? ms / 1000 : ms]
    }
    if (type.kind === 'text') return [field, `text ${random.below(1000)}`]
    if (type.kind === 'boolean') return [field, random.below(2) === 0]
    if (type.kind === 'minor') return [field, random.below(1_000_000) / 10 ** type.scale]
    return [field, random.below(1000)]
  })
  return { key, value: JSON.stringify(Object.fromEntries(fields)) }
}

/** What the table must hold after all that the topic holds: by `_key` the offset of the record behind it. */
export async function expectedPlaces(log: Log, table: ServingTable): Promise<Map<string, number>> {
  const expected = new Map<string, number>()
  const next = new Map<number, number>()
  for (const { partition, key, value } of await readTopic(log, table.topic)) {
    const at = next.get(partition) ?? 0
    next.set(partition, at + 1)
    const name = table.appends ? `${partition}/${at}` : (key ?? '')
    const text = value === null ? null : new TextDecoder().decode(value)
    if (text === null) expected.delete(name)
    else if (!text.includes('not')) expected.set(name, at)
  }
  return expected
}

export async function placesIn(store: ServingStore, table: ServingTable): Promise<Map<string, number>> {
  const places = new Map<string, number>()
  let after: { time: string | null; key: string } | null = null
  for (;;) {
    const rows = await store.rows({ table, where: {}, after, limit: 5_000 })
    for (const row of rows) places.set(String(row._key), Number(row._offset))
    const last = rows.at(-1)
    if (last === undefined || rows.length < 5_000) return places
    after = { time: table.time === null ? null : String(last[table.time]), key: String(last._key) }
  }
}
