// NDJSON bytes as batches for the engine: lines are found in place, in one buffer of 256 KiB, and never become strings.
// A record's offset is its line number less one, so that whatever is rejected can be named by line.

import type { DecoderMemory, SourceBatch } from '../engine/engine.ts'
import { assert } from '../std/assert.ts'
import type { World } from '../world/world.ts'

export const ndjsonBatchBytes = 256 * 1024
/** A line and its newline must fit the buffer; a longer one is reported and skipped, whatever its length. */
export const ndjsonLineBytesMax = ndjsonBatchBytes
/** Bytes of a too long line that are kept to show it. */
const shownBytes = 120

export interface OverlongLine {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly sizeBytes: number
  /** Copy of its first bytes. */
  readonly beginning: Uint8Array
}
export interface NdjsonSettings {
  readonly topic: string
  readonly partition: number
  readonly onOverlong: (line: OverlongLine) => void
  /** Where the decoder reads: lines are then split by it and decoded where they lie. */
  readonly memory?: DecoderMemory | null
}

/** Bytes in, batches of whole lines out. A batch is valid until the next `room`. */
export interface NdjsonLines {
  /** Where to put the next bytes; never empty. */
  room(): Uint8Array
  /** So many bytes were put at the start of `room()`. The lines that are whole now, or null if there is none. */
  filled(byteCount: number): SourceBatch | null
  /** The input is over: its last line if it had no newline, else null. Another input may follow, its lines count on. */
  end(): SourceBatch | null
  /** Lines seen so far, blank and too long ones included: the offset of the next one. */
  readonly lines: number
}

const newline = 10
const carriageReturn = 13
const space = 32
const byteOrderMark = [0xef, 0xbb, 0xbf]

export function ndjsonLines(settings: NdjsonSettings): NdjsonLines {
  const { topic, partition } = settings
  const memory = settings.memory ?? null
  // Lines that count have two bytes or more, with their newline.
  const bytes = memory?.room(ndjsonBatchBytes, ndjsonBatchBytes / 2) ?? new Uint8Array(ndjsonBatchBytes)
  /** bytes[0, end) are input; those before `lineStart` are whole lines; those before `scanned` hold no more newlines. */
  let end = 0
  let lineStart = 0
  let scanned = 0
  let lines = 0
  let inputStarts = true
  /** Bytes dropped of the line that is too long, while inside one. */
  let overlongBytes = 0
  let beginning = new Uint8Array(0)
  let columns = columnsFor(4_096)
  let count = 0

  const take = (from: number, to: number): void => {
    let first = from
    let last = to
    if (inputStarts) {
      inputStarts = false
      if (byteOrderMark.every((byte, i) => first + i < last && bytes[first + i] === byte)) first += byteOrderMark.length
    }
    const offset = lines++
    if (last > first && bytes[last - 1] === carriageReturn) last--
    if (first === last || (bytes[first]! <= space && isBlank(bytes, first, last))) return
    if (count === columns.starts.length) columns = grown(columns)
    columns.starts[count] = first
    columns.ends[count] = last
    columns.offsets[count] = offset
    count++
  }
  const dropLine = (sizeBytes: number): void => {
    settings.onOverlong({ topic, partition, offset: lines++, sizeBytes, beginning })
    overlongBytes = 0
    inputStarts = false
  }
  /** Plain lines at once, others one by one: the first of an input, blank ones, those that begin with or end in a space. */
  const takeAll = (found: Int32Array): void => {
    while (count + found.length > columns.starts.length) columns = grown(columns)
    const { starts, ends, offsets } = columns
    let [from, into, offset] = [lineStart, count, lines]
    const plain = !inputStarts && overlongBytes === 0
    for (let i = 0; i < found.length; i++) {
      const at = found[i]!
      if (plain && at > from && bytes[from]! > space && bytes[at - 1] !== carriageReturn) {
        starts[into] = from
        ends[into] = at
        offsets[into] = offset
        into++
        offset++
      } else {
        count = into
        lines = offset
        if (overlongBytes > 0) dropLine(overlongBytes + at)
        else take(from, at)
        into = count
        offset = lines
      }
      from = at + 1
    }
    lineStart = from
    count = into
    lines = offset
  }
  const batch = (): SourceBatch | null => {
    if (count === 0) return null
    const taken = count
    count = 0
    return { topic, partition, bytes, count: taken, ...columns }
  }

  return {
    get lines() {
      return lines
    },
    room() {
      bytes.copyWithin(0, lineStart, end)
      end -= lineStart
      scanned = end
      lineStart = 0
      if (end === bytes.length) {
        beginning = bytes.slice(0, shownBytes)
        overlongBytes = end
        end = 0
        scanned = 0
      }
      return bytes.subarray(end)
    },
    filled(byteCount) {
      assert(byteCount >= 0 && end + byteCount <= bytes.length, `${byteCount} bytes do not fit behind ${end}`)
      end += byteCount
      for (;;) {
        const found = memory === null ? newlinesIn(bytes, scanned, end) : memory.newlines(scanned, end)
        if (found.length === 0) break
        takeAll(found)
        scanned = lineStart
      }
      scanned = end
      if (overlongBytes > 0) {
        overlongBytes += end
        lineStart = end
      }
      return batch()
    },
    end() {
      if (overlongBytes > 0) dropLine(overlongBytes)
      else if (lineStart < end) take(lineStart, end)
      end = 0
      lineStart = 0
      scanned = 0
      inputStarts = true
      return batch()
    },
  }
}

const newlinesAtOnce = new Int32Array(256)
function newlinesIn(bytes: Uint8Array, from: number, to: number): Int32Array {
  let count = 0
  for (let at = from; count < newlinesAtOnce.length; ) {
    const found = bytes.indexOf(newline, at)
    if (found === -1 || found >= to) break
    newlinesAtOnce[count++] = found
    at = found + 1
  }
  return newlinesAtOnce.subarray(0, count)
}

interface Columns {
  readonly starts: Int32Array
  readonly ends: Int32Array
  readonly offsets: Float64Array
  /** NaN: a line in a file has no arrival. */
  readonly arrivals: Float64Array
}
function columnsFor(capacity: number): Columns {
  return {
    starts: new Int32Array(capacity),
    ends: new Int32Array(capacity),
    offsets: new Float64Array(capacity),
    arrivals: new Float64Array(capacity).fill(Number.NaN),
  }
}
/** Bounded by the buffer: 256 KiB hold at most as many lines of two bytes. */
function grown(columns: Columns): Columns {
  const larger = columnsFor(columns.starts.length * 2)
  larger.starts.set(columns.starts)
  larger.ends.set(columns.ends)
  larger.offsets.set(columns.offsets)
  return larger
}
function isBlank(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!
    if (byte !== space && byte !== 9 && byte !== carriageReturn) return false
  }
  return true
}

// --- inputs ---

/** Where a line stands, for people. */
export interface Place {
  readonly file: string
  /** From 1. */
  readonly line: number
}
export interface NdjsonInput {
  /** Each batch is valid until the next is asked for. */
  batches(): AsyncIterable<SourceBatch> | Iterable<SourceBatch>
  /** The line of a record, by its offset. */
  place(offset: number): Place
}

/** The file, or the `*.ndjson` files of the folder by name. Throws the FsError of the disk, ENOENT if nothing is there. */
export function ndjsonFiles(world: World, path: string): string[] {
  const found = world.fs.stat(path)
  // Opening says better than we could what is wrong with a path.
  if (found === null || !found.isFolder) return [path]
  return world.fs
    .list(path)
    .filter((name) => name.endsWith('.ndjson'))
    .map((name) => `${path.replace(/\/+$/, '')}/${name}`)
}

/** Reads the files one after another, as one partition. */
export function ndjsonFromFiles(world: World, files: readonly string[], settings: NdjsonSettings): NdjsonInput {
  const firstOffsets: number[] = []
  const lines = ndjsonLines(settings)
  return {
    *batches() {
      for (const path of files) {
        firstOffsets.push(lines.lines)
        const file = world.fs.open(path, 'read')
        try {
          let position = 0
          for (;;) {
            const got = fill(lines.room(), (into, at) => file.read(into, position + at))
            if (got === 0) break
            position += got
            const batch = lines.filled(got)
            if (batch !== null) yield batch
          }
        } finally {
          file.close()
        }
        const last = lines.end()
        if (last !== null) yield last
      }
    },
    place(offset) {
      let index = firstOffsets.length - 1
      while (index > 0 && firstOffsets[index]! > offset) index--
      return { file: files[index] ?? '', line: offset - (firstOffsets[index] ?? 0) + 1 }
    },
  }
}
function fill(room: Uint8Array, read: (into: Uint8Array, at: number) => number): number {
  let got = 0
  while (got < room.length) {
    const more = read(room.subarray(got), got)
    if (more === 0) break
    got += more
  }
  return got
}

/** Bytes that come when they come: standard input, an upload. `name` stands for the file in places. */
export function ndjsonFromChunks(
  name: string,
  chunks: AsyncIterable<Uint8Array>,
  settings: NdjsonSettings,
): NdjsonInput {
  const lines = ndjsonLines(settings)
  return {
    async *batches() {
      for await (const chunk of chunks) {
        for (let at = 0; at < chunk.length; ) {
          const room = lines.room()
          const part = chunk.subarray(at, at + room.length)
          room.set(part)
          at += part.length
          const batch = lines.filled(part.length)
          if (batch !== null) yield batch
        }
      }
      const last = lines.end()
      if (last !== null) yield last
    },
    place: (offset) => ({ file: name, line: offset + 1 }),
  }
}
