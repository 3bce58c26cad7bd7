// What is kept of an aggregate per cell of a window, and how DuckDB computes it.

/** What is kept per cell. */
export interface State {
  readonly column: string
  readonly kind: 'count' | 'sum' | 'min' | 'max' | 'distinct'
  /** What is aggregated, as SQL; null counts records. */
  readonly of: string | null
  readonly where: string | null
}

export function cellSql({ column, kind, of, where }: State): string {
  const filter = where === null ? '' : ` FILTER (WHERE ${where})`
  if (kind === 'distinct') return `count(DISTINCT ${of})${filter} AS ${column}`
  return `${kind}(${of ?? '*'})${filter} AS ${column}`
}
