// Record batches: what the writer writes the walker reads, another implementation agrees, and no hostile byte passes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { crc32c } from '../std/crc32c.ts'
import { randomStream } from '../std/random.ts'
import { BatchWriter } from './batch-writer.ts'
import { compressionCode } from './compression.ts'
import * as batches from './record-batch.ts'
import { WireError } from './wire-error.ts'

const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

interface Sent {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly timestampMs: number
  readonly headers: readonly batches.RecordHeader[]
}
function read(batch: Uint8Array, capacity = 3): Sent[] {
  const { bytes, start, end } = batches.recordsOf(batch)
  const slots = batches.recordSlots(capacity)
  const sent: Sent[] = []
  const slice = (from: number, to: number) => (from < 0 ? null : new Uint8Array(bytes.subarray(from, to)))
  for (let at = start; at < end; ) {
    at = batches.walkRecords(bytes, at, end, slots)
    for (let i = 0; i < slots.count; i++) {
      assert.equal(slots.offsetDelta[i], sent.length)
      sent.push({
        key: slice(slots.keyStart[i]!, slots.keyEnd[i]!),
        value: slice(slots.valueStart[i]!, slots.valueEnd[i]!),
        timestampMs: batches.baseTimestampMs(batch) + slots.timestampDelta[i]!,
        headers: batches.recordHeaders(bytes, slots.headersStart[i]!).map(({ name, value }) => ({
          name,
          value: value && new Uint8Array(value),
        })),
      })
    }
  }
  return sent
}
function write(records: readonly Sent[], compression: (typeof compressions)[number]): Uint8Array {
  const writer = new BatchWriter({ compression, initialBytes: 1 })
  for (const { key, value, timestampMs, headers } of records) writer.append(key, value, timestampMs, headers)
  return writer.finish()
}
function flipped(batch: Uint8Array, at: number): Uint8Array {
  const bytes = new Uint8Array(batch)
  bytes[at]! ^= 1
  return bytes
}
/** Changes the batch, then makes its checksum right again: what a malicious client would send. */
function forged(batch: Uint8Array, change: (bytes: Uint8Array, view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(batch)
  const view = new DataView(bytes.buffer)
  change(bytes, view)
  view.setUint32(17, crc32c(bytes, 21))
  return bytes
}
const withByte = (batch: Uint8Array, at: number, value: number): Uint8Array =>
  forged(batch, (bytes) => {
    bytes[at] = value
  })
const counted = (batch: Uint8Array, records: number): Uint8Array =>
  forged(batch, (_, view) => {
    view.setInt32(57, records)
    view.setInt32(23, records - 1)
  })
const three = (): Uint8Array =>
  write(
    [1, 2, 3].map((n) => ({
      key: bytesOf(`k${n}`),
      value: bytesOf(`value ${n}`),
      timestampMs: 1_000 + n,
      headers: [],
    })),
    'none',
  )

test('property: records come back as they were appended, in every codec, and pass both checks', () => {
  const blob = fc.option(fc.uint8Array({ maxLength: 300 }), { nil: null })
  const record = fc.record(
    {
      key: blob,
      value: blob,
      timestampMs: fc.oneof(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: -(2 ** 52) + 1, max: 2 ** 52 - 1 })),
      headers: fc.array(fc.record({ name: fc.string({ maxLength: 80 }), value: blob }, { noNullPrototype: true }), {
        maxLength: 3,
      }),
    },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1, maxLength: 40 }),
      fc.constantFrom(...compressions),
      (records, compression) => {
        const batch = write(records, compression)
        assert.equal(batches.checkBatch(batch), null)
        assert.equal(batches.checkRecords(batch), null)
        assert.deepEqual(read(batch), records)
        assert.equal(batches.codecOf(batch), compression)
        assert.equal(batches.recordCount(batch), records.length)
        assert.equal(batches.baseTimestampMs(batch), records[0]!.timestampMs)
        assert.equal(batches.maxTimestampMs(batch), Math.max(...records.map(({ timestampMs }) => timestampMs)))
      },
    ),
    { numRuns: 300 },
  )
})

test('bytes of a small batch, drawn once and for ever', () => {
  const writer = new BatchWriter()
  writer.append(bytesOf('k'), bytesOf('v'), 1_700_000_000_000, [{ name: 'h', value: null }])
  writer.append(null, null, 1_700_000_000_005)
  const batch = writer.finish({ producerId: 4_000_000_000n, producerEpoch: 7, baseSequence: 2_000_000_000 })
  assert.equal(
    Buffer.from(batch).toString('hex'),
    '0000000000000000' + // base offset
      '00000044' + // length
      'ffffffff' + // leader epoch
      '02' + // magic
      crc32c(batch, 21).toString(16).padStart(8, '0') +
      '0000' + // attributes
      '00000001' + // last offset delta
      '0000018bcfe56800' + // base timestamp
      '0000018bcfe56805' + // max timestamp
      '00000000ee6b2800' + // producer id
      '0007' + // producer epoch
      '77359400' + // base sequence
      '00000002' + // count
      '16' +
      '00' +
      '00' +
      '00' +
      '02' +
      '6b' +
      '02' +
      '76' +
      '02' +
      '02' +
      '68' +
      '01' + // record 0
      '0c' +
      '00' +
      '0a' +
      '02' +
      '01' +
      '01' +
      '00', // record 1
  )
  assert.equal(batches.producerId(batch), 4_000_000_000n)
  assert.equal(batches.producerEpoch(batch), 7)
  assert.equal(batches.baseSequence(batch), 2_000_000_000)
  assert.equal(batches.hasProducer(batch), true)
  assert.equal(batches.hasProducer(three()), false)
  assert.equal(batches.producerId(three()), -1n)
})

test('a writer is used again after finish, and knows its size', () => {
  const writer = new BatchWriter()
  writer.append(null, bytesOf('first'), 5)
  const size = writer.sizeBytes
  const first = writer.finish()
  assert.equal(size, first.length)
  assert.equal(writer.count, 0)
  writer.append(null, bytesOf('first'), 5)
  assert.deepEqual(writer.finish(), first)
  assert.throws(() => writer.finish(), /at least one record/)
})

test('base offset and leader epoch are set in place, the checksum stays right, at any place in a buffer', () => {
  const batch = three()
  const buffer = new Uint8Array(batch.length + 20)
  buffer.set(batch, 9)
  for (const offset of [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 40 + 12_345, Number.MAX_SAFE_INTEGER - 3]) {
    batches.setBaseOffset(buffer, offset, 9)
    batches.setLeaderEpoch(buffer, 3, 9)
    assert.equal(batches.baseOffset(buffer, 9), offset)
    assert.equal(batches.lastOffset(buffer, 9), offset + 2)
    assert.equal(batches.leaderEpoch(buffer, 9), 3)
    assert.equal(batches.checkStored(buffer.subarray(9, 9 + batch.length)), null)
  }
  assert.equal(batches.nextBatchEnd(buffer, 9), 9 + batch.length)
  assert.equal(batches.nextBatchEnd(buffer, 9, 9 + batch.length - 1), -1, 'a cut batch is not whole')
  assert.equal(batches.nextBatchEnd(buffer, buffer.length - 60), -1)
})

const refused: readonly (readonly [string, string, RegExp, (batch: Uint8Array) => Uint8Array])[] = [
  ['a flipped bit', 'CORRUPT_MESSAGE', /CRC-32C/, (b) => flipped(b, 70)],
  ['a cut end', 'CORRUPT_MESSAGE', /bytes, \d+ came/, (b) => b.subarray(0, b.length - 1)],
  ['a trailing byte', 'CORRUPT_MESSAGE', /bytes, \d+ came/, (b) => Buffer.concat([b, Buffer.of(0)])],
  ['60 bytes', 'CORRUPT_MESSAGE', /at least 61/, (b) => b.subarray(0, 60)],
  ['magic 1', 'INVALID_RECORD', /magic/, (b) => withByte(b, 16, 1)],
  ['magic 3', 'INVALID_RECORD', /magic/, (b) => withByte(b, 16, 3)],
  ['a base offset', 'INVALID_RECORD', /offset 0/, (b) => forged(b, (_, v) => v.setBigInt64(0, 5n))],
  ['a negative length', 'CORRUPT_MESSAGE', /bytes/, (b) => forged(b, (_, v) => v.setInt32(8, -1))],
  ['no records', 'INVALID_RECORD', /at least one/, (b) => forged(b, (_, v) => v.setInt32(57, 0))],
  ['-1 records', 'INVALID_RECORD', /at least one/, (b) => forged(b, (_, v) => v.setInt32(57, -1))],
  ['4 records by count', 'INVALID_RECORD', /last offset delta/, (b) => forged(b, (_, v) => v.setInt32(57, 4))],
  ['a wrong last offset delta', 'INVALID_RECORD', /last offset delta/, (b) => forged(b, (_, v) => v.setInt32(23, 9))],
  ['codec 5', 'INVALID_RECORD', /codec 5/, (b) => withByte(b, 22, 5)],
  ['codec 7', 'INVALID_RECORD', /codec 7/, (b) => withByte(b, 22, 7)],
  ['a control batch', 'INVALID_RECORD', /control/, (b) => withByte(b, 22, 0x20)],
  ['a transactional batch of nobody', 'INVALID_RECORD', /transaction/, (b) => withByte(b, 22, 0x10)],
  ['producer id -2', 'INVALID_RECORD', /producer id/, (b) => forged(b, (_, v) => v.setBigInt64(43, -2n))],
  ['an id without an epoch', 'INVALID_RECORD', /epoch/, (b) => forged(b, (_, v) => v.setBigInt64(43, 5n))],
]
for (const [name, code, message, change] of refused) {
  test(`checkBatch refuses ${name}`, () => {
    const problem = batches.checkBatch(change(three()))
    assert.equal(problem?.code, code)
    assert.match(problem.message, message)
  })
}

const malformed: readonly (readonly [string, (batch: Uint8Array) => Uint8Array])[] = [
  ['4 records announced, 3 there', (b) => counted(b, 4)],
  ['2 records announced, 3 there', (b) => counted(b, 2)],
  ['a record that reaches beyond the batch', (b) => withByte(b, 61, 0x7e)],
  ['a record of negative length', (b) => withByte(b, 61, 1)],
  ['a record of no bytes', (b) => withByte(b, 61, 0)],
  ['an offset delta out of order', (b) => withByte(b, 64, 4)],
  ['a key that reaches beyond its record', (b) => withByte(b, 65, 0x40)],
  ['a key of length -2', (b) => withByte(b, 65, 3)],
  ['a value that reaches beyond its record', (b) => withByte(b, 68, 0x40)],
  ['a value that ends early', (b) => withByte(b, 68, 2)],
  ['a header count of -1', (b) => withByte(b, 76, 1)],
  ['headers that are not there', (b) => withByte(b, 76, 0x7e)],
  ['gzip that is none', (b) => withByte(b, 22, compressionCode('gzip'))],
  ['snappy that is none', (b) => withByte(b, 22, compressionCode('snappy'))],
  ['lz4 that is none', (b) => withByte(b, 22, compressionCode('lz4'))],
  ['zstd that is none', (b) => withByte(b, 22, compressionCode('zstd'))],
]
for (const [name, change] of malformed) {
  test(`checkRecords refuses ${name}`, () => {
    const batch = change(three())
    assert.equal(batches.checkBatch(batch), null, 'the header is fine')
    assert.notEqual(batches.checkRecords(batch), null)
  })
}

test('a bomb inside a batch is MESSAGE_TOO_LARGE', () => {
  const writer = new BatchWriter({ compression: 'zstd' })
  writer.append(null, new Uint8Array(16 << 20), 0)
  assert.equal(batches.checkRecords(writer.finish())?.code, 'MESSAGE_TOO_LARGE')
})

test('any bytes behind a header give a problem or a clean walk, never another error', () => {
  const seed = 'walk'
  const random = randomStream(seed)
  const slots = batches.recordSlots(4)
  for (let i = 0; i < 20_000; i++) {
    const batch = three()
    for (let k = random.below(4); k >= 0; k--) batch[61 + random.below(batch.length - 61)] = random.below(256)
    try {
      for (let at = 61; at < batch.length; ) {
        at = batches.walkRecords(batch, at, batch.length, slots)
        for (let row = 0; row < slots.count; row++) {
          assert.ok(slots.keyEnd[row]! <= batch.length && slots.valueEnd[row]! <= batch.length)
          assert.ok(slots.keyStart[row]! <= slots.keyEnd[row]! && slots.valueStart[row]! <= slots.valueEnd[row]!)
        }
      }
    } catch (error) {
      assert.ok(error instanceof WireError, `seed ${seed}, round ${i}: ${error}`)
    }
  }
})
