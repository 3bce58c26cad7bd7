// A batch on its way from the spool to finished files in the work folder: by layer, event date and partition.
import { hash } from 'node:crypto'
import { assert } from '../../../std/assert.ts'
import type { Batch, Lake } from '../lake.ts'
import { name, text } from '../sql-text.ts'
import { bronzeColumnsSql, copySql, parquetSql, spoolSql, typedSql } from './layer-sql.ts'
import type { LakeFile, Layer, OffsetSpan } from './manifest.ts'

export interface MadeFile {
  readonly from: string
  readonly file: LakeFile
}

const writeMsMax = 10 * 60_000
/** Files of one batch; more event dates than that are beyond any use of partitions. */
const filesMax = 20_000
/** How far back in the files of an event date a record is looked for that came before under the same identity. */
const identityRowsMax = 4_000_000

export function sameSpans(one: readonly OffsetSpan[], other: readonly OffsetSpan[]): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

const twelve = (offset: number): string => String(offset).padStart(12, '0')
/** By partition and offsets; where that is too long for a name, by their hash. */
export function fileName(spans: readonly OffsetSpan[]): string {
  const plain = spans.map(([partition, from, to]) => `p${partition}-${twelve(from)}-${twelve(to - 1)}`).join('_')
  return `${plain.length <= nameBytesMax ? plain : `h-${hash('sha256', plain, 'hex').slice(0, 32)}`}.parquet`
}
const nameBytesMax = 200
/** Partitions of an event date share a file as long as it has no more rows than this. */
const sharedRowsMax = 50_000

interface Part {
  readonly layer: Layer
  readonly dt: string
  readonly spans: readonly OffsetSpan[]
  readonly rows: number
  readonly select: string
}

export async function writeBatch(lake: Lake, { topic, ranges, spool }: Batch): Promise<MadeFile[]> {
  if (spool.records === 0) return []
  const { duckdb } = lake
  const limits = { timeMsMax: writeMsMax, rowsMax: filesMax }
  const { typed } = topic
  await duckdb.run([`CREATE OR REPLACE TEMP TABLE taken AS ${spoolSql(spool)}`], limits)
  if (typed !== null) {
    const from = typed.rows === 'all' ? withoutTombstones : 'taken'
    await duckdb.run([`CREATE OR REPLACE TEMP TABLE typed AS ${typedSql(typed.contract, from)}`], limits)
  }
  const arrived = `strftime(_arrival, '%Y-%m-%d')`
  const dated =
    typed === null
      ? `SELECT *, ${arrived} AS _dt FROM taken`
      : `SELECT k.*, coalesce(t._dt, ${arrived.replace('_arrival', 'k._arrival')}) AS _dt FROM taken AS k LEFT JOIN (SELECT _partition, _offset, _dt FROM typed) AS t USING (_partition, _offset)`
  const groups = async (
    from: string,
  ): Promise<{ readonly dt: string; readonly partition: number; readonly rows: number }[]> => {
    const counted = await duckdb.run(
      [`SELECT _dt, _partition, count(*) FROM ${from} GROUP BY ALL ORDER BY ALL`],
      limits,
    )
    assert(!counted.truncated, `a batch of ${topic.topic} is of more than ${filesMax} event dates`)
    return counted.rows.map(([dt, partition, rows]) => ({
      dt: String(dt),
      partition: Number(partition),
      rows: Number(rows),
    }))
  }
  const spanOf = (partition: number): OffsetSpan => {
    const span = ranges.find(([one]) => one === partition)
    assert(span !== undefined, `a record of partition ${partition} of ${topic.topic} is in no range of its batch`)
    return span
  }
  // Then each file is made of a few row groups instead of a look at all of them.
  const isOfMany = async (table: string): Promise<boolean> =>
    Number((await duckdb.run([`SELECT count(DISTINCT _dt) FROM ${table}`], limits)).rows[0]?.[0]) > 4
  const inOrder = 'ORDER BY _dt, _partition, _offset'
  const parts: Part[] = []
  const add = async (layer: Layer, from: string, columns: string): Promise<void> => {
    const ofDates = Map.groupBy(await groups(from), ({ dt }) => dt)
    for (const [dt, each] of ofDates) {
      const all = each.reduce((sum, { rows }) => sum + rows, 0)
      for (const some of all <= sharedRowsMax ? [each] : each.map((one) => [one]))
        parts.push({
          layer,
          dt,
          spans: some.map(({ partition }) => spanOf(partition)),
          rows: some.reduce((sum, { rows }) => sum + rows, 0),
          select:
            `SELECT ${columns} FROM ${from} WHERE _dt = ${text(dt)} ` +
            `AND _partition IN (${some.map(({ partition }) => partition).join(', ')}) ORDER BY _partition, _offset`,
        })
    }
  }
  if (topic.bronze) {
    await duckdb.run([`CREATE OR REPLACE TEMP TABLE dated AS ${dated}`], limits)
    if (await isOfMany('dated'))
      await duckdb.run([`CREATE OR REPLACE TEMP TABLE dated AS SELECT * FROM dated ${inOrder}`], limits)
    await add('bronze', 'dated', bronzeColumnsSql)
  }
  if (typed !== null) {
    if (typed.rows === 'valid') await dropRepeats(lake, topic.topic, typed.layer, typed.contract.identity ?? null)
    else {
      const rest = `SELECT t.* EXCLUDE (_dt, _partition, _offset, _arrival), k._key, k._value IS NULL AND k._value_bytes IS NULL AS _deleted, k._partition, k._offset, k._arrival, coalesce(t._dt, ${arrived.replace('_arrival', 'k._arrival')}) AS _dt FROM taken AS k LEFT JOIN typed AS t USING (_partition, _offset)`
      await duckdb.run([`CREATE OR REPLACE TEMP TABLE typed AS ${rest}`], limits)
    }
    if (await isOfMany('typed'))
      await duckdb.run([`CREATE OR REPLACE TEMP TABLE typed AS SELECT * FROM typed ${inOrder}`], limits)
    await add(typed.layer, 'typed', '* EXCLUDE (_dt)')
  }
  const paths = parts.map((_, i) => `${lake.workFolder}/${i}.parquet.tmp`)
  // A few hundred statements at a time: the list of them is not a message without end.
  for (let at = 0; at < parts.length; at += 256) {
    const some = parts.slice(at, at + 256)
    await duckdb.run(
      some.map(({ select }, i) => copySql(select, paths[at + i]!)),
      limits,
    )
  }
  await duckdb.run(
    ['taken', 'typed', 'dated'].map((table) => `DROP TABLE IF EXISTS ${table}`),
    limits,
  )
  const sealed = await duckdb.seal(paths, true)
  return parts.map(({ layer, dt, spans, rows }, i) => ({
    from: paths[i]!,
    file: {
      layer,
      topic: topic.topic,
      dt,
      name: fileName(spans),
      ranges: spans,
      rows,
      bytes: sealed[i]!.sizeBytes,
      sha256: sealed[i]!.sha256,
    },
  }))
}

const withoutTombstones = '(SELECT * FROM taken WHERE _value IS NOT NULL)'

/** Of records with one identity the first counts, within the batch and within what is there of the same event dates. */
async function dropRepeats(lake: Lake, topic: string, layer: Layer, identity: string | null): Promise<void> {
  if (identity === null) return
  const limits = { timeMsMax: writeMsMax, rowsMax: filesMax }
  const id = name(identity)
  const dates = await lake.duckdb.run([`SELECT DISTINCT _dt FROM typed`], limits)
  const wanted = new Set(dates.rows.map(([dt]) => String(dt)))
  const before: LakeFile[] = []
  let rows = 0
  for (const file of lake.files(layer, topic).toReversed()) {
    if (!wanted.has(file.dt)) continue
    rows += file.rows
    if (rows > identityRowsMax) break
    before.push(file)
  }
  await lake.duckdb.run(
    [
      `DELETE FROM typed WHERE rowid NOT IN (SELECT arg_min(rowid, (_arrival, _partition, _offset)) FROM typed WHERE ${id} IS NOT NULL GROUP BY ${id}) AND ${id} IS NOT NULL`,
      ...(before.length === 0
        ? []
        : [`DELETE FROM typed WHERE ${id} IN (SELECT ${id} FROM ${parquetSql(before.map(lake.absolute))})`]),
    ],
    limits,
  )
}
