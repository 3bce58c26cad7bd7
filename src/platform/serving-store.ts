// The serving store as part of the house: which tables there are, the sink that fills them, what people see of it.
import { contracts } from '../commerce/commerce.ts'
import { type ServingSink, startServingSink } from '../connect/serving-sink.ts'
import type { Log } from '../log/log.ts'
import type { Component, TablesPort } from '../serve/ports.ts'
import {
  openServing,
  rowsMax,
  type ServedRow,
  type ServingColumn,
  ServingError,
  type ServingPlace,
  type ServingTable,
  tableOfContract,
  tableOfPlan,
} from '../stores/serving.ts'
import type { World } from '../world/world.ts'
import { publishedPlans } from './jobs.ts'

/** A table for each result topic: of the pipelines that are published, and of the records reactions write. */
export function servedTables(): readonly ServingTable[] {
  const tables = publishedPlans().map(tableOfPlan)
  const topics = new Set(tables.map(({ topic }) => topic))
  for (const contract of contracts.values()) {
    if (contract.origin === 'result' && !topics.has(contract.topic)) tables.push(tableOfContract(contract))
  }
  return tables.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

export interface Serving {
  readonly sink: ServingSink
  component(): Component
  readonly tables: TablesPort
}

export function startServing(world: World, log: Log, place: ServingPlace, tell: (line: string) => void): Serving {
  const tables = servedTables()
  const sink = startServingSink(world, log, () => openServing(world, place, tell), tables)
  const name = place.kind === 'postgres' ? 'PostgreSQL' : 'SQLite'
  let dead = false
  void sink.failed.then(() => {
    dead = true
  })
  return {
    sink,
    component() {
      const trouble = sink.trouble()
      const { refused, missed } = sink.counts()
      const behind = sink.behind()
      const notes = [
        `${tables.length} tables in ${name}`,
        behind === 0 ? 'up to date' : `${behind} records behind`,
        ...(refused > 0 ? [`${refused} records were no rows`] : []),
        ...(missed > 0 ? [`${missed} records were gone before they were read`] : []),
      ]
      const state = dead ? 'down' : trouble !== null ? 'degraded' : sink.store() === null ? 'starting' : 'ok'
      return { name: 'serving', state, detail: trouble?.message ?? notes.join(', ') }
    },
    tables: tablesPort(sink, tables),
  }
}

function tablesPort(sink: ServingSink, tables: readonly ServingTable[]): TablesPort {
  const byName = new Map(tables.map((table) => [table.name, table]))
  return {
    rowsMax,
    list: () =>
      tables.map(({ name, topic, time, columns }) => ({ name, topic, time, columns: columns.map(columnInfo) })),
    async rows({ table: name, where, after, limit }) {
      const table = byName.get(name)
      const store = sink.store()
      if (table === undefined) return null
      if (store === null) throw new ServingError('the serving store is not open yet', { isTransient: true })
      const rows = await store.rows({ table, where, after, limit })
      return rows.map((row) =>
        Object.fromEntries(Object.entries(row).map(([column, cell]) => [column, jsonOf(table, column, cell)])),
      )
    },
  }
}

function columnInfo({
  name,
  type,
  nullable,
}: ServingColumn): ReturnType<TablesPort['list']>[number]['columns'][number] {
  const money = type.kind === 'minor' ? { scale: type.scale, currency: type.currency } : { scale: null, currency: null }
  return { name, type: type.kind === 'minor' ? 'integer' : type.kind, nullable, ...money }
}

/** Whole numbers beyond 2^53 as text: JSON's readers would round them. */
function jsonOf(table: ServingTable, column: string, cell: ServedRow[string] | undefined): unknown {
  if (cell === undefined) return null
  if (typeof cell === 'bigint') return cell.toString()
  const isJson = column === '_evidence' || table.columns.find(({ name }) => name === column)?.type.kind === 'json'
  return isJson && typeof cell === 'string' ? JSON.parse(cell) : cell
}
