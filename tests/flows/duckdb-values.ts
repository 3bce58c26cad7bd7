// Rows of two engines in one form: whole figures (minor units, ms, days) as bigint, whatever type they came in.
import { DuckDBDateValue, DuckDBDecimalValue, DuckDBTimestampValue } from '@duckdb/node-api'
import type { ResultBatch } from '../../src/engine/engine.ts'
import { resultRow } from '../../src/engine/engine.ts'
import type { Plan } from '../../src/query/plan.ts'

export type PlainValue = bigint | number | string | boolean | null
export type PlainRow = Readonly<Record<string, PlainValue>>

function resultTypes(plan: Plan): ReadonlyMap<string, string> {
  return new Map(plan.nodes.at(-1)?.columns.map(({ name, type }) => [name, type.kind]))
}

/** What the plan's DuckDB SQL gave; throws for a type it should not have given. */
export function duckRow(plan: Plan, row: Readonly<Record<string, unknown>>): PlainRow {
  const scales = new Map(plan.nodes.at(-1)?.columns.map(({ name, type }) => [name, 'scale' in type ? type.scale : 0]))
  const plain = (name: string, value: unknown): PlainValue => {
    if (value instanceof DuckDBDecimalValue) {
      if (value.scale !== scales.get(name)) throw new Error(`${name} has scale ${value.scale}`)
      return value.value
    }
    if (value instanceof DuckDBTimestampValue) return value.micros / 1000n
    if (value instanceof DuckDBDateValue) return BigInt(value.days)
    if (value === null || typeof value === 'bigint' || typeof value === 'number') return value
    if (typeof value === 'string' || typeof value === 'boolean') return value
    throw new Error(`${name} came as ${String(value)}`)
  }
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(name, value)]))
}

/** What the engine gave. */
export function engineRow(batch: ResultBatch, row: number): PlainRow {
  const types = resultTypes(batch.plan)
  const plain = ([name, value]: [string, PlainValue]): [string, PlainValue] => [
    name,
    typeof value === 'number' && types.get(name) !== 'float64' ? BigInt(value) : value,
  ]
  return Object.fromEntries(Object.entries(resultRow(batch, row)).map(plain))
}

/** For messages, and to compare without an order. */
export function rowText(row: PlainRow): string {
  return JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}` : value))
}
