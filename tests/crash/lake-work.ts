// The records of the lake's crash test: each follows from its place, some break the contract, some come twice, days change.
import { sales } from '../../src/commerce/commerce.ts'
import type { LakeTopic } from '../../src/stores/stores.ts'

export const topicOfTest = { name: 'sales', partitions: 3 }
export const recordsOfPartition = 12_000
export const lakeTopic: LakeTopic = {
  topic: topicOfTest.name,
  bronze: true,
  typed: { layer: 'silver', contract: sales, rows: 'valid' },
}

const encoder = new TextEncoder()
const startMs = Date.UTC(2026, 0, 30, 20)

export interface MadeRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly arrivalMs: number
  /** What silver is to have of it: its identity; null: nothing. */
  readonly identity: string | null
  readonly day: string
}
export function recordAt(partition: number, offset: number): MadeRecord {
  const timeMs = startMs + offset * 1_500
  const arrivalMs = timeMs + 20
  const day = new Date(timeMs).toISOString().slice(0, 10)
  const key = encoder.encode(`seller ${partition}`)
  const made = (value: string | null, identity: string | null): MadeRecord => ({
    key: offset % 97 === 0 ? null : key,
    value: value === null ? null : encoder.encode(value),
    arrivalMs,
    identity,
    day,
  })
  if (offset % 41 === 7) return made('{"id_sale": "broken', null)
  if (offset % 43 === 9) return made(null, null)
  if (offset % 47 === 3) return made('{"id_sale":"x",\n"price":"text"}', null)
  // Every 50th is the sale five before it once more.
  const of = offset % 50 === 13 ? offset - 5 : offset
  const sale = {
    id_sale: `${partition}-${of}`,
    id_product: `p${of % 17}`,
    nm_product: `Größe "${of % 5}" \\N \t`,
    seller: `seller ${partition}`,
    price: (of % 1000) / 4,
    sale_date: new Date(startMs + of * 1_500).toISOString(),
  }
  return made(JSON.stringify(sale), sale.id_sale)
}
