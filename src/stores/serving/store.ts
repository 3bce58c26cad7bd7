// What a serving store offers: rows of result topics in tables, each offset exactly once, and the same answers from both
// databases. Types and errors only.
import type { Cell } from './cells.ts'
import type { ServingTable } from './table.ts'

/** Records of one partition of a table's topic, from `from` up to before `to`, applied whole or not at all. */
export interface SinkBatch {
  readonly table: ServingTable
  readonly partition: number
  readonly from: number
  readonly to: number
  /** The table has no position for the partition yet, as far as its owner knows. */
  readonly isFirst: boolean
  /** Of the owner who writes. */
  readonly epoch: number
  /** One for each key: the newest. */
  readonly rows: readonly SinkRow[]
  /** Keys that were taken back. None of `rows`. */
  readonly deleted: readonly string[]
}
export interface SinkRow {
  readonly key: string
  readonly offset: number
  /** JSON, or null. */
  readonly evidence: string | null
  /** In the order of the table's columns. */
  readonly cells: readonly Cell[]
}
/** Who writes a topic's table, and from where: by partition the next offset that is not in it yet. */
export interface SinkOwner {
  readonly epoch: number
  readonly next: ReadonlyMap<number, number>
}
export interface RowsWanted {
  readonly table: ServingTable
  /** Columns that must equal these. */
  readonly where: Readonly<Record<string, string | number | boolean | null>>
  /** Newest first by the table's time (else its key); from the row after this one on. */
  readonly after: { readonly time: string | null; readonly key: string } | null
  readonly limit: number
}
/** By column. Amounts and whole numbers: number, or bigint beyond 2^53; times: ISO-8601 with milliseconds. */
export type ServedRow = Readonly<Record<string, Cell>>

export interface ServingStore {
  readonly kind: 'postgres' | 'sqlite'
  /**
   * Makes the caller the one who writes the topic's table: whoever did before is fenced. A topic with another id than
   * before starts over with an empty table.
   */
  takeOver(table: ServingTable, topicId: string): Promise<SinkOwner>
  /** Rows and position in one transaction. Rejects with a `ServingFenced`, or a `ServingError`. */
  apply(batch: SinkBatch): Promise<void>
  rows(wanted: RowsWanted): Promise<readonly ServedRow[]>
  /** Rows in each of these tables. */
  counts(tables: readonly ServingTable[]): Promise<ReadonlyMap<string, number>>
  /** Empties the table and forgets its positions: its sink finds that out and fills it again. */
  clear(table: ServingTable): Promise<void>
  close(): Promise<void>
}

/** What the database said. */
export class ServingError extends Error {
  override name = 'ServingError'
  /** The same may go well a little later: the database restarts, is full or busy. */
  readonly isTransient: boolean
  constructor(message: string, options: ErrorOptions & { readonly isTransient: boolean }) {
    super(message, options)
    this.isTransient = options.isTransient
  }
}
/** Somebody else writes the table now, or it does not stand where this owner left it (it was emptied, or is another one). */
export class ServingFenced extends Error {
  override name = 'ServingFenced'
  readonly reason: 'owner' | 'position'
  constructor(reason: 'owner' | 'position', message: string) {
    super(message)
    this.reason = reason
  }
}

export const rowsMax = 10_000
