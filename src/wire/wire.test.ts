// Every message in every version: written and read back; known bytes of real clients; hostile bytes give typed errors.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { randomStream } from '../std/random.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { type Field, type Fields, inVersions, type MessageDeclaration, message, type ScalarName } from './message.ts'
import { messageCodec } from './message-codec.ts'
import { type Api, apis, readRequest, readRequestHeader, readResponse, writeRequest, writeResponse } from './wire.ts'
import { WireError } from './wire-error.ts'

/** Of all APIs, by the names of `apis`; `Request` or `Response` follows. */
const declared: Record<string, MessageDeclaration> = {}
const messages = new URL('./messages/', import.meta.url)
for (const file of readdirSync(messages)) Object.assign(declared, await import(new URL(file, messages).href))

function scalarValue(type: ScalarName): fc.Arbitrary<unknown> {
  switch (type) {
    case 'bool':
      return fc.boolean()
    case 'int8':
      return fc.integer({ min: -128, max: 127 })
    case 'int16':
      return fc.integer({ min: -0x8000, max: 0x7fff })
    case 'uint16':
      return fc.integer({ min: 0, max: 0xffff })
    case 'int32':
      return fc.integer()
    case 'float64':
      return fc.double({ noNaN: true, noDefaultInfinity: true })
    case 'int64':
      return fc.maxSafeInteger()
    case 'id64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    case 'uuid':
      return fc.uint8Array({ minLength: 16, maxLength: 16 })
    case 'string':
      return fc.string({ unit: 'binary', maxLength: 40 })
    case 'bytes':
    case 'records':
      return fc.uint8Array({ maxLength: 200 })
  }
}
/** A value of the field as this version reads it back: at its default when the version does not carry it. */
function fieldValue(field: Field, version: number, flexible: boolean): fc.Arbitrary<unknown> {
  const carried = inVersions(field.versions, version) && (field.tag === undefined || flexible)
  const nil = inVersions(field.nullable, version)
  if (field.type === 'struct') {
    if (!carried) return fc.constant(null)
    const value = messageValue(field.fields, version, flexible)
    return nil || field.tag !== undefined ? fc.option(value, { nil: null }) : value
  }
  if (!carried) {
    if (field.type === 'array') return fc.constant(field.default === null ? null : [])
    const zero = {
      bool: false,
      id64: 0n,
      uuid: new Uint8Array(16),
      string: '',
      bytes: new Uint8Array(0),
      records: null,
    } as Record<string, unknown>
    return fc.constant(field.default !== undefined ? field.default : field.type in zero ? zero[field.type] : 0)
  }
  const value =
    field.type === 'array'
      ? fc.array(typeof field.of === 'string' ? scalarValue(field.of) : messageValue(field.of, version, flexible), {
          maxLength: 3,
        })
      : scalarValue(field.type)
  return nil ? fc.option(value, { nil: null }) : value
}
function messageValue(fields: Fields, version: number, flexible: boolean): fc.Arbitrary<unknown> {
  const record = Object.fromEntries(Object.entries(fields).map(([name, f]) => [name, fieldValue(f, version, flexible)]))
  return fc.record(record, { noNullPrototype: true })
}
const whole = (chunks: readonly Uint8Array[]): Uint8Array => {
  const frame = Buffer.concat(chunks)
  assert.equal(frame.readInt32BE(0), frame.length - 4, 'the length field')
  return new Uint8Array(frame.subarray(4))
}

for (const [name, each] of Object.entries(apis)) {
  const api = each as unknown as Api
  const request = declared[`${name}Request`]!
  const response = declared[`${name}Response`]!
  for (let version = api.versions.min; version <= api.versions.max; version++) {
    const flexible = api.request.isFlexible(version)
    test(`${api.name} v${version}: request and response come back as written`, () => {
      fc.assert(
        fc.property(messageValue(request.fields, version, flexible), fc.option(fc.string()), (body, clientId) => {
          const frame = whole(writeRequest(api, version, 77, clientId, body as never))
          assert.deepEqual(readRequestHeader(frame), { apiKey: api.key, version, correlationId: 77 })
          const back = readRequest(api, frame)
          assert.equal(back.clientId, clientId)
          assert.deepEqual(back.body, body)
        }),
        { numRuns: 30 },
      )
      fc.assert(
        fc.property(messageValue(response.fields, version, flexible), (body) => {
          const back = readResponse(api, version, whole(writeResponse(api, version, -5, body as never)))
          assert.deepEqual(back, { correlationId: -5, body })
        }),
        { numRuns: 30 },
      )
    })
    test(`${api.name} v${version}: cut and changed requests give typed errors, bytes behind the end are ignored`, () => {
      const seed = `${api.name}/${version}`
      const random = randomStream(seed)
      const sample = fc.sample(messageValue(request.fields, version, flexible), { numRuns: 5, seed: 42 })
      for (const body of sample) {
        const frame = whole(writeRequest(api, version, 1, 'client', body as never))
        for (let length = 8; length < frame.length; length++) {
          assert.throws(() => readRequest(api, frame.subarray(0, length)), WireError, `${seed}, cut at ${length}`)
        }
        assert.deepEqual(
          readRequest(api, new Uint8Array(Buffer.concat([frame, Buffer.of(0, 1, 2)]))),
          readRequest(api, frame),
        )
        for (let i = 0; i < 300; i++) {
          const bad = new Uint8Array(frame)
          for (let k = random.below(4); k >= 0; k--) bad[8 + random.below(bad.length - 8)] = random.below(256)
          try {
            readRequest(api, bad)
          } catch (error) {
            assert.ok(error instanceof WireError, `seed ${seed}, round ${i}: ${error}`)
          }
        }
      }
    })
  }
}

test('bytes: the ApiVersions request that librdkafka 2.0 sends first, and our answer', () => {
  const frame = Buffer.from(
    '0012' +
      '0003' +
      '00000001' +
      '0007' +
      '72646b61666b61' +
      '00' +
      '0b' +
      '6c696272646b61666b61' +
      '06' +
      '322e302e32' +
      '00',
    'hex',
  )
  assert.deepEqual(readRequest(apis.apiVersions, frame), {
    clientId: 'rdkafka',
    body: { clientSoftwareName: 'librdkafka', clientSoftwareVersion: '2.0.2' },
  })
  const answer = writeResponse(apis.apiVersions, 3, 1, {
    errorCode: 0,
    apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }],
  })
  // Correlation id without tags after it, though the version is flexible.
  assert.equal(
    Buffer.concat(answer).toString('hex'),
    '00000013' + '00000001' + '0000' + '02' + '0012' + '0000' + '0004' + '00' + '00000000' + '00',
  )
})

test('bytes: a Metadata v1 request for all topics and one for none', () => {
  const header = '0003' + '0001' + '00000002' + 'ffff'
  const read = (hex: string) => readRequest(apis.metadata, Buffer.from(header + hex, 'hex')).body.topics
  assert.equal(read('ffffffff'), null)
  assert.deepEqual(read('00000000'), [])
  const inVersion0 = `${header.replace('0001', '0000')}ffffffff`
  assert.throws(() => readRequest(apis.metadata, Buffer.from(inVersion0, 'hex')), /topics is null/)
})

test('records: slices of the frame when read, chunks without a copy when written', () => {
  const records = new Uint8Array(20_000).fill(7)
  const body = {
    acks: -1,
    timeoutMs: 5,
    topicData: [{ name: 't', topicId: new Uint8Array(16), partitionData: [{ index: 0, records: [records, records] }] }],
  }
  const chunks = writeRequest(apis.produce, 9, 1, null, body)
  assert.equal(chunks.filter((chunk) => chunk === records).length, 2)
  const frame = whole(chunks)
  const read = readRequest(apis.produce, frame).body.topicData[0]!.partitionData[0]!.records
  assert.equal(read?.length, 40_000)
  assert.equal(read.buffer, frame.buffer)
})

test('tagged fields: known ones are read, unknown ones skipped, one that lies about its size refused', () => {
  const codec = messageCodec(
    message({
      name: 'Sample',
      apiKey: 0,
      versions: '0-1',
      flexible: '1+',
      fields: { a: { type: 'int8', versions: '0+' }, b: { type: 'int32', versions: '1+', tag: 3, default: 9 } },
    }),
  )
  const read = (hex: string, version: number) => codec.read(new ByteReader(Buffer.from(hex, 'hex')), version)
  assert.deepEqual(read('05', 0), { a: 5, b: 9 })
  assert.deepEqual(read('05' + '00', 1), { a: 5, b: 9 })
  assert.deepEqual(read('05' + '02' + '03' + '04' + '0000002a' + '07' + '02' + 'ccdd', 1), { a: 5, b: 42 })
  assert.throws(() => read('05' + '01' + '03' + '05' + '0000002a00', 1), WireError)
  assert.throws(() => read('05' + '01' + '07' + '7f' + '00', 1), WireError)
})

test('strings: U+FFFD itself is a character, broken UTF-8 is refused, so is a string that could not be written back', () => {
  const read = (bytes: Uint8Array) => {
    const length = Buffer.alloc(2)
    length.writeInt16BE(bytes.length)
    return new ByteReader(Buffer.concat([length, bytes])).string(false)
  }
  assert.equal(read(Buffer.from('a\ufffdb')), 'a\ufffdb')
  assert.throws(() => read(Buffer.from([0x61, 0xff])), /not UTF-8/)
  const compact = (size: number) => {
    const writer = new ByteWriter()
    writer.uvarint(size + 1)
    writer.raw(new Uint8Array(size).fill(0x61))
    return new ByteReader(Buffer.concat(writer.finish())).string(true)
  }
  assert.equal(compact(0x7fff)?.length, 0x7fff)
  assert.throws(() => compact(0x8000), /a string of 32768 bytes/)
})

test('memory: what is decoded takes four times the frame and 64 KiB, and 128 bytes more for each partition there is', () => {
  const sizeBytes = 16 * 1024 * 1024
  const header = Buffer.from('0003' + '0001' + '00000001' + 'ffff', 'hex')
  const dense = (bytes: number, count: number): Uint8Array => {
    const frame = new Uint8Array(bytes)
    frame.set(header)
    // Metadata v1: topic names of no bytes, two bytes each.
    new DataView(frame.buffer).setInt32(10, count)
    return frame
  }
  assert.throws(() => readRequest(apis.metadata, dense(sizeBytes, (sizeBytes - 14) / 2)), /array of \d+ elements/)
  // The message of four fields, the array, and for each: a place in it, an object of two fields, an empty text.
  const takes = (count: number): number => 24 + 4 * 8 + 32 + 16 + count * (8 + 24 + 2 * 8 + 16)
  const allowed = (bytes: number, partitions = 0): number => 64 * 1024 + 4 * bytes + 128 * partitions
  let count = 1
  while (takes(count + 1) <= allowed(14 + 2 * (count + 1))) count++
  assert.equal(readRequest(apis.metadata, dense(14 + 2 * count, count)).body.topics?.length, count)
  count++
  const more = dense(14 + 2 * count, count)
  assert.throws(() => readRequest(apis.metadata, more), /too much memory/)
  assert.equal(readRequest(apis.metadata, more, 1).body.topics?.length, count)
})

test('memory: a consumer may ask for all of ten thousand topics of one partition at once, by id', () => {
  const topics = Array.from({ length: 10_000 }, (_, i) => ({
    topicId: new Uint8Array(16).fill(1 + (i % 255)),
    partitions: [{ partition: 0, currentLeaderEpoch: 0, fetchOffset: 2 ** 40, partitionMaxBytes: 1 << 20 }],
  }))
  const body = { maxWaitMs: 500, minBytes: 1, topics, forgottenTopicsData: [] }
  const frame = Buffer.concat(writeRequest(apis.fetch, 17, 1, null, body as never)).subarray(4)
  assert.equal(readRequest(apis.fetch, frame, 10_000).body.topics.length, 10_000)
  assert.throws(() => readRequest(apis.fetch, frame), /too much memory/)
})
