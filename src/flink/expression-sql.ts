// Expressions of a Plan as Flink SQL over held values. SQL's three values are the Plan's; texts compare by bytes in both.
// Flink's BIGINT wraps silently, so arithmetic is done in DECIMAL: two factors of 19 digits fit 38.
import type { FieldType } from '../query/contract.ts'
import { type Expression, typeOf } from '../query/plan.ts'
import { unreachable } from '../std/assert.ts'
import { dateText } from '../std/instant.ts'
import { heldAs, name, text } from './sql-text.ts'

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
export function isArithmetic(expression: Expression): boolean {
  return expression.op === 'plus' || expression.op === 'minus' || expression.op === 'times'
}
