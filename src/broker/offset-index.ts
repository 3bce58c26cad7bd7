// Where the batches of one partition are: typed arrays in chunks, no object per batch; by offset, and by time.
import { assert } from '../std/assert.ts'

const chunkEntries = 1024
const firstChunkEntries = 16
const floats = 4
const words = 3

interface Chunk {
  /** Per entry: base offset, last offset, LSN, largest timestamp. */
  readonly floats: Float64Array
  /** Per entry: segment, position of the entry's header, bytes of the batch. */
  readonly words: Uint32Array
}
function chunkOf(entries: number): Chunk {
  return { floats: new Float64Array(entries * floats), words: new Uint32Array(entries * words) }
}

export class OffsetIndex {
  #chunks: Chunk[] = []
  /** Entries of the first chunk that were dropped: entry 0 is behind them. */
  #skip = 0
  /** Largest timestamp of full chunks, as far as someone asked. */
  #maxima: (number | undefined)[] = []
  count = 0

  add(
    baseOffset: number,
    lastOffset: number,
    lsn: number,
    maxTimestampMs: number,
    segment: number,
    position: number,
    bytes: number,
  ): void {
    const chunk = this.#room()
    const i = (this.count + this.#skip) % chunkEntries
    chunk.floats[i * floats] = baseOffset
    chunk.floats[i * floats + 1] = lastOffset
    chunk.floats[i * floats + 2] = lsn
    chunk.floats[i * floats + 3] = maxTimestampMs
    chunk.words[i * words] = segment
    chunk.words[i * words + 1] = position
    chunk.words[i * words + 2] = bytes
    this.count++
  }
  #room(): Chunk {
    const index = Math.floor((this.count + this.#skip) / chunkEntries)
    const chunk = this.#chunks[index]
    if (chunk === undefined) {
      const fresh = chunkOf(index === 0 ? firstChunkEntries : chunkEntries)
      this.#chunks.push(fresh)
      return fresh
    }
    // Most partitions of many are small: the first chunk grows as it fills.
    const capacity = chunk.words.length / words
    if ((this.count + this.#skip) % chunkEntries < capacity) return chunk
    const larger = chunkOf(Math.min(chunkEntries, capacity * 4))
    larger.floats.set(chunk.floats)
    larger.words.set(chunk.words)
    this.#chunks[index] = larger
    return larger
  }
  removeLast(): void {
    assert(this.count > 0, 'there is an entry to remove')
    this.count--
    this.#maxima[Math.floor((this.count + this.#skip) / chunkEntries)] = undefined
  }
  /** Drops the first entries, up to and with the one of this LSN. Returns the bytes of their batches. */
  dropUpTo(lsn: number): number {
    let bytes = 0
    let dropped = 0
    while (dropped < this.count && this.lsn(dropped) <= lsn) bytes += this.bytes(dropped++)
    this.count -= dropped
    this.#skip += dropped
    const chunks = Math.floor(this.#skip / chunkEntries)
    if (chunks > 0) {
      this.#chunks = this.#chunks.slice(chunks)
      this.#maxima = this.#maxima.slice(chunks)
      this.#skip -= chunks * chunkEntries
    }
    if (this.count === 0 && this.#skip > 0 && this.#chunks.length <= 1) {
      // Most partitions of many are quiet for long: they keep no more than they need.
      this.#chunks = []
      this.#maxima = []
      this.#skip = 0
    }
    return bytes
  }

  #float(entry: number, field: number): number {
    const at = entry + this.#skip
    return this.#chunks[Math.floor(at / chunkEntries)]!.floats[(at % chunkEntries) * floats + field]!
  }
  #word(entry: number, field: number): number {
    const at = entry + this.#skip
    return this.#chunks[Math.floor(at / chunkEntries)]!.words[(at % chunkEntries) * words + field]!
  }
  baseOffset = (entry: number): number => this.#float(entry, 0)
  lastOffset = (entry: number): number => this.#float(entry, 1)
  lsn = (entry: number): number => this.#float(entry, 2)
  maxTimestampMs = (entry: number): number => this.#float(entry, 3)
  segment = (entry: number): number => this.#word(entry, 0)
  position = (entry: number): number => this.#word(entry, 1)
  bytes = (entry: number): number => this.#word(entry, 2)

  /** The first entry whose last offset is at or after `offset`; `count` if there is none. */
  find(offset: number): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.lastOffset(middle) < offset) low = middle + 1
      else high = middle
    }
    return low
  }
  /** The first entry in [from, end) with a timestamp at or after the given one, or -1. Timestamps need not ascend. */
  findTime(timestampMs: number, end: number, from = 0): number {
    for (let first = from; first < end; first = this.#nextChunk(first)) {
      if (this.#chunkMaximum(first) < timestampMs) continue
      const last = Math.min(this.#nextChunk(first), end)
      for (let entry = first; entry < last; entry++) if (this.maxTimestampMs(entry) >= timestampMs) return entry
    }
    return -1
  }
  /** The first entry in [from, end) with the largest timestamp, or -1 if there is none. */
  findMaxTime(end: number, from = 0): number {
    let best = -1
    let most = Number.NEGATIVE_INFINITY
    for (let first = from; first < end; first = this.#nextChunk(first)) {
      if (this.#chunkMaximum(first) <= most) continue
      const last = Math.min(this.#nextChunk(first), end)
      for (let entry = first; entry < last; entry++) {
        if (this.maxTimestampMs(entry) <= most) continue
        best = entry
        most = this.maxTimestampMs(entry)
      }
    }
    return best
  }
  /** The first entry of the chunk behind the one that holds this entry. */
  #nextChunk(entry: number): number {
    return entry + chunkEntries - ((entry + this.#skip) % chunkEntries)
  }
  /** The largest timestamp in the chunk that holds this entry; of a chunk that is not full: no bound. */
  #chunkMaximum(entry: number): number {
    const chunk = Math.floor((entry + this.#skip) / chunkEntries)
    if ((chunk + 1) * chunkEntries > this.count + this.#skip) return Number.POSITIVE_INFINITY
    let maximum = this.#maxima[chunk]
    if (maximum === undefined) {
      maximum = Number.NEGATIVE_INFINITY
      const first = Math.max(0, chunk * chunkEntries - this.#skip)
      const last = (chunk + 1) * chunkEntries - this.#skip
      for (let each = first; each < last; each++) maximum = Math.max(maximum, this.maxTimestampMs(each))
      this.#maxima[chunk] = maximum
    }
    return maximum
  }
}
