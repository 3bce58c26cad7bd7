// A topic as a file of lines (O6): the value of each record, one JSON object a line, each exactly once over any number of
// crashes. Lines go to the disk first, then how far they go:
//
//   <path>            the lines
//   <path>.position   JSON {"v":1,"topic":"<uuid, hex>","bytes":<length of the lines>,"next":[<offset by partition>,…]}
//   <path>.1          the lines before, once the file had become too long; with "turning":true in the position it is on
//                     its way there
//
// What the file has beyond `bytes` was written by a life that ended before it could say so: it is cut off and written
// again. A file that is shorter than that, or gone, is written anew from the beginning of the topic. Changing this needs
// a format version.

import type { Log } from '../log/log.ts'
import { assert } from '../std/assert.ts'
import { offset, partitionId } from '../std/units.ts'
import { baseOffset, recordSlots, recordsOf, walkRecords } from '../wire/record-batch.ts'
import type { File, Timer, World } from '../world/world.ts'
import type { Place } from './moved-places.ts'

export interface TopicToFileSettings {
  readonly topic: string
  /** Its folder is made if it is not there; what the file holds already stays. */
  readonly path: string
  /** A file that has become so long is put aside, in the place of the one before. Default 256 MiB. */
  readonly fileBytesMax?: number
  /** Told when lines are on the disk, which offsets come next. */
  readonly onKept?: (places: readonly Place[]) => void
}
export interface TopicToFile {
  /** Lines written since the start of this life. */
  readonly lines: number
  /** Resolves when all that is in the topic at this moment is in the file. */
  settled(): Promise<void>
  stop(): Promise<void>
  /** Resolves with the reason when the file can be written no longer. Never rejects. */
  readonly failed: Promise<Error>
}

const formatVersion = 1
const lookEveryMs = 100
const readBytesMax = 1 << 20
const fileBytesMaxDefault = 256 << 20
const newline = 0x0a
const encoder = new TextEncoder()

interface Position {
  readonly bytes: number
  readonly next: readonly number[]
  readonly turning?: true
}

/** The topic is there. Rejects with an FsError. */
export async function startTopicToFile(world: World, log: Log, settings: TopicToFileSettings): Promise<TopicToFile> {
  const { topic, path } = settings
  const info = log.topic(topic)
  assert(info !== null, `topic ${topic} is there before it goes to a file`)
  const { fs, clock } = world
  makeFolder(world, folderOf(path))
  const fileId = Buffer.from(info.id).toString('hex')
  const fileBytesMax = settings.fileBytesMax ?? fileBytesMaxDefault
  const known = readPosition(world, path, fileId)
  if (known?.turning && (fs.stat(path)?.sizeBytes ?? 0) > 0) fs.rename(path, `${path}.1`)
  let file = fs.open(path, fs.stat(path) === null ? 'create' : 'write')
  const begin = (bytes: number): Position => ({
    bytes,
    next: Array.from({ length: info.partitions }, (_, partition) => log.offsets(topic, partitionId(partition)).start),
  })
  let position: Position
  if (known === null) position = begin(endLine(file))
  else if (file.sizeBytes() < known.bytes) position = begin(0)
  else position = known
  // Partitions may have been added since.
  position = {
    bytes: position.bytes,
    next: begin(0).next.map((start, partition) => Math.max(start, position.next[partition] ?? 0)),
  }
  file.truncate(position.bytes)
  await keep(world, path, fileId, file, position)

  const slots = recordSlots(1024)
  let lines = 0
  let stopped = false
  let failure: Error | null = null
  let timer: Timer | null = null
  let turning: Promise<void> = Promise.resolve()
  const { promise: failed, resolve: fail } = Promise.withResolvers<Error>()

  /** All that is in the topic now. */
  const turn = async (): Promise<void> => {
    for (const moved of position.next.keys()) {
      for (;;) {
        const from = position.next[moved] ?? 0
        if (log.offsets(topic, partitionId(moved)).end <= from) break
        const start = Math.max(from, log.offsets(topic, partitionId(moved)).start)
        const { batches, next } = await log.readCommitted(topic, partitionId(moved), offset(start), readBytesMax)
        if (next === start) break
        const found = batches.flatMap((batch) => valuesFrom(batch, start, slots))
        const bytes = joined(found)
        writeAll(file, bytes, position.bytes)
        position = { bytes: position.bytes + bytes.length, next: position.next.with(moved, next) }
        await keep(world, path, fileId, file, position)
        lines += found.length
        if (position.bytes >= fileBytesMax) await turnPage()
        settings.onKept?.([{ topic, partition: moved, next }])
      }
    }
  }
  const turnPage = async (): Promise<void> => {
    await keep(world, path, fileId, file, { bytes: 0, next: position.next, turning: true })
    file.close()
    fs.rename(path, `${path}.1`)
    file = fs.open(path, 'create')
    position = { bytes: 0, next: position.next }
    await keep(world, path, fileId, file, position)
  }
  const look = (): void => {
    turning = turn().catch((error: unknown) => {
      failure = error instanceof Error ? error : new Error(String(error))
      fail(failure)
    })
    void turning.then(() => {
      if (!stopped && failure === null) timer = clock.timer(lookEveryMs, look, { background: true })
    })
  }
  settings.onKept?.(position.next.map((next, partition) => ({ topic, partition, next })))
  look()
  return {
    get lines() {
      return lines
    },
    failed,
    async settled() {
      const ends = position.next.map((_, partition) => log.offsets(topic, partitionId(partition)).end)
      while (!stopped && failure === null && ends.some((end, partition) => position.next[partition]! < end))
        await clock.sleep(lookEveryMs / 4)
    },
    async stop() {
      if (stopped) return
      stopped = true
      timer?.cancel()
      await turning
      if (failure === null) await turn()
      file.close()
    },
  }
}

/** Values of the records from that offset on; those that take a key back have none. */
function valuesFrom(batch: Uint8Array, from: number, slots: ReturnType<typeof recordSlots>): Uint8Array[] {
  const records = recordsOf(batch)
  const found: Uint8Array[] = []
  for (let at = records.start; at < records.end; ) {
    at = walkRecords(records.bytes, at, records.end, slots)
    for (let row = 0; row < slots.count; row++) {
      const start = slots.valueStart[row]!
      if (start < 0 || baseOffset(batch) + slots.offsetDelta[row]! < from) continue
      found.push(records.bytes.slice(start, slots.valueEnd[row]!))
    }
  }
  return found
}
function joined(values: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(values.reduce((sum, value) => sum + value.length + 1, 0))
  let at = 0
  for (const value of values) {
    // Any client may write to any topic: what would be more than one line becomes one.
    bytes.set(
      value.map((byte) => (byte === newline ? 0x20 : byte)),
      at,
    )
    at += value.length
    bytes[at++] = newline
  }
  return bytes
}

/** Whose lines they are is not known: none is touched, and the next one begins on a line of its own. Returns the length. */
function endLine(file: File): number {
  const sizeBytes = file.sizeBytes()
  if (sizeBytes === 0) return 0
  const last = new Uint8Array(1)
  file.read(last, sizeBytes - 1)
  if (last[0] === newline) return sizeBytes
  writeAll(file, Uint8Array.of(newline), sizeBytes)
  return sizeBytes + 1
}

async function keep(world: World, path: string, topic: string, file: File, position: Position): Promise<void> {
  const { fs } = world
  await file.sync()
  const temporary = `${path}.position.tmp`
  if (fs.stat(temporary) !== null) fs.unlink(temporary)
  const made = fs.open(temporary, 'create')
  try {
    writeAll(made, encoder.encode(JSON.stringify({ v: formatVersion, topic, ...position })), 0)
    await made.sync()
  } finally {
    made.close()
  }
  fs.rename(temporary, `${path}.position`)
  await fs.syncFolder(folderOf(path))
}
/** Null: there is none, or it is of another topic (of a data directory that is no more). */
function readPosition({ fs }: World, path: string, topic: string): Position | null {
  if (fs.stat(`${path}.position`) === null) return null
  const file = fs.open(`${path}.position`, 'read')
  try {
    const bytes = new Uint8Array(file.sizeBytes())
    let at = 0
    while (at < bytes.length) {
      const count = file.read(bytes.subarray(at), at)
      if (count === 0) break
      at += count
    }
    const said: unknown = JSON.parse(new TextDecoder().decode(bytes))
    const { v, topic: of, bytes: length, next, turning } = Object(said) as Record<string, unknown>
    const isRight = v === formatVersion && of === topic && typeof length === 'number' && Array.isArray(next)
    if (!isRight) return null
    return { bytes: length, next: next.map(Number), ...(turning === true ? { turning } : {}) }
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  } finally {
    file.close()
  }
}

function writeAll(file: File, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) {
    const count = file.write(bytes.subarray(at), position + at)
    assert(count > 0, `${file.path} took no more than ${at} of ${bytes.length} bytes`)
    at += count
  }
}
function folderOf(path: string): string {
  const end = path.lastIndexOf('/')
  return end < 0 ? '.' : end === 0 ? '/' : path.slice(0, end)
}
function makeFolder(world: World, folder: string): void {
  if (world.fs.stat(folder) !== null) return
  makeFolder(world, folderOf(folder))
  world.fs.mkdir(folder)
}
