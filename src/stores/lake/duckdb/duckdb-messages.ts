// What goes between the house and its DuckDB process. Both sides are always of one version: nothing of it is stored.

/** Of the process, when it starts. */
export interface DuckDbStart {
  /** `SET` statements and whatever else must have run before the first request. */
  readonly setup: readonly string[]
}

export type DuckDbRequest =
  /** Runs the statements in order; of the last one up to `rowsMax` rows come back. */
  | { readonly kind: 'run'; readonly id: number; readonly statements: readonly string[]; readonly rowsMax: number }
  /** Brings a file to the disk and reads it once: how long it is and its SHA-256. */
  | { readonly kind: 'seal'; readonly id: number; readonly paths: readonly string[]; readonly sync: boolean }

/** Values as JSON has them: whole numbers beyond 32 bits, decimals and times as text, lists and structs as such. */
export type DuckDbValue = string | number | boolean | null | DuckDbValue[] | { readonly [name: string]: DuckDbValue }

export interface DuckDbRows {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows: readonly (readonly DuckDbValue[])[]
  /** There were more than `rowsMax`. */
  readonly truncated: boolean
}
export interface Sealed {
  readonly sizeBytes: number
  readonly sha256: string
}

export type DuckDbAnswer =
  | { readonly kind: 'rows'; readonly id: number; readonly rows: DuckDbRows }
  | { readonly kind: 'sealed'; readonly id: number; readonly files: readonly Sealed[] }
  /** What DuckDB or the disk said. */
  | { readonly kind: 'refused'; readonly id: number; readonly message: string }
