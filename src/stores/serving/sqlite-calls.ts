// What goes between the house and the thread of its SQLite database: calls with a number, answers with the same.
import type { RowsWanted, ServingFenced, SinkBatch } from './store.ts'
import type { ServingTable } from './table.ts'

/** What is asked for. */
export type SqliteRequest =
  | { readonly do: 'take-over'; readonly table: ServingTable; readonly topicId: string }
  | { readonly do: 'apply'; readonly batch: SinkBatch }
  | { readonly do: 'rows'; readonly wanted: RowsWanted }
  | { readonly do: 'counts'; readonly tables: readonly ServingTable[] }
  | { readonly do: 'clear'; readonly table: ServingTable }
  | { readonly do: 'close' }
/** Numbers from 1; the answer to 0 tells that the database is open. */
export type SqliteCall = SqliteRequest & { readonly call: number }
export type SqliteAnswer =
  | { readonly call: number; readonly ok: true; readonly value: unknown }
  | {
      readonly call: number
      readonly ok: false
      readonly message: string
      readonly kind: 'transient' | 'final' | 'damaged'
    }
  | {
      readonly call: number
      readonly ok: false
      readonly message: string
      readonly kind: 'fenced'
      readonly reason: ServingFenced['reason']
    }

export function isSqliteCall(message: unknown): message is SqliteCall {
  return typeof message === 'object' && message !== null && 'call' in message && 'do' in message
}
export function isSqliteAnswer(message: unknown): message is SqliteAnswer {
  return typeof message === 'object' && message !== null && 'call' in message && 'ok' in message
}
