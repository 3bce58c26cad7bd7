// The lake: Parquet files of bronze, silver and gold, written by DuckDB in its process, committed by manifest, each offset
// exactly once whatever dies when (reliability: Parquet).
//
//   <folder>/<layer>/topic=<topic>/dt=<event date>/p<partition>-<first>-<last>.parquet   of one batch of one partition
//                                                  c<version>.parquet                    of several, compacted
//   <folder>/manifest/<version>.json   what counts      <folder>/writing.json   the ranges that are being written
//   <folder>/work/                     unfinished files <folder>/trash/         replaced or left over, for a day
//
// A batch: its ranges are written down durably, so that after a crash the same ranges give the same files; DuckDB writes the
// files into work/, they are synced, renamed to their place, their folders synced, and the manifest says so.
import type { Contract } from '../../query/contract.ts'
import { assert } from '../../std/assert.ts'
import type { World } from '../../world/world.ts'
import { type DuckDb, type DuckDbSettings, openDuckDb } from './duckdb/duckdb.ts'
import { makeFolders, readBytes, writeDurably } from './files/durable-files.ts'
import { parquetSql } from './files/layer-sql.ts'
import {
  type LakeFile,
  type Layer,
  type Manifest,
  type OffsetSpan,
  pathOf,
  placeOf,
  readManifest,
  writeManifest,
} from './files/manifest.ts'
import type { Spool } from './files/spool.ts'
import { sameSpans, writeBatch } from './files/write-batch.ts'
import { LakeError } from './lake-error.ts'

/** What a topic leaves in the lake. */
export interface LakeTopic {
  readonly topic: string
  /** As received. */
  readonly bronze: boolean
  /** In columns; null: nothing is known of them. */
  readonly typed: {
    readonly layer: 'silver' | 'gold'
    readonly contract: Contract
    /** `valid`: what breaks the contract is left out, and what came before under the same identity. `all`: a row for each record. */
    readonly rows: 'valid' | 'all'
  } | null
}

export interface LakeSettings {
  readonly folder: string
  readonly duckdb: Omit<DuckDbSettings, 'spillFolder'>
  /** For those who only look, beside whoever may be at work on it: nothing is changed, nothing may be written. */
  readonly readOnly?: boolean
}

export interface Batch {
  readonly topic: LakeTopic
  readonly ranges: readonly OffsetSpan[]
  readonly spool: Spool
}

export interface Lake {
  readonly folder: string
  readonly duckdb: DuckDb
  manifest(): Manifest
  place(topic: string, partition: number): number
  /** Ranges that were being written when the last owner died; they are to be written before all others of their topic. */
  unfinished(): { readonly topic: string; readonly ranges: readonly OffsetSpan[] } | null
  /** Where the spool of the next batch belongs. */
  readonly workFolder: string
  /** Resolves when each record of the ranges is in the lake, durably. Rejects with OVERLAP if one was before. */
  write(batch: Batch): Promise<readonly LakeFile[]>
  /** Puts other files in the place of some, or drops them (`added` empty), durably. */
  replace(gone: readonly LakeFile[], added: readonly LakeFile[]): Promise<void>
  /** Brings finished files of the work folder to their places: name by name. */
  settle(files: readonly { readonly from: string; readonly file: LakeFile }[]): Promise<void>
  files(layer: Layer, topic: string): readonly LakeFile[]
  absolute(file: LakeFile): string
  /** What may stand behind FROM to read these. */
  rowsOf(files: readonly LakeFile[]): string
  close(): Promise<void>
}

const trashMsMax = 24 * 3600_000

/** Only one process may have a lake's folder open; whoever holds the data directory does. */
export function openLake(world: World, settings: LakeSettings): Lake {
  const { fs } = world
  const { folder } = settings
  const manifestFolder = `${folder}/manifest`
  // Of this life only: what a process of an earlier one may still be writing is in another.
  const workFolder = `${folder}/work/${world.host.pid}-${world.clock.nowMs()}`
  const trash = `${folder}/trash`
  const writing = `${folder}/writing.json`
  const readOnly = settings.readOnly ?? false
  if (!readOnly) {
    fs.removeTree(`${folder}/work`)
    for (const each of [manifestFolder, workFolder, trash]) makeFolders(fs, each)
  }
  const duckdb = openDuckDb(world, { ...settings.duckdb, spillFolder: readOnly ? null : `${workFolder}/spill` })
  let current = readManifest(world, manifestFolder)
  const absolute = (file: LakeFile): string => `${folder}/${pathOf(file)}`

  const intended = (): {
    readonly after: number
    readonly topic: string
    readonly ranges: readonly OffsetSpan[]
  } | null => {
    if (fs.stat(writing) === null) return null
    const read = JSON.parse(new TextDecoder().decode(readBytes(fs, writing)))
    return read.after === current.version ? read : null
  }
  const discard = (path: string): void => {
    if (fs.stat(path) === null) return
    const kept = `${trash}/${world.clock.nowMs()}-${path.slice(folder.length + 1).replaceAll('/', '~')}`
    fs.rename(path, kept)
  }
  const emptyTrash = (): void => {
    for (const name of fs.list(trash))
      if (Number(/^\d+/.exec(name)?.[0] ?? 0) < world.clock.nowMs() - trashMsMax) fs.unlink(`${trash}/${name}`)
  }
  const commit = async (next: Omit<Manifest, 'version'>): Promise<void> => {
    assert(!readOnly, 'who only looks at a lake writes nothing')
    const manifest = { ...next, version: current.version + 1 }
    await writeManifest(world, manifestFolder, manifest)
    current = manifest
  }

  const lake: Lake = {
    folder,
    duckdb,
    workFolder,
    manifest: () => current,
    place: (topic, partition) => placeOf(current, topic, partition),
    unfinished: intended,
    absolute,
    files: (layer, topic) => current.files.filter((file) => file.layer === layer && file.topic === topic),
    rowsOf: (files) => parquetSql(files.map(absolute)),
    async write(batch) {
      const { topic, ranges } = batch
      for (const [partition, from] of ranges) {
        const place = placeOf(current, topic.topic, partition)
        if (from < place)
          throw new LakeError(
            'OVERLAP',
            `${topic.topic}/${partition} is in the lake up to offset ${place}; records from ${from} on were to be written again`,
          )
      }
      const before = intended()
      if (before === null || before.topic !== topic.topic || !sameSpans(before.ranges, ranges)) {
        const words = JSON.stringify({ after: current.version, topic: topic.topic, ranges })
        await writeDurably(fs, writing, new TextEncoder().encode(words))
      }
      const made = await writeBatch(lake, batch)
      await lake.settle(made)
      const places = { ...(Object.hasOwn(current.places, topic.topic) ? current.places[topic.topic] : {}) }
      for (const [partition, , to] of ranges) places[String(partition)] = to
      const added = made.map(({ file }) => file)
      await commit({ places: { ...current.places, [topic.topic]: places }, files: [...current.files, ...added] })
      return added
    },
    async replace(gone, added) {
      const names = new Set(gone.map(pathOf))
      await commit({
        places: current.places,
        files: [...current.files.filter((file) => !names.has(pathOf(file))), ...added],
      })
      for (const file of gone) discard(absolute(file))
      emptyTrash()
    },
    async settle(files) {
      const folders = new Set<string>()
      for (const { from, file } of files) {
        const to = absolute(file)
        const home = to.slice(0, to.lastIndexOf('/'))
        for (const changed of makeFolders(fs, home)) folders.add(changed)
        folders.add(home)
        fs.rename(from, to)
      }
      for (const each of folders) await fs.syncFolder(each)
    },
    close: () => duckdb.close(),
  }
  if (!readOnly) {
    sweep(lake, world, discard)
    emptyTrash()
  }
  return lake
}

/** Files that no manifest names: a crash left them. Those that are about to be written again are replaced then. */
function sweep(lake: Lake, world: World, discard: (path: string) => void): void {
  const { fs } = world
  const known = new Set(lake.manifest().files.map(pathOf))
  for (const layer of fs.list(lake.folder).filter((name) => /^(bronze|silver|gold)$/.test(name)))
    for (const topic of fs.list(`${lake.folder}/${layer}`))
      for (const dt of fs.list(`${lake.folder}/${layer}/${topic}`))
        for (const name of fs.list(`${lake.folder}/${layer}/${topic}/${dt}`)) {
          const path = `${layer}/${topic}/${dt}/${name}`
          if (!known.has(path)) discard(`${lake.folder}/${path}`)
        }
}
