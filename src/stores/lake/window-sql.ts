// Windows in DuckDB SQL. Records first become cells: one row per pane and group. A tumbling or calendar window is its
// cell; a hopping one is a frame over cells (`sliding-sql.ts`). Then states become the columns of the result.
import type { Chain, ChainWindow } from '../../query/chain.ts'
import type { Aggregation, Column, Expression, Window } from '../../query/plan.ts'
import { PlanError, typeOf } from '../../query/plan.ts'
import { unreachable } from '../../std/assert.ts'
import { calendarSql } from './calendar-sql.ts'
import { expressionSql, isArithmetic, overflowed } from './expression-sql.ts'
import { slidingSql } from './sliding-sql.ts'
import { heldAs, isExact, list, name, type Parts, scaleOf, shown } from './sql-text.ts'
import { cellSql, type State } from './state-sql.ts'

export interface WindowParts {
  readonly parts: Parts
  readonly chain: Chain
  readonly window: ChainWindow
  /** The part with the window's input. */
  readonly rows: string
  /** No column begins with it. */
  readonly prefix: string
  /** Columns put behind the result's. */
  readonly final: readonly string[]
}

export function windowSql(window: WindowParts): string {
  const { parts, chain, prefix } = window
  const { node, states, values } = lowered(window)
  const [start, end] = [`${prefix}start`, `${prefix}end`]
  const groups = node.groups.map(name)
  const made = windowsOf(window, node.window, states, start, end)
  const columns = chain.results.map(({ name: column, type }, i) => {
    const held = i === 0 ? start : i === 1 ? end : i < 2 + groups.length ? name(column) : values[i - 2 - groups.length]!
    const value = shown(held, type)
    return value === name(column) ? value : `${value} AS ${name(column)}`
  })
  const order = [end, ...groups.map((group) => `${group} NULLS FIRST`)].map((one) => `w.${one}`)
  return parts.with(`SELECT\n  ${list([...columns, ...window.final])}\nFROM ${made} AS w\nORDER BY ${order.join(', ')}`)
}

/** Adds the parts that end in one row per window and group: bounds in ms, groups, states. */
function windowsOf(
  { parts, chain, rows, prefix }: WindowParts,
  window: Window,
  states: readonly State[],
  start: string,
  end: string,
): string {
  const at = `${prefix}at`
  const pane = `${prefix}pane`
  const groups = (chain.window?.groups ?? []).map(name)
  switch (window.kind) {
    case 'tumbling': {
      const paned = `SELECT\n  ${list([`${paneSql(at, window.sizeMs)} AS ${pane}`, ...groups, ...states.map(cellSql)])}`
      const cells = parts.add('cells', `${paned}\nFROM ${rows}\nGROUP BY ${[pane, ...groups].join(', ')}`)
      const bounds = [`${pane} * ${window.sizeMs} AS ${start}`, `(${pane} + 1) * ${window.sizeMs} AS ${end}`]
      return parts.add('windows', `SELECT\n  ${list(['*', ...bounds])}\nFROM ${cells}`)
    }
    case 'hopping':
      return slidingSql({
        parts,
        rows,
        prefix,
        groups,
        states,
        paneOf: paneSql(at, window.slideMs),
        panes: window.sizeMs / window.slideMs,
        slideMs: window.slideMs,
        start,
        end,
      })
    case 'calendar': {
      const placed = calendarSql({ parts, rows, prefix, unit: window.unit, zone: window.zone, at, start, end })
      const cells = [start, end, ...groups]
      return parts.add(
        'windows',
        `SELECT\n  ${list([...cells, ...states.map(cellSql)])}\nFROM ${placed}\nGROUP BY ${cells.join(', ')}`,
      )
    }
    case 'session':
    case 'cumulative':
      throw new PlanError(
        chain.plan.name,
        'window',
        `${window.kind} windows have no DuckDB SQL yet`,
        'Use a tumbling, hopping or calendar window',
      )
    default:
      return unreachable(window)
  }
}

/** Number of the pane, counted from the epoch. Integer division cuts towards zero, so it runs above the year 0. */
function paneSql(at: string, lengthMs: number): string {
  const before = Math.ceil(1e14 / lengthMs)
  // Length times count may leave what JavaScript holds exactly.
  return `(${at} + ${BigInt(before) * BigInt(lengthMs)}) // ${lengthMs} - ${before}`
}

/** Aggregates as states (equal ones once) and as expressions over them. */
function lowered({ chain, window, prefix }: WindowParts): {
  node: ChainWindow
  states: readonly State[]
  values: readonly string[]
} {
  const states: State[] = []
  const known = new Map<string, string>()
  const notYet = (what: string): never => {
    throw new PlanError(
      chain.plan.name,
      window.id,
      `${what} has no DuckDB SQL yet`,
      'Leave it out, or run the plan where it is known',
    )
  }
  const state = (kind: State['kind'], of: Expression | null, where: Expression | null): string => {
    const key = JSON.stringify([kind, of, where])
    let column = known.get(key)
    if (column === undefined) {
      column = `${prefix}${kind}_${states.length + 1}`
      known.set(key, column)
      const exact = kind === 'sum' || kind === 'min' || kind === 'max'
      states.push({
        column,
        kind,
        of: of === null ? null : exact ? argumentSql(of) : expressionSql(of),
        where: where === null ? null : expressionSql(where),
      })
    }
    return column
  }
  const countOf = (of: Expression | null, where: Expression | null): string =>
    state('count', of !== null && isNullable(of, chain.columns) ? of : null, where)
  // Sliding windows ask the first state which groups hold records.
  countOf(null, null)
  const exactState = (aggregate: Aggregation): { readonly column: string; readonly scale: number } => {
    if (aggregate.function === 'count') return { column: countOf(aggregate.of, aggregate.where), scale: 0 }
    if (aggregate.function !== 'sum') return notYet(`'${aggregate.function}' in a ratio`)
    const type = typeOf(aggregate.of)
    if (!isExact(type)) return notYet(`a sum of ${type.kind}`)
    return { column: state('sum', aggregate.of, aggregate.where), scale: scaleOf(type) }
  }
  const values = window.aggregates.map(({ aggregate }) => {
    switch (aggregate.function) {
      case 'count':
      case 'sum':
        return exactState(aggregate).column
      case 'min':
      case 'max':
        if (heldAs(typeOf(aggregate.of)) === 'VARCHAR') return notYet(`'${aggregate.function}' of text`)
        return state(aggregate.function, aggregate.of, aggregate.where)
      case 'count-distinct':
        return state('distinct', aggregate.of, aggregate.where)
      case 'ratio': {
        const [over, under] = [exactState(aggregate.numerator), exactState(aggregate.denominator)]
        return ratioSql(over.column, under.column, aggregate.scale - over.scale + under.scale)
      }
      case 'first':
      case 'last':
      case 'variance':
      case 'quantile':
      case 'argmax':
        return notYet(`aggregate '${aggregate.function}'`)
      default:
        return unreachable(aggregate)
    }
  })
  return { node: window, states, values }
}

/** A computation that leaves what is exact stops the query: the engine stops there too. */
function argumentSql(of: Expression): string {
  const sql = expressionSql(of)
  if (!isArithmetic(of) || typeOf(of).kind === 'float64') return sql
  return `CASE WHEN ${sql} = ${overflowed} THEN error('an aggregated value is beyond what is exact (2^53)') ELSE ${sql} END`
}

/** numerator * 10^shift / denominator in whole numbers, half away from zero; null where the denominator is 0. */
function ratioSql(numerator: string, denominator: string, shift: number): string {
  const times = (value: string, power: number): string =>
    power > 0 ? `CAST(${value} AS HUGEINT) * ${10n ** BigInt(power)}` : `CAST(${value} AS HUGEINT)`
  const over = `abs(${times(numerator, shift)})`
  const under = `abs(${times(denominator, -shift)})`
  const sign = `CASE WHEN (${numerator} < 0) <> (${denominator} < 0) THEN -1 ELSE 1 END`
  return `CASE WHEN ${denominator} <> 0 THEN ${sign} * ((2 * ${over} + ${under}) // (2 * ${under})) END`
}

/** May the expression be null for some row? */
function isNullable(expression: Expression, columns: readonly Column[]): boolean {
  switch (expression.op) {
    case 'column':
      return columns.find((column) => column.name === expression.name)?.nullable ?? true
    case 'literal':
      return expression.value === null
    case 'plus':
    case 'minus':
    case 'times':
      return isNullable(expression.left, columns) || isNullable(expression.right, columns)
    default:
      return true
  }
}
