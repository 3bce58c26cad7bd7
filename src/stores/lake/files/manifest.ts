// The manifest: which files the lake has, and up to where each partition is in it. Readers use nothing else.
//
//   manifest/000000000042.json  (version 42; changing this needs a format version)
//     {"format":1,"version":42,"places":{topic:{partition:next offset}},
//      "files":[{"layer","topic","dt","name","ranges":[[partition,from,to]…],"rows","bytes","sha256"}…],
//      "sha256": of the JSON of all before, as it stands here without this member}
//   written as 000000000042.json.tmp -> fsync -> rename -> fsync folder; the newest number counts. A few older ones stay.
//
// The files lie under <layer>/topic=<topic>/dt=<dt>/<name>; ranges are the offsets [from, to) that were looked at for it.
import { createHash } from 'node:crypto'
import type { World } from '../../../world/world.ts'
import { LakeError } from '../lake-error.ts'
import { readBytes, writeDurably } from './durable-files.ts'

export type Layer = 'bronze' | 'silver' | 'gold'
export const layers: readonly Layer[] = ['bronze', 'silver', 'gold']
export type OffsetSpan = readonly [partition: number, from: number, to: number]

export interface LakeFile {
  readonly layer: Layer
  readonly topic: string
  /** Event date (UTC) of its records, `2026-11-21`; of records without one the day they came. */
  readonly dt: string
  readonly name: string
  readonly ranges: readonly OffsetSpan[]
  readonly rows: number
  readonly bytes: number
  readonly sha256: string
}
export interface Manifest {
  readonly version: number
  /** By topic, by partition: the next offset to be written. */
  readonly places: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly files: readonly LakeFile[]
}

const FORMAT = 1
const versionsKept = 5
export const emptyManifest: Manifest = { version: 0, places: {}, files: [] }

export const pathOf = ({ layer, topic, dt, name }: Pick<LakeFile, 'layer' | 'topic' | 'dt' | 'name'>): string =>
  `${layer}/topic=${topic}/dt=${dt}/${name}`

export function placeOf(manifest: Manifest, topic: string, partition: number): number {
  const places = Object.hasOwn(manifest.places, topic) ? manifest.places[topic] : undefined
  return places?.[String(partition)] ?? 0
}

const fileOf = (version: number): string => `${String(version).padStart(12, '0')}.json`
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')

function encode({ version, places, files }: Manifest): string {
  const body = JSON.stringify({ format: FORMAT, version, places, files })
  return `${body.slice(0, -1)},"sha256":"${hashOf(body)}"}\n`
}
function decode(path: string, text: string): Manifest {
  const found = /^(.*),"sha256":"([0-9a-f]{64})"\}\n$/s.exec(text)
  const body = found?.[1] === undefined ? null : `${found[1]}}`
  if (body === null || hashOf(body) !== found?.[2])
    throw new LakeError(
      'DAMAGED',
      `the manifest ${path} is not what was written. Move it away to go on from the version before it: what that does not know is written again`,
    )
  const read = JSON.parse(body) as Manifest & { readonly format: number }
  if (read.format !== FORMAT)
    throw new LakeError('NEWER_FORMAT', `the manifest ${path} has format ${read.format}; this Millrace knows ${FORMAT}`)
  return { version: read.version, places: read.places, files: read.files }
}

function versionsIn(world: World, folder: string): number[] {
  return world.fs
    .list(folder)
    .flatMap((name) => (/^\d{12}\.json$/.test(name) ? [Number(name.slice(0, 12))] : []))
    .sort((a, b) => b - a)
}

/** The newest one. Throws a `LakeError` DAMAGED if it is not whole. */
export function readManifest(world: World, folder: string): Manifest {
  if (world.fs.stat(folder) === null) return emptyManifest
  const [newest] = versionsIn(world, folder)
  if (newest === undefined) return emptyManifest
  const path = `${folder}/${fileOf(newest)}`
  return decode(path, new TextDecoder().decode(readBytes(world.fs, path)))
}

/** Resolves when the version would survive a power cut. */
export async function writeManifest(world: World, folder: string, manifest: Manifest): Promise<void> {
  await writeDurably(world.fs, `${folder}/${fileOf(manifest.version)}`, new TextEncoder().encode(encode(manifest)))
  for (const version of versionsIn(world, folder).slice(versionsKept)) world.fs.unlink(`${folder}/${fileOf(version)}`)
}
