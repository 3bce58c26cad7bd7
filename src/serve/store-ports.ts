// What serving needs of the broker's topics and of the serving store's tables, for people and programs that look into them.

/** The tables of the serving store: result topics, the newest row under each key. */
export interface TablesPort {
  /** Rows of one answer, at the most. */
  readonly rowsMax: number
  list(): readonly TableInfo[]
  /** Newest first. Null: there is no such table. Rejects with an error of `name` ServingError while the store is away. */
  rows(wanted: {
    readonly table: string
    /** Columns of the table that must equal these. */
    readonly where: Readonly<Record<string, string | number | boolean | null>>
    readonly after: { readonly time: string | null; readonly key: string } | null
    readonly limit: number
  }): Promise<readonly Readonly<Record<string, unknown>>[] | null>
}
export interface TableInfo {
  readonly name: string
  readonly topic: string
  /** The column by which rows are newest first; null: by their key. */
  readonly time: string | null
  readonly columns: readonly {
    readonly name: string
    readonly type: 'text' | 'integer' | 'real' | 'boolean' | 'json' | 'timestamp'
    readonly nullable: boolean
    /** Of an amount: decimals and currency (null: a plain decimal). */
    readonly scale: number | null
    readonly currency: string | null
  }[]
}

/** The broker's topics, for people who look. */
export interface TopicsPort {
  /** From memory, by name; without internal ones. */
  list(): readonly TopicLine[]
  /** Committed records of one partition from `offset` on; null: the newest `limit`. The partition exists. */
  records(wanted: {
    readonly topic: string
    readonly partition: number
    readonly offset: number | null
    readonly limit: number
  }): Promise<{
    readonly start: number
    readonly end: number
    readonly next: number
    readonly records: readonly TopicRecord[]
  }>
}
export interface TopicLine {
  readonly name: string
  /** As Kafka has it: `delete`, `compact`, or both. */
  readonly cleanup: string
  readonly partitions: readonly { readonly partition: number; readonly start: number; readonly end: number }[]
}
export interface TopicRecord {
  readonly offset: number
  readonly timestampMs: number
  /** As UTF-8 text, cut at some kilobytes. */
  readonly key: string | null
  readonly value: string | null
  readonly valueBytes: number
  readonly headers: readonly { readonly name: string; readonly value: string | null }[]
}
