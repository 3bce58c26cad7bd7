// Rows of two engines in one form: whole figures (minor units, ms, days) as bigint, whatever type they came in.
import assert from 'node:assert/strict'
import { DuckDBDateValue, DuckDBDecimalValue, DuckDBTimestampValue } from '@duckdb/node-api'
import type { ResultBatch } from '../../src/engine/engine.ts'
import { resultRow } from '../../src/engine/engine.ts'
import type { Plan } from '../../src/query/plan.ts'
import { decimalJson } from '../../src/std/decimal.ts'
import { dateText, instantText } from '../../src/std/instant.ts'

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

/** DuckDB's row as the result topic carries it: JSON text, decimals digit by digit. */
export function carriedRow(plan: Plan, row: PlainRow): string {
  const { times, finalColumn } = plan.output
  const time = (ms: bigint): string => {
    if (times === 'epoch-milliseconds') return `${ms}`
    if (times === 'epoch-seconds') return `${Math.floor(Number(ms) / 1000)}`
    return JSON.stringify(instantText(Number(ms), times === 'iso-milliseconds'))
  }
  const members = (plan.nodes.at(-1)?.columns ?? []).map(({ name, type }) => {
    const value = row[name] ?? null
    const text =
      typeof value !== 'bigint'
        ? JSON.stringify(value)
        : type.kind === 'money' || type.kind === 'decimal'
          ? decimalJson(value, type.scale)
          : type.kind === 'timestamp'
            ? time(value)
            : type.kind === 'date'
              ? JSON.stringify(dateText(Number(value)))
              : `${value}`
    return `${JSON.stringify(name)}:${text}`
  })
  if (finalColumn !== null) members.push(`${JSON.stringify(finalColumn)}:true`)
  return `{${members.join(',')}}`
}

/** How far a float may be from the other engine's, as a share of it: what an aggregate states, else rounding. */
function toleranceOf(plan: Plan, column: string): number {
  const isQuantile = plan.nodes.some(
    (node) =>
      'aggregates' in node &&
      node.aggregates.some(({ name, aggregate }) => name === column && aggregate.function === 'quantile'),
  )
  return isQuantile ? 1 / 256 : 1e-9
}

/** The same rows, in any order; floats within their tolerance. */
export function sameRows(plan: Plan, found: readonly PlainRow[], expected: readonly PlainRow[], what: string): void {
  const floats = (plan.nodes.at(-1)?.columns ?? []).filter(({ type }) => type.kind === 'float64')
  const names = new Map(floats.map(({ name }) => [name, toleranceOf(plan, name)]))
  const split = (row: PlainRow): { exact: string; floats: readonly (number | null)[] } => ({
    exact: rowText(Object.fromEntries(Object.entries(row).filter(([name]) => !names.has(name)))),
    floats: [...names.keys()].map((name) => (row[name] === null ? null : Number(row[name]))),
  })
  const sorted = (rows: readonly PlainRow[]): ReturnType<typeof split>[] =>
    rows.map(split).sort((a, b) => (a.exact < b.exact ? -1 : a.exact > b.exact ? 1 : compareFloats(a.floats, b.floats)))
  const [a, b] = [sorted(found), sorted(expected)]
  assert.deepEqual(
    a.map(({ exact }) => exact),
    b.map(({ exact }) => exact),
    what,
  )
  const tolerances = [...names]
  a.forEach((row, i) => {
    row.floats.forEach((value, j) => {
      const other = b[i]!.floats[j]!
      const [name, tolerance] = tolerances[j]!
      const near =
        value === null || other === null
          ? value === other
          : Math.abs(value - other) <= tolerance * Math.max(Math.abs(value), Math.abs(other)) + 1e-12
      assert.ok(near, `${what}\n${row.exact}: ${name} is ${value}, not ${other}`)
    })
  })
}
function compareFloats(a: readonly (number | null)[], b: readonly (number | null)[]): number {
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] ?? Number.NEGATIVE_INFINITY, b[i] ?? Number.NEGATIVE_INFINITY]
    if (x !== y) return x - y
  }
  return 0
}
