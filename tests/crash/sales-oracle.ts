// W2 recomputed naively from the log: one pass, plain Maps and BigInt, no code shared with the engine.
import type { ReadRecord } from './kcat.ts'

export interface WindowRow {
  sales: number
  revenueMinor: bigint
  sellers: Set<string>
  categories: Set<string>
  products: Set<string>
  biggestMinor: bigint
}

const sizeMs = 900_000
const slideMs = 1_000

/** Money text to cents, exactly: `12`, `12.3`, `12.34`. */
export function cents(text: string): bigint {
  const [whole, fraction = ''] = text.split('.')
  return BigInt(whole!) * 100n + BigInt(fraction.padEnd(2, '0'))
}

/** The figures of the windows with the asked ends (ms), over every record. */
export function windowsByEnd(records: readonly ReadRecord[], ends: ReadonlySet<number>): Map<number, WindowRow> {
  const rows = new Map<number, WindowRow>()
  for (const { value } of records) {
    const sale = JSON.parse(value) as {
      seller: string
      nm_category?: string
      id_product: string
      price: number
      quantity?: number
      sale_date: string
    }
    const ms = Date.parse(sale.sale_date)
    const total = cents(String(sale.price)) * BigInt(sale.quantity ?? 1)
    const firstEnd = Math.floor(ms / slideMs) * slideMs + slideMs
    for (let end = firstEnd; end < firstEnd + sizeMs; end += slideMs) {
      if (!ends.has(end)) continue
      let row = rows.get(end)
      if (row === undefined) {
        row = {
          sales: 0,
          revenueMinor: 0n,
          sellers: new Set(),
          categories: new Set(),
          products: new Set(),
          biggestMinor: 0n,
        }
        rows.set(end, row)
      }
      row.sales++
      row.revenueMinor += total
      row.sellers.add(sale.seller)
      row.categories.add(sale.nm_category ?? 'General Category')
      row.products.add(sale.id_product)
      if (total > row.biggestMinor) row.biggestMinor = total
    }
  }
  return rows
}
