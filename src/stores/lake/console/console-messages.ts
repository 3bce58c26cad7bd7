// What goes between the house and the process of its SQL console.
import type { DuckDbRows } from '../duckdb/duckdb-messages.ts'
import type { Verdict } from './guard.ts'

export type ConsoleRequest =
  | { readonly kind: 'judge'; readonly id: number; readonly sql: string }
  | {
      readonly kind: 'ask'
      readonly id: number
      readonly sql: string
      /** Ends with what locks DuckDB up. */
      readonly setup: readonly string[]
      readonly rowsMax: number
      readonly bytesMax: number
    }
export type ConsoleAnswer =
  | { readonly kind: 'judged'; readonly id: number; readonly verdict: Verdict }
  | { readonly kind: 'rows'; readonly id: number; readonly rows: DuckDbRows }
  | { readonly kind: 'refused'; readonly id: number; readonly message: string }
