// The SQL console over the house: `lake.*` the files of the lake, `topic.*` the newest records of topics, `live.*` the figures
// of the page.
import { openBroker } from '../broker/broker.ts'
import { contracts } from '../commerce/commerce.ts'
import { spoolTopic } from '../connect/lake-feed.ts'
import type { Log } from '../log/log.ts'
import type { SqlPort } from '../serve/lake-ports.ts'
import { nearest } from '../std/nearest.ts'
import {
  type ConsoleTable,
  type Filling,
  LakeError,
  openConsole,
  spoolSql,
  tableName,
  tableSql,
  typedSql,
} from '../stores/stores.ts'
import type { World } from '../world/world.ts'
import { type LakeHouse, lakeTable, openLakeHouse } from './lake.ts'
import { writeText } from './small-files.ts'

/** By name: its columns with DuckDB's types, and its rows now. */
export type LiveTables = ReadonlyMap<
  string,
  { readonly columns: Readonly<Record<string, string>>; readonly rows: () => readonly object[] }
>
export interface HouseSql extends SqlPort {
  close(): Promise<void>
}

/** Of a topic, over all its partitions. */
const topicRecordsMax = 10_000

export function openSql(world: World, log: Log, house: LakeHouse, live: LiveTables): HouseSql {
  const console = openConsole(world)
  const unknown = (table: ConsoleTable, known: readonly string[]): LakeError => {
    const near = nearest(table.name, known)
    const hint =
      near === null ? `there is ${known.join(', ') || 'nothing yet'}` : `did you mean ${table.schema}.${near}?`
    return new LakeError('REFUSED', `there is no table ${table.schema}.${table.name}: ${hint}`)
  }
  const fillLake = async (table: ConsoleTable): Promise<Filling> => {
    const lake = house.lake()
    const tables = new Map(
      lake.manifest().files.map(({ layer, topic }) => [tableName(layer, topic).toLowerCase(), { layer, topic }]),
    )
    // Known topics are tables before the first of their files is there.
    for (const { name, internal } of log.topics())
      if (!internal)
        for (const layer of ['bronze', 'silver'] as const)
          if (layer === 'bronze' || contracts.has(name))
            tables.set(tableName(layer, name).toLowerCase(), { layer, topic: name })
    const found = tables.get(table.name)
    if (found === undefined) throw unknown(table, [...tables.keys()])
    const files = lake.files(found.layer, found.topic)
    return {
      setup: [
        `CREATE VIEW lake."${table.name}" AS SELECT * FROM ${tableSql(lake, lakeTable(found.layer, found.topic))}`,
      ],
      files: files.map(lake.absolute),
    }
  }
  const fillTopic = async (table: ConsoleTable): Promise<Filling> => {
    const names = log.topics().flatMap(({ name, internal }) => (internal ? [] : [name]))
    const topic = names.find((name) => tableName('bronze', name).slice('bronze_'.length).toLowerCase() === table.name)
    if (topic === undefined)
      throw unknown(
        table,
        names.map((name) => name.replaceAll(/[^A-Za-z0-9]/g, '_')),
      )
    const spool = await spoolTopic(world, log, topic, topicRecordsMax, `${house.lake().workFolder}/console`)
    const contract = contracts.get(topic)
    const raw = `CREATE TEMP TABLE spooled AS ${spoolSql(spool)}`
    const rows =
      contract === undefined
        ? 'SELECT * FROM spooled'
        : `SELECT * EXCLUDE (_dt) FROM (${typedSql(contract, 'spooled')})`
    return {
      setup: [raw, `CREATE TABLE topic."${table.name}" AS ${rows}`, 'DROP TABLE spooled'],
      files: [],
    }
  }
  const fillLive = async (table: ConsoleTable): Promise<Filling> => {
    const found = live.get(table.name)
    if (found === undefined) throw unknown(table, [...live.keys()])
    const path = `${house.lake().workFolder}/console-live.ndjson`
    writeText(
      world.fs,
      path,
      found
        .rows()
        .map((row) => `${JSON.stringify(row)}\n`)
        .join(''),
    )
    const columns = Object.entries(found.columns).map(([name, type]) => `"${name}": '${type}'`)
    const from = `read_json('${path.replaceAll("'", "''")}', format = 'newline_delimited', columns = {${columns.join(', ')}})`
    return { setup: [`CREATE TABLE live."${table.name}" AS SELECT * FROM ${from}`], files: [] }
  }
  return {
    async run(sql) {
      const startedMs = world.clock.monoMs()
      const rows = await console
        .ask(sql, async (tables) => {
          const filled: Filling[] = []
          for (const table of tables)
            filled.push(
              await (table.schema === 'lake' ? fillLake : table.schema === 'topic' ? fillTopic : fillLive)(table),
            )
          return { setup: filled.flatMap(({ setup }) => setup), files: filled.flatMap(({ files }) => files) }
        })
        .catch((error: unknown) => {
          if (
            error instanceof LakeError &&
            (error.code === 'REFUSED' || error.code === 'TOO_SLOW' || error.code === 'CRASHED')
          )
            return { refused: error.message, tooSlow: error.code !== 'REFUSED' }
          throw error
        })
      return 'refused' in rows ? rows : { ...rows, durationMs: world.clock.monoMs() - startedMs }
    },
    close: () => console.close(),
  }
}

/** One statement over a data directory that nobody holds: there are no live figures. */
export async function askStopped(world: World, dataDir: string, sql: string): ReturnType<SqlPort['run']> {
  const broker = await openBroker(world, { dataDir, durability: 'power' })
  const house = openLakeHouse(world, broker, { dataDir, follows: false })
  const console = openSql(world, broker, house, new Map())
  try {
    return await console.run(sql)
  } finally {
    await console.close()
    await house.stop()
    await broker.close()
  }
}
