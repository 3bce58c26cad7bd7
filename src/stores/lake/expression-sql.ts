// Expressions of a Plan as DuckDB SQL over held values: exact numbers are integers in minor units, times milliseconds.
// SQL's three values are the Plan's; texts compare by bytes in both.
import { type Expression, partsOf, typeOf } from '../../query/plan.ts'
import { unreachable } from '../../std/assert.ts'
import { exactMax, heldAs, name, scaleOf, text } from './sql-text.ts'

/** Stands for a result beyond what is exact, above every exact number; rows that derive it are left out. */
export const overflowed = '1152921504606846976'

/** The mark of floats. */
const infinity = "CAST('Infinity' AS DOUBLE)"

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
    case 'when': {
      const branches = expression.branches.map(
        ({ condition, value }) => `WHEN ${expressionSql(condition)} THEN ${expressionSql(value)}`,
      )
      return `(CASE ${branches.join(' ')} ELSE ${expressionSql(expression.otherwise)} END)`
    }
    case 'coalesce':
      return `coalesce(${expression.of.map(expressionSql).join(', ')})`
    case 'least':
    case 'greatest': {
      // DuckDB's own skip nulls.
      const of = expression.of.map(expressionSql)
      return `(CASE WHEN ${of.map((one) => `${one} IS NOT NULL`).join(' AND ')} THEN ${expression.op}(${of.join(', ')}) END)`
    }
    case 'absolute':
      return `abs(${expressionSql(expression.of)})`
    case 'modulo': {
      const [a, b] = [expressionSql(expression.left), expressionSql(expression.right)]
      return markedSql([expression.left, expression.right], `${a} IS NOT NULL AND ${b} <> 0`, `${a} % ${b}`)
    }
    case 'ratio':
      return quotientSql(expression)
    case 'divide': {
      const [a, b] = [expressionSql(expression.left), expressionSql(expression.right)]
      const marked = [expression.left, expression.right]
        .filter(mayOverflow)
        .map((side) => `isinf(${expressionSql(side)})`)
      const first =
        marked.length === 0 ? '' : `WHEN ${a} IS NOT NULL AND ${b} <> 0 AND (${marked.join(' OR ')}) THEN ${infinity} `
      return `(CASE ${first}WHEN ${b} <> 0 THEN ${finiteSql(`${a} / ${b}`)} END)`
    }
    case 'to-float': {
      const { of } = expression
      const unit = 10 ** scaleOf(typeOf(of))
      const made = `CAST(${expressionSql(of)} AS DOUBLE)${unit === 1 ? '' : ` / ${unit}`}`
      if (!mayOverflow(of)) return `(${made})`
      return `(CASE WHEN ${expressionSql(of)} = ${overflowed} THEN ${infinity} ELSE ${made} END)`
    }
    case 'ln':
    case 'sqrt': {
      const of = expressionSql(expression.of)
      return `(CASE WHEN ${of} ${expression.op === 'ln' ? '>' : '>='} 0 THEN ${expression.op}(${of}) END)`
    }
    case 'exp':
      return finiteSql(`exp(${expressionSql(expression.of)})`)
    case 'time-part':
      return timePartSql(expression)
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
    return finiteSql(`CAST(${a} AS DOUBLE) ${signs[op]} CAST(${b} AS DOUBLE)`)
  }
  const made = `CAST(${a} AS HUGEINT) ${signs[op]} ${b}`
  const marked = [left, right].filter(mayOverflow).map((side) => `${expressionSql(side)} = ${overflowed}`)
  const exact = `${made} BETWEEN -${exactMax} AND ${exactMax}`
  const fits = marked.length === 0 ? exact : `NOT (${marked.join(' OR ')}) AND ${exact}`
  return `(CASE WHEN ${fits} THEN CAST(${made} AS BIGINT) WHEN (${made}) IS NOT NULL THEN ${overflowed} END)`
}
/** The float, or the mark of floats where it is beyond them; -0 becomes 0. */
function finiteSql(made: string): string {
  return `(CASE WHEN isfinite(${made}) THEN (${made}) + 0.0 WHEN (${made}) IS NOT NULL THEN ${infinity} END)`
}
/** `made` under the condition, unless an operand is the mark: then the mark. */
function markedSql(operands: readonly Expression[], condition: string, made: string): string {
  const marked = operands.filter(mayOverflow).map((side) => `${expressionSql(side)} = ${overflowed}`)
  const first = marked.length === 0 ? '' : `WHEN ${condition} AND (${marked.join(' OR ')}) THEN ${overflowed} `
  return `(CASE ${first}WHEN ${condition} THEN ${made} END)`
}
/** left * 10^shift / right in whole numbers, half away from zero; null where the divisor is 0. */
function quotientSql({ left, right, type }: Expression & { op: 'ratio' }): string {
  const [a, b] = [expressionSql(left), expressionSql(right)]
  const shift = scaleOf(type) - scaleOf(typeOf(left)) + scaleOf(typeOf(right))
  const wide = (value: string, power: number): string =>
    `abs(CAST(${value} AS HUGEINT))${power > 0 ? ` * ${10n ** BigInt(power)}` : ''}`
  const [over, under] = [wide(a, shift), wide(b, -shift)]
  const size = `((2 * ${over} + ${under}) // (2 * ${under}))`
  const made = `CASE WHEN ${size} > ${exactMax} THEN ${overflowed} WHEN (${a} < 0) <> (${b} < 0) THEN -CAST(${size} AS BIGINT) ELSE CAST(${size} AS BIGINT) END`
  return markedSql([left, right], `${a} IS NOT NULL AND ${b} <> 0`, made)
}
function timePartSql({ of, part, zone }: Expression & { op: 'time-part' }): string {
  const held = expressionSql(of)
  const utc = `make_timestamp(CAST(${held} AS BIGINT) * ${typeOf(of).kind === 'date' ? 86_400_000_000 : 1000})`
  const isUtc = typeOf(of).kind === 'date' || zone === 'UTC' || zone === 'Etc/UTC'
  const local = isUtc ? utc : `((${utc} AT TIME ZONE 'UTC') AT TIME ZONE ${text(zone)})`
  switch (part) {
    case 'day-of-week':
      return `isodow(${local})`
    case 'day-of-year':
      return `dayofyear(${local})`
    case 'hour-of-week':
      return `((isodow(${local}) - 1) * 24 + hour(${local}))`
    case 'year':
    case 'month':
    case 'day':
    case 'hour':
    case 'minute':
    case 'second':
      return `${part}(${local})`
    default:
      return unreachable(part)
  }
}

/** May the value be the mark of an overflow? */
export function mayOverflow(expression: Expression): boolean {
  switch (expression.op) {
    case 'plus':
    case 'minus':
    case 'times':
    case 'ratio':
    case 'divide':
    case 'exp':
      return true
    case 'when':
      return [...expression.branches.map(({ value }) => value), expression.otherwise].some(mayOverflow)
    case 'coalesce':
    case 'least':
    case 'greatest':
    case 'absolute':
    case 'modulo':
    case 'to-float':
      return partsOf(expression).some(mayOverflow)
    default:
      return false
  }
}

/** True where a derived value is the mark of an overflow. */
export function isOverflow(column: string, value: Expression): string | null {
  if (!mayOverflow(value)) return null
  return typeOf(value).kind === 'float64' ? `isinf(${column})` : `${column} = ${overflowed}`
}
