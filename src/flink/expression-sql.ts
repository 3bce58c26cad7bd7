// Expressions of a Plan as Flink SQL over held values. SQL's three values are the Plan's; texts compare by bytes in both.
// Flink's BIGINT wraps silently, so arithmetic is done in DECIMAL: two factors of 19 digits fit 38.
import type { FieldType } from '../query/contract.ts'
import { type Expression, PlanError, partsOf, typeOf } from '../query/plan.ts'
import { unreachable } from '../std/assert.ts'
import { dateText } from '../std/instant.ts'
import { ratioSql } from './ratio-sql.ts'
import { heldAs, name, scaleOf, text } from './sql-text.ts'

const signs = { plus: '+', minus: '-', times: '*' } as const

export function expressionSql(expression: Expression): string {
  switch (expression.op) {
    case 'column':
      return name(expression.name)
    case 'literal':
      return expression.value === null
        ? `CAST(NULL AS ${heldAs(expression.type)})`
        : valueSql(expression.value, expression.type)
    case 'plus':
    case 'minus':
    case 'times': {
      const wide = expression.type.kind === 'float64' ? 'DOUBLE' : 'DECIMAL(19, 0)'
      const [left, right] = [expression.left, expression.right].map((side) => `CAST(${expressionSql(side)} AS ${wide})`)
      return `(${left} ${signs[expression.op]} ${right})`
    }
    case 'compare': {
      const by = expression.by === '!=' ? '<>' : expression.by
      return `(${expressionSql(expression.left)} ${by} ${expressionSql(expression.right)})`
    }
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
    case 'least':
    case 'greatest':
      // Null if any is, as here.
      return `${expression.op.toUpperCase()}(${expression.of.map(expressionSql).join(', ')})`
    case 'absolute':
      return `ABS(${expressionSql(expression.of)})`
    case 'modulo': {
      const [a, b] = [expressionSql(expression.left), expressionSql(expression.right)]
      return `(CASE WHEN ${b} <> 0 THEN MOD(${a}, ${b}) END)`
    }
    case 'ratio': {
      const { left, right, type } = expression
      const shift = scaleOf(type) - scaleOf(typeOf(left)) + scaleOf(typeOf(right))
      return `(${ratioSql(expressionSql(left), expressionSql(right), shift)})`
    }
    case 'divide': {
      const [a, b] = [expressionSql(expression.left), expressionSql(expression.right)]
      return `(CASE WHEN ${b} <> 0 THEN ${a} / ${b} END)`
    }
    case 'to-float':
      return `(CAST(${expressionSql(expression.of)} AS DOUBLE) / ${10 ** scaleOf(typeOf(expression.of))})`
    case 'ln':
    case 'sqrt': {
      const of = expressionSql(expression.of)
      return `(CASE WHEN ${of} ${expression.op === 'ln' ? '>' : '>='} 0 THEN ${expression.op.toUpperCase()}(${of}) END)`
    }
    case 'exp':
      return `EXP(${expressionSql(expression.of)})`
    case 'time-part':
      return timePartSql(expression)
    case 'not':
      return `(NOT ${expressionSql(expression.of)})`
    case 'is-null':
      return `(${expressionSql(expression.of)} IS NULL)`
    case 'starts-with':
      // LEFT counts characters, not bytes or halves of them.
      return `(LEFT(${expressionSql(expression.of)}, ${[...expression.prefix].length}) = ${text(expression.prefix)})`
    case 'one-of': {
      const of = expressionSql(expression.of)
      const type = typeOf(expression.of)
      if (expression.values.length === 0) return `(CASE WHEN ${of} IS NOT NULL THEN FALSE END)`
      return `(${of} IN (${expression.values.map((value) => valueSql(value, type)).join(', ')}))`
    }
    default:
      return unreachable(expression)
  }
}

export function valueSql(value: string | number | boolean, type: FieldType): string {
  switch (heldAs(type)) {
    case 'STRING':
      return text(String(value))
    case 'BOOLEAN':
      return value === true || value === 1 ? 'TRUE' : 'FALSE'
    case 'DATE':
      return `DATE '${typeof value === 'number' ? dateText(value) : String(value)}'`
    case 'DOUBLE':
      return `CAST(${String(value)} AS DOUBLE)`
    default:
      return `CAST(${String(value)} AS BIGINT)`
  }
}

/** The session's zone is UTC (`options` of `flinkSql`). */
function timePartSql({ of, part, zone }: Expression & { op: 'time-part' }): string {
  const isDate = typeOf(of).kind === 'date'
  if (!isDate && zone !== 'UTC' && zone !== 'Etc/UTC')
    throw new PlanError('', part, `parts of times in zone '${zone}' have no Flink SQL yet`, 'Use UTC')
  const at = isDate ? expressionSql(of) : `CAST(TO_TIMESTAMP_LTZ(${expressionSql(of)}, 3) AS TIMESTAMP(3))`
  // Sunday is 1 there.
  const weekday = `(MOD(DAYOFWEEK(CAST(${at} AS DATE)) + 5, 7) + 1)`
  switch (part) {
    case 'day-of-week':
      return weekday
    case 'hour-of-week':
      return `((${weekday} - 1) * 24 + EXTRACT(HOUR FROM ${at}))`
    case 'day-of-year':
      return `EXTRACT(DOY FROM ${at})`
    case 'year':
    case 'month':
    case 'day':
    case 'hour':
    case 'minute':
    case 'second':
      return `EXTRACT(${part.toUpperCase()} FROM ${at})`
    default:
      return unreachable(part)
  }
}

/** Computed exactly as DECIMAL, so that it has to be held to what fits BIGINT and is exact. */
export function isWide(expression: Expression): boolean {
  switch (expression.op) {
    case 'plus':
    case 'minus':
    case 'times':
    case 'ratio':
      return true
    case 'when':
      return [...expression.branches.map(({ value }) => value), expression.otherwise].some(isWide)
    case 'coalesce':
    case 'least':
    case 'greatest':
    case 'absolute':
    case 'modulo':
      return partsOf(expression).some(isWide)
    default:
      return false
  }
}
