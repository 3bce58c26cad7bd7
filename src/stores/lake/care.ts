// Care of the lake: small files of an event date become one, files past their time go, and what lies there is held against
// the manifest.
import { assert } from '../../std/assert.ts'
import { copySql } from './files/layer-sql.ts'
import { type LakeFile, type Layer, layers, type OffsetSpan, pathOf } from './files/manifest.ts'
import { fileName } from './files/write-batch.ts'
import type { Lake } from './lake.ts'

export interface CompactSettings {
  /** So many small files of one event date are made one … */
  readonly filesMin: number
  /** … where small is below this. */
  readonly smallBytes: number
  /** One of them is at most about this large. */
  readonly bytesMax: number
}
export const compactDefaults: CompactSettings = { filesMin: 8, smallBytes: 32 << 20, bytesMax: 128 << 20 }

const limits = { timeMsMax: 10 * 60_000, rowsMax: 1 }
const dayMs = 24 * 3600_000

const groupOf = ({ layer, topic, dt }: LakeFile): string => `${layer}/${topic}/${dt}`

/** Of one topic or all; returns how many files became how many. */
export async function compact(
  lake: Lake,
  { filesMin, smallBytes, bytesMax }: CompactSettings,
  topic: string | null = null,
): Promise<{ readonly before: number; readonly after: number }> {
  const done = { before: 0, after: 0 }
  const small = lake
    .manifest()
    .files.filter((file) => file.bytes < smallBytes && (topic === null || file.topic === topic))
  for (const group of Map.groupBy(small, groupOf).values()) {
    if (group.length < filesMin) continue
    for (const some of inPieces(group, bytesMax)) {
      if (some.length < 2) continue
      const first = some[0]!
      const from = `${lake.workFolder}/compact.parquet.tmp`
      const rows = some.reduce((sum, file) => sum + file.rows, 0)
      await lake.duckdb.run([copySql(`SELECT * FROM ${lake.rowsOf(some)} ORDER BY _partition, _offset`, from)], limits)
      const counted = await lake.duckdb.run(
        [`SELECT count(*) FROM read_parquet('${from.replaceAll("'", "''")}')`],
        limits,
      )
      assert(Number(counted.rows[0]?.[0]) === rows, `compacting ${groupOf(first)} lost rows`)
      const [sealed] = await lake.duckdb.seal([from], true)
      assert(sealed !== undefined, 'one file was to be sealed')
      const ranges = joined(some.flatMap((file) => file.ranges))
      const { layer, topic, dt } = first
      const file = {
        layer,
        topic,
        dt,
        name: fileName(ranges),
        ranges,
        rows,
        bytes: sealed.sizeBytes,
        sha256: sealed.sha256,
      }
      await lake.settle([{ from, file }])
      await lake.replace(some, [file])
      done.before += some.length
      done.after++
    }
  }
  return done
}

function* inPieces(files: readonly LakeFile[], bytesMax: number): Generator<LakeFile[]> {
  let some: LakeFile[] = []
  let bytes = 0
  for (const file of files) {
    if (some.length > 0 && bytes + file.bytes > bytesMax) {
      yield some
      some = []
      bytes = 0
    }
    some.push(file)
    bytes += file.bytes
  }
  yield some
}

/** By partition and offset, those that meet made one. */
export function joined(spans: readonly OffsetSpan[]): OffsetSpan[] {
  const made: [number, number, number][] = []
  for (const [partition, from, to] of spans.toSorted((a, b) => a[0] - b[0] || a[1] - b[1])) {
    const last = made.at(-1)
    if (last !== undefined && last[0] === partition && from <= last[2]) last[2] = Math.max(last[2], to)
    else made.push([partition, from, to])
  }
  return made
}

/** Days of event time that a layer keeps; null: all of them. */
export type Retention = Readonly<Record<Layer, number | null>>
export const keepAll: Retention = { bronze: null, silver: null, gold: null }

/** Files whose event date lies further back than their layer keeps leave the manifest; returns them. */
export async function expire(lake: Lake, nowMs: number, retention: Retention): Promise<readonly LakeFile[]> {
  const gone = lake.manifest().files.filter(({ layer, dt }) => {
    const days = retention[layer]
    return days !== null && Date.parse(`${dt}T00:00:00Z`) + dayMs < nowMs - days * dayMs
  })
  if (gone.length > 0) await lake.replace(gone, [])
  return gone
}

export interface Finding {
  readonly path: string
  readonly problem: string
}
/** Every file of the manifest is there, as long and of the hash it had, with its rows, and no two hold the same offsets. */
export async function verify(lake: Lake, exists: (path: string) => boolean): Promise<readonly Finding[]> {
  const { files } = lake.manifest()
  const found: Finding[] = []
  for (const file of files) {
    const path = pathOf(file)
    const problem = (text: string): void => void found.push({ path, problem: text })
    const absolute = lake.absolute(file)
    if (!exists(absolute)) {
      problem('it is not there')
      continue
    }
    const [sealed] = await lake.duckdb.seal([absolute], false)
    if (sealed?.sizeBytes !== file.bytes) problem(`it has ${sealed?.sizeBytes} bytes, not ${file.bytes}`)
    else if (sealed.sha256 !== file.sha256) problem('its SHA-256 is another one: its bytes have changed')
    else {
      const counted = await lake.duckdb.run([`SELECT count(*) FROM ${lake.rowsOf([file])}`], limits)
      if (Number(counted.rows[0]?.[0]) !== file.rows) problem(`it has ${counted.rows[0]?.[0]} rows, not ${file.rows}`)
    }
  }
  for (const [group, some] of Map.groupBy(files, groupOf)) {
    const spans = some.flatMap(({ ranges }) => ranges).toSorted((a, b) => a[0] - b[0] || a[1] - b[1])
    for (const [i, [partition, from]] of spans.entries()) {
      const before = spans[i - 1]
      if (before !== undefined && before[0] === partition && before[2] > from)
        found.push({ path: group, problem: `offsets of partition ${partition} from ${from} on are in two files` })
    }
  }
  return found
}

export interface LayerTotal {
  readonly layer: Layer
  readonly topic: string
  readonly files: number
  readonly rows: number
  readonly bytes: number
  readonly from: string
  readonly to: string
}
/** Of each layer and topic: files, rows, bytes, event dates. */
export function totals(files: readonly LakeFile[]): LayerTotal[] {
  return [...Map.groupBy(files, ({ layer, topic }) => `${layer}/${topic}`).values()]
    .map((some) => {
      const { layer, topic } = some[0]!
      const dates = some.map(({ dt }) => dt).sort()
      return {
        layer,
        topic,
        files: some.length,
        rows: some.reduce((sum, file) => sum + file.rows, 0),
        bytes: some.reduce((sum, file) => sum + file.bytes, 0),
        from: dates[0]!,
        to: dates.at(-1)!,
      }
    })
    .sort((a, b) => layers.indexOf(a.layer) - layers.indexOf(b.layer) || (a.topic < b.topic ? -1 : 1))
}
