// Expressions of a Plan as DuckDB SQL over held values: exact numbers are integers in minor units, times milliseconds.
// SQL's three values are the Plan's; texts compare by bytes in both.
import { type Expression, typeOf } from '../../query/plan.ts'
import { unreachable } from '../../std/assert.ts'
import { exactMax, heldAs, name, text } from './sql-text.ts'

/** Stands for a result beyond what is exact, above every exact number; rows that derive it are left out. */
export const overflowed = '1152921504606846976'

const signs = { plus: '+', minus: '-', times: '*' } as const

export function expressionSql(expression: Expression): string {
  switch (expression.op) {
    case 'column':
      return name(expression.name)
    case 'literal':
      return literalSql(expression)
    case 'plus':
    case 'minus':
    case 'times':
      return arithmeticSql(expression)
    case 'compare':
      return `(${expressionSql(expression.left)} ${expression.by === '!=' ? '<>' : expression.by} ${expressionSql(expression.right)})`
    case 'and':
    case 'or':
      return `(${expressionSql(expression.left)} ${expression.op.toUpperCase()} ${expressionSql(expression.right)})`
    case 'not':
      return `(NOT ${expressionSql(expression.of)})`
    case 'is-null':
      return `(${expressionSql(expression.of)} IS NULL)`
    case 'starts-with':
      return `starts_with(${expressionSql(expression.of)}, ${text(expression.prefix)})`
    case 'one-of': {
      const of = expressionSql(expression.of)
      const values = expression.values.map((value) => valueSql(value))
      // Nothing is one of nothing, but unknown stays unknown.
      if (values.length === 0) return `(CASE WHEN ${of} IS NOT NULL THEN false END)`
      return `(${of} IN (${values.join(', ')}))`
    }
    default:
      return unreachable(expression)
  }
}

function valueSql(value: string | number | boolean): string {
  return typeof value === 'string' ? text(value) : String(value)
}
function literalSql({ value, type }: Expression & { op: 'literal' }): string {
  if (value === null) return `CAST(NULL AS ${heldAs(type)})`
  // 1e21 is a DOUBLE to DuckDB, as it should be; a plain 0.5 would be a DECIMAL.
  if (type.kind === 'float64') return `CAST(${value} AS DOUBLE)`
  return valueSql(value)
}

/** Computed wide, so that nothing fails on the way; what is beyond exact becomes the mark. */
function arithmeticSql({ op, left, right, type }: Expression & { op: 'plus' | 'minus' | 'times' }): string {
  const [a, b] = [expressionSql(left), expressionSql(right)]
  if (type.kind === 'float64') {
    const made = `CAST(${a} AS DOUBLE) ${signs[op]} CAST(${b} AS DOUBLE)`
    return `(CASE WHEN isfinite(${made}) THEN ${made} + 0.0 WHEN (${made}) IS NOT NULL THEN CAST('Infinity' AS DOUBLE) END)`
  }
  const made = `CAST(${a} AS HUGEINT) ${signs[op]} ${b}`
  const marked = [left, right].filter(isArithmetic).map((side) => `${expressionSql(side)} = ${overflowed}`)
  const exact = `${made} BETWEEN -${exactMax} AND ${exactMax}`
  const fits = marked.length === 0 ? exact : `NOT (${marked.join(' OR ')}) AND ${exact}`
  return `(CASE WHEN ${fits} THEN CAST(${made} AS BIGINT) WHEN (${made}) IS NOT NULL THEN ${overflowed} END)`
}
export function isArithmetic(expression: Expression): boolean {
  return expression.op === 'plus' || expression.op === 'minus' || expression.op === 'times'
}

/** True where a derived value is the mark of an overflow. */
export function isOverflow(column: string, value: Expression): string | null {
  if (!isArithmetic(value)) return null
  return typeOf(value).kind === 'float64' ? `isinf(${column})` : `${column} = ${overflowed}`
}
