// Result rows as people and topics read them: JSON with exact decimals, upsert keys, plain objects. No float maths.
import type { FieldType } from '../query/contract.ts'
import type { Output } from '../query/plan.ts'
import { assert, unreachable } from '../std/assert.ts'
import { decimalJson } from '../std/decimal.ts'
import { dateText, instantText } from '../std/instant.ts'
import type { ResultBatch, ResultColumn, ResultValue } from './engine.ts'
import { timings } from './results.ts'
import { LANE } from './sum-state.ts'

export function rowJson(batch: ResultBatch, row: number): string {
  const { output } = batch.plan
  let json = '{'
  for (const column of batch.columns) {
    if (json.length > 1) json += ','
    json += `${JSON.stringify(column.name)}:${valueJson(column, row, output)}`
  }
  if (output.finalColumn !== null) json += `,${JSON.stringify(output.finalColumn)}:${batch.final[row] === 1}`
  return `${json}}`
}

/** Columns of the upsert key; null for plans that append. */
export function upsertKey({ plan }: ResultBatch): readonly string[] | null {
  const changelog = plan.nodes[plan.nodes.length - 1]?.changelog
  return changelog?.mode === 'upsert' ? changelog.key : null
}
export function rowKey(batch: ResultBatch, row: number): string | null {
  const { plan } = batch
  const key = upsertKey(batch)
  if (key === null) return null
  const values = key.map((name) => {
    const column = batch.columns.find((one) => one.name === name)
    return column === undefined ? 'null' : keyJson(column, row, plan.output)
  })
  return `[${values.join(',')}]`
}

/** The column that the plan's output names as the key of its records. */
export function keyColumn({ plan, columns }: ResultBatch): (ResultColumn & { readonly kind: 'text' }) | null {
  const { key } = plan.output
  if (key === undefined) return null
  const column = columns.find(({ name }) => name === key)
  assert(column?.kind === 'text', `plan ${plan.name} has no text in its key ${key}`)
  return column
}
/** The key of a result record. */
export function keyText(batch: ResultBatch, row: number): string | null {
  const named = keyColumn(batch)
  return named === null ? rowKey(batch, row) : (named.values[row] ?? null)
}
/** The row as the value of a result record: with another member, and with its timing. */
export function recordJson(batch: ResultBatch, row: number, last: string): string {
  return `${rowJson(batch, row).slice(0, -1)}${last},"timing":"${timings[batch.timing[row]!]}"}`
}
/** `[[partition, first offset, last offset], …]`; of a plan over several topics each with its topic at the end. */
export function evidenceJson(batch: ResultBatch, row: number): string {
  const isOfSeveral = Object.keys(batch.plan.contracts).length > 1
  const spans = batch
    .evidence(row)
    .map(
      ({ topic, partition, offsetMin, offsetMax }) =>
        `[${partition},${offsetMin},${offsetMax}${isOfSeveral ? `,${JSON.stringify(topic)}` : ''}]`,
    )
  return `[${spans.join(',')}]`
}

/** As in the row, but never cut: windows that begin in one second are still different keys. */
export function keyJson(column: ResultColumn, row: number, output: Output): string {
  if (column.kind === 'number' && column.type.kind === 'timestamp') {
    const ms = column.values[row]!
    const isCut = Number.isFinite(ms) && ms % 1000 !== 0
    if (isCut && output.times === 'iso-seconds') return timeJson(ms, 'iso-milliseconds')
    if (isCut && output.times === 'epoch-seconds') return decimalJson(ms, 3)
  }
  return valueJson(column, row, output)
}

export function rowObject(batch: ResultBatch, row: number): { readonly [column: string]: ResultValue } {
  const object: { [column: string]: ResultValue } = {}
  for (const column of batch.columns) object[column.name] = valueAt(column, row)
  if (batch.plan.output.finalColumn !== null) object[batch.plan.output.finalColumn] = batch.final[row] === 1
  return object
}

function valueAt(column: ResultColumn, row: number): ResultValue {
  if (column.kind === 'text') return column.values[row] ?? null
  const value = column.values[row]!
  if (Number.isNaN(value)) return null
  if (column.type.kind === 'bool') return value === 1
  return wholeOf(column, row, value)
}

/** Both lanes together: a number while it is exact. */
function wholeOf(column: ResultColumn & { kind: 'number' }, row: number, value: number): number | bigint {
  const high = column.high?.[row] ?? 0
  if (high === 0) return value
  const whole = BigInt(high) * BigInt(LANE) + BigInt(value)
  return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole
}

export function valueJson(column: ResultColumn, row: number, output: Output): string {
  if (column.kind === 'text') return JSON.stringify(column.values[row] ?? null)
  const value = column.values[row]!
  if (Number.isNaN(value)) return 'null'
  return numberJson(column.type, wholeOf(column, row, value), output)
}

function numberJson(type: FieldType, value: number | bigint, output: Output): string {
  switch (type.kind) {
    case 'money':
    case 'decimal':
      return decimalJson(value, type.scale)
    case 'bool':
      return value === 1 ? 'true' : 'false'
    case 'timestamp':
      return timeJson(Number(value), output.times)
    case 'date':
      return `"${dateText(Number(value))}"`
    case 'int64':
    case 'float64':
      return String(value)
    default:
      return JSON.stringify(String(value))
  }
}

function timeJson(ms: number, times: Output['times']): string {
  switch (times) {
    case 'iso-seconds':
      return `"${instantText(ms)}"`
    case 'iso-milliseconds':
      return `"${instantText(ms, true)}"`
    case 'epoch-seconds':
      return String(Math.floor(ms / 1000))
    case 'epoch-milliseconds':
      return String(ms)
    default:
      return unreachable(times)
  }
}
