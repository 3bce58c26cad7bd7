// What is kept of an aggregate per cell of a window, how DuckDB computes it, and how cells are merged.

/** What is kept per cell. A `min` or `max` of a struct goes by its fields, one after the other. */
export interface State {
  readonly column: string
  readonly kind: 'count' | 'sum' | 'min' | 'max' | 'distinct' | 'list'
  /** What is aggregated, as SQL; null counts records. */
  readonly of: string | null
  readonly where: string | null
}

export function cellSql(state: State): string {
  return `${callSql(state)} AS ${state.column}`
}
/** The call of the aggregate, for `GROUP BY` and, with a frame behind it, over records. */
export function callSql({ kind, of, where }: State): string {
  const filter = where === null ? '' : ` FILTER (WHERE ${where})`
  if (kind === 'distinct') return `count(DISTINCT ${of})${filter}`
  return `${kind}(${of ?? '*'})${filter}`
}

/** Of the cells of one window. */
export function mergedSql({ kind, column }: State, frame: string): string {
  switch (kind) {
    case 'count':
    case 'distinct':
      return `CAST(coalesce(sum(${column}) OVER ${frame}, 0) AS BIGINT) AS ${column}`
    case 'list':
      return `flatten(list(${column}) OVER ${frame}) AS ${column}`
    default:
      return `${kind}(${column}) OVER ${frame} AS ${column}`
  }
}
/** Of cells of the same pane of which at most one is no stopgap. */
export function gatheredSql({ kind, column }: State): string {
  const call = kind === 'min' || kind === 'max' ? kind : kind === 'list' ? 'any_value' : 'sum'
  return `${call}(${column}) AS ${column}`
}
