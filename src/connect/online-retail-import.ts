// A CSV file, compressed by gzip or not, read as a stream into the records of a topic: how the Online Retail file comes
// in. What a row means is the mapping's business (commerce hands it in); here are bytes, rows, order and progress.
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { CsvError, parse } from 'csv-parse'
import { parseInstant } from '../std/instant.ts'
import { type File, FsError, type World } from '../world/world.ts'
import type { RecordProducer } from './record-producer.ts'

/** How the rows of a CSV file become the records of a topic. */
export interface CsvMapping {
  readonly topic: string
  /** Header names the file must have, in any order; further columns of the file are passed over. */
  readonly columns: readonly string[]
  /** A row has its fields in the order of `columns`. */
  key(row: readonly string[]): string
  value(row: readonly string[]): string
  /** Index in `columns` of the event time, ISO-8601. */
  readonly timeColumn: number
}
export interface ImportProgress {
  readonly rows: number
  /** Of the file as it lies on disk, compressed or not. */
  readonly readBytes: number
  readonly fileBytes: number
}
export interface ImportSummary extends ImportProgress {
  /** Rows whose event time lies before that of an earlier row. The file is meant to be sorted: 0. */
  readonly outOfOrder: number
}
export interface ImportSettings {
  readonly path: string
  readonly mapping: CsvMapping
  /** Called after each portion of rows, at most some hundred times for a file. */
  readonly onProgress?: (progress: ImportProgress) => void
}

/** A file that cannot be imported: what, where, why, and what to do. */
export class ImportError extends Error {
  override name = 'ImportError'
  readonly path: string
  constructor(path: string, what: string, cure: string, options?: ErrorOptions) {
    super(`${path}: ${what}. ${cure}`, options)
    this.path = path
  }
}

const readBytesAtOnce = 64 * 1024
/** A row of the longest descriptions has some hundred bytes; a quote that is never closed is found by this. */
const rowBytesMax = 1024 * 1024
const rowsBetweenLooks = 2_000

/**
 * Imports the whole file, in its order, and resolves when every record is acknowledged. The arrival of a record (its
 * Kafka timestamp) is the moment it is imported. Rejects with an `ImportError`, or the producer's `ProduceError`.
 */
export async function importOnlineRetail(
  world: World,
  producer: RecordProducer,
  settings: ImportSettings,
): Promise<ImportSummary> {
  const { path, mapping, onProgress } = settings
  const file = openForImport(world, path)
  const encoder = new TextEncoder()
  const progress = { rows: 0, readBytes: 0, fileBytes: file.sizeBytes() }
  let outOfOrder = 0
  let newestMs = Number.NEGATIVE_INFINITY
  let timeText = ''
  try {
    for await (const row of rowsOf(file, mapping.columns, (bytes) => (progress.readBytes += bytes))) {
      const time = row[mapping.timeColumn] ?? ''
      if (time !== timeText) {
        timeText = time
        const timeMs = parseInstant(time)
        if (timeMs < newestMs) outOfOrder++
        else if (timeMs > newestMs) newestMs = timeMs
      } else if (outOfOrder > 0 && parseInstant(time) < newestMs) outOfOrder++
      const key = encoder.encode(mapping.key(row))
      producer.record(mapping.topic, key, encoder.encode(mapping.value(row)), world.clock.nowMs())
      progress.rows++
      if (progress.rows % rowsBetweenLooks === 0) {
        onProgress?.({ ...progress })
        const room = producer.room()
        if (room !== null) await room
      }
    }
  } catch (error) {
    throw importError(path, progress.rows, error)
  } finally {
    file.close()
  }
  await producer.flush()
  onProgress?.({ ...progress })
  return { ...progress, outOfOrder }
}

/** Rows in the order of `columns`. The file's first row is its header. */
async function* rowsOf(
  file: File,
  columns: readonly string[],
  onRead: (bytes: number) => void,
): AsyncGenerator<readonly string[]> {
  const parser: AsyncIterable<string[]> & NodeJS.ReadWriteStream = parse({
    bom: true,
    max_record_size: rowBytesMax,
    skip_empty_lines: true,
  })
  const stages = isGzip(file) ? [createGunzip()] : []
  // An error of any stage reaches the loop below through the last one; nothing else needs to be told.
  pipeline([Readable.from(chunksOf(file, onRead), { objectMode: false }), ...stages, parser], () => {})
  let places: readonly number[] | null = null
  for await (const row of parser) {
    if (places === null) places = placesOf(row, columns)
    else yield places.map((place) => row[place] ?? '')
  }
  if (places === null) throw new HeaderFault('is empty')
}
function* chunksOf(file: File, onRead: (bytes: number) => void): Generator<Uint8Array> {
  for (let position = 0; ; ) {
    const chunk = new Uint8Array(readBytesAtOnce)
    const got = file.read(chunk, position)
    if (got === 0) return
    position += got
    onRead(got)
    yield chunk.subarray(0, got)
  }
}
/** By its first two bytes (RFC 1952), whatever it is called. */
function isGzip(file: File): boolean {
  const magic = new Uint8Array(2)
  return file.read(magic, 0) === 2 && magic[0] === 0x1f && magic[1] === 0x8b
}
function placesOf(header: readonly string[], columns: readonly string[]): number[] {
  const missing = columns.filter((name) => !header.includes(name))
  if (missing.length === 0) return columns.map((name) => header.indexOf(name))
  throw new HeaderFault(
    `has no column ${missing.join(', ')} (its header: ${header.slice(0, 20).join(', ').slice(0, 200)})`,
  )
}
/** What is wrong with a file's header, until the path is known. */
class HeaderFault extends Error {}

function openForImport(world: World, path: string): File {
  try {
    return world.fs.open(path, 'read')
  } catch (error) {
    throw importError(path, 0, error)
  }
}
/** Names what went wrong with the file; what is no fault of the file stays what it is. */
function importError(path: string, rows: number, error: unknown): unknown {
  const cause = { cause: error }
  if (error instanceof HeaderFault)
    return new ImportError(path, `the file ${error.message}`, 'Is it the right file?', cause)
  if (error instanceof CsvError) {
    return new ImportError(
      path,
      `no CSV: ${error.message}`,
      `Repair the file; ${rows} rows before that line were imported`,
      cause,
    )
  }
  if (error instanceof FsError) {
    const cure = error.code === 'ENOENT' ? 'Check the path' : 'See what the disk says'
    return new ImportError(path, `cannot be read (${error.code})`, cure, cause)
  }
  if (error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_')) {
    return new ImportError(
      path,
      `the compressed data is damaged or cut short after row ${rows + 1}: ${error.message}`,
      'Get the file again',
      cause,
    )
  }
  return error
}
