// Writes record batches: records are appended into one growing buffer, `finish` compresses them and seals the header.
// A door of `wire/`. The layout is drawn in `record-batch.ts`.
import { assert } from '../std/assert.ts'
import { crc32c } from '../std/crc32c.ts'
import { type Compression, compress, compressionCode } from './compression.ts'
import { batchHeaderBytes, batchLengthEnd, type RecordHeader } from './record-batch.ts'

export interface BatchProducer {
  readonly producerId: bigint
  readonly producerEpoch: number
  /** Sequence number of the batch's first record, 0 to 2^31 - 1. */
  readonly baseSequence: number
}

const encoder = new TextEncoder()
/** Bytes of a zigzag varint: a delta or a length. */
function varintBytes(value: number): number {
  if (value < -0x4000_0000 || value >= 0x4000_0000) return varlongBytes(value)
  const zigzag = (value << 1) ^ (value >> 31)
  return zigzag < 0x80 ? 1 : zigzag < 0x4000 ? 2 : zigzag < 0x20_0000 ? 3 : zigzag < 0x1000_0000 ? 4 : 5
}
const zigzag64 = (value: number): bigint => {
  const long = BigInt(value)
  return BigInt.asUintN(64, (long << 1n) ^ (long >> 63n))
}
function varlongBytes(value: number): number {
  let bytes = 1
  for (let rest = zigzag64(value) >> 7n; rest > 0n; rest >>= 7n) bytes++
  return bytes
}
const partBytes = (start: number, end: number): number => (start < 0 ? 1 : varintBytes(end - start) + end - start)
const blobBytes = (blob: Uint8Array | null): number => (blob === null ? 1 : varintBytes(blob.length) + blob.length)

export class BatchWriter {
  readonly #compression: Compression
  #bytes: Uint8Array
  #end = batchHeaderBytes
  #count = 0
  #baseTimestampMs = 0
  #maxTimestampMs = 0

  constructor(settings: { readonly compression?: Compression; readonly initialBytes?: number } = {}) {
    this.#compression = settings.compression ?? 'none'
    this.#bytes = new Uint8Array(Math.max(settings.initialBytes ?? 16 * 1024, 2 * batchHeaderBytes))
  }

  /** Records appended since the last `finish`. */
  get count(): number {
    return this.#count
  }
  /** Bytes of the batch so far, header included, before compression. */
  get sizeBytes(): number {
    return this.#end
  }

  /** Copies the bytes in. The first record's timestamp becomes the base; later ones may lie before it. */
  append(
    key: Uint8Array | null,
    value: Uint8Array | null,
    timestampMs: number,
    headers: readonly RecordHeader[] = [],
  ): void {
    const timestampDelta = this.#timestampDelta(timestampMs)
    let body =
      1 + // attributes
      varintBytes(timestampDelta) +
      varintBytes(this.#count) +
      blobBytes(key) +
      blobBytes(value) +
      varintBytes(headers.length)
    const names: Uint8Array[] = []
    for (const header of headers) {
      const name = encoder.encode(header.name)
      names.push(name)
      body += blobBytes(name) + blobBytes(header.value)
    }
    this.#reserve(varintBytes(body) + body)
    this.#varint(body)
    this.#bytes[this.#end++] = 0
    this.#varint(timestampDelta)
    this.#varint(this.#count)
    this.#blob(key)
    this.#blob(value)
    this.#varint(headers.length)
    for (let i = 0; i < headers.length; i++) {
      this.#blob(names[i]!)
      this.#blob(headers[i]!.value)
    }
    this.#count++
  }

  /**
   * As `append`, of parts that lie in one memory, with one header: key, value and the header's value are [start, end) there;
   * a start of -1 is null.
   */
  appendParts(
    bytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    timestampMs: number,
    headerName: Uint8Array,
    headerStart: number,
    headerEnd: number,
  ): void {
    const timestampDelta = this.#timestampDelta(timestampMs)
    const body =
      1 + // attributes
      varintBytes(timestampDelta) +
      varintBytes(this.#count) +
      partBytes(keyStart, keyEnd) +
      partBytes(valueStart, valueEnd) +
      varintBytes(1) +
      blobBytes(headerName) +
      partBytes(headerStart, headerEnd)
    this.#reserve(varintBytes(body) + body)
    this.#varint(body)
    this.#bytes[this.#end++] = 0
    this.#varint(timestampDelta)
    this.#varint(this.#count)
    this.#part(bytes, keyStart, keyEnd)
    this.#part(bytes, valueStart, valueEnd)
    this.#varint(1)
    this.#part(headerName, 0, headerName.length)
    this.#part(bytes, headerStart, headerEnd)
    this.#count++
  }
  #timestampDelta(timestampMs: number): number {
    assert(Number.isSafeInteger(timestampMs), `not a timestamp in milliseconds: ${timestampMs}`)
    if (this.#count === 0) {
      this.#baseTimestampMs = timestampMs
      this.#maxTimestampMs = timestampMs
    } else if (timestampMs > this.#maxTimestampMs) this.#maxTimestampMs = timestampMs
    const delta = timestampMs - this.#baseTimestampMs
    assert(Number.isSafeInteger(delta), `timestamps too far apart: ${timestampMs}, ${this.#baseTimestampMs}`)
    return delta
  }

  /** The finished batch, base offset 0, in bytes of its own; the writer is empty again. Needs at least one record. */
  finish(producer: BatchProducer | null = null): Uint8Array {
    assert(this.#count > 0, 'a batch needs at least one record')
    let batch: Uint8Array
    if (this.#compression === 'none') batch = this.#bytes.slice(0, this.#end)
    else {
      const records = compress(this.#compression, this.#bytes.subarray(batchHeaderBytes, this.#end))
      batch = new Uint8Array(batchHeaderBytes + records.length)
      batch.set(records, batchHeaderBytes)
    }
    const view = new DataView(batch.buffer, batch.byteOffset, batch.length)
    view.setBigInt64(0, 0n)
    view.setInt32(8, batch.length - batchLengthEnd)
    view.setInt32(12, -1) // the leader epoch: only the log knows it
    view.setInt8(16, 2)
    view.setInt16(21, compressionCode(this.#compression))
    view.setInt32(23, this.#count - 1)
    view.setBigInt64(27, BigInt(this.#baseTimestampMs))
    view.setBigInt64(35, BigInt(this.#maxTimestampMs))
    view.setBigInt64(43, producer?.producerId ?? -1n)
    view.setInt16(51, producer?.producerEpoch ?? -1)
    view.setInt32(53, producer?.baseSequence ?? -1)
    view.setInt32(57, this.#count)
    view.setUint32(17, crc32c(batch, 21))
    this.#end = batchHeaderBytes
    this.#count = 0
    return batch
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#end + bytes))
    grown.set(this.#bytes.subarray(0, this.#end))
    this.#bytes = grown
  }
  #varint(value: number): void {
    if (value < -0x4000_0000 || value >= 0x4000_0000) {
      this.#varlong(value)
      return
    }
    let zigzag = (value << 1) ^ (value >> 31)
    while (zigzag > 0x7f) {
      this.#bytes[this.#end++] = (zigzag & 0x7f) | 0x80
      zigzag >>>= 7
    }
    this.#bytes[this.#end++] = zigzag
  }
  #varlong(value: number): void {
    let rest = zigzag64(value)
    while (rest > 0x7fn) {
      this.#bytes[this.#end++] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.#bytes[this.#end++] = Number(rest)
  }
  #blob(bytes: Uint8Array | null): void {
    if (bytes === null) {
      this.#bytes[this.#end++] = 1 // zigzag of -1
      return
    }
    this.#varint(bytes.length)
    this.#bytes.set(bytes, this.#end)
    this.#end += bytes.length
  }
  #part(bytes: Uint8Array, start: number, end: number): void {
    if (start < 0) {
      this.#bytes[this.#end++] = 1
      return
    }
    this.#varint(end - start)
    const to = this.#bytes
    let at = this.#end
    if (end - start > 64) {
      to.set(bytes.subarray(start, end), at)
      this.#end += end - start
      return
    }
    for (let from = start; from < end; from++) to[at++] = bytes[from]!
    this.#end = at
  }
}
