// Records of Avro become what JSON would have said; whatever is not a record of its schema is refused, whatever its counts claim.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import avro from 'avsc'
import { randomStream } from '../std/random.ts'
import { avroReader } from './avro-types.ts'

const schema = {
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'exact', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'day', type: ['null', { type: 'int', logicalType: 'date' }] },
    { name: 'price', type: { type: 'bytes', logicalType: 'decimal', precision: 12, scale: 2 } },
    { name: 'quantity', type: 'long' },
    { name: 'weight', type: ['null', 'double'] },
    { name: 'isPaid', type: 'boolean' },
    { name: 'status', type: { type: 'enum', name: 'Status', symbols: ['NEW', 'PAID'] } },
    { name: 'raw', type: { type: 'fixed', name: 'Four', size: 4 } },
    {
      name: 'items',
      type: {
        type: 'array',
        items: {
          type: 'record',
          name: 'Item',
          fields: [
            { name: 'sku', type: 'string' },
            { name: 'n', type: 'int' },
          ],
        },
      },
    },
    { name: 'labels', type: { type: 'map', values: 'string' } },
    { name: 'which', type: ['null', 'string', 'long'] },
  ],
} as const
/** Without logical types: what stands in the bytes. */
const plain = avro.Type.forSchema(schema as never, { wrapUnions: 'never' as never, logicalTypes: {} })
const written = (more: object = {}): Buffer =>
  plain.toBuffer({
    id: 'a',
    at: 1_767_225_600_123,
    exact: 1_767_225_600_123_456,
    day: 20_000,
    price: Buffer.from([0x07, 0xcf]),
    quantity: 3,
    weight: -0.125,
    isPaid: true,
    status: 'PAID',
    raw: Buffer.from([1, 2, 3, 4]),
    items: [
      { sku: 'x', n: 1 },
      { sku: 'é', n: -2 },
    ],
    labels: { a: 'b' },
    which: 'text',
    ...more,
  })

test('a record is what JSON would have said', () => {
  const reader = avroReader(JSON.stringify(schema))
  assert.deepEqual(reader.read(written()), {
    value: {
      id: 'a',
      at: '2026-01-01T00:00:00.123Z',
      exact: '2026-01-01T00:00:00.123Z',
      day: '2024-10-04',
      price: 19.99,
      quantity: 3,
      weight: -0.125,
      isPaid: true,
      status: 'PAID',
      raw: 'AQIDBA==',
      items: [
        { sku: 'x', n: 1 },
        { sku: 'é', n: -2 },
      ],
      labels: { a: 'b' },
      which: 'text',
    },
  })
  const negative = reader.read(written({ price: Buffer.from([0xff, 0x01]), day: null, weight: null, which: null }))
  assert.ok('value' in negative)
  const { price, day, weight, which } = negative.value as Record<string, unknown>
  assert.deepEqual([price, day, weight, which], [-2.55, null, null, null])
})

test('a number that would not be exact is refused as one', () => {
  const long = avro.Type.forSchema({ type: 'record', name: 'L', fields: [{ name: 'n', type: 'long' }] })
  const reader = avroReader(JSON.stringify(long.schema()))
  assert.deepEqual(reader.read(long.toBuffer({ n: 2 ** 53 - 2 })), { value: { n: 2 ** 53 - 2 } })
  // 2^60 as a zigzag varint.
  const large = reader.read(Uint8Array.from([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20]))
  assert.equal('fault' in large && large.fault, 'range')
})

test('counts that nothing stands behind are refused at once; so are schemas nested in themselves without end', () => {
  const many = (items: unknown) =>
    avroReader(JSON.stringify({ type: 'record', name: 'M', fields: [{ name: 'a', type: { type: 'array', items } }] }))
  const claims = Uint8Array.from([0xfe, 0xff, 0xff, 0xff, 0x0f, 1, 1, 1])
  for (const items of ['long', 'null', 'boolean', { type: 'fixed', name: 'Zero', size: 0 }]) {
    const read = many(items).read(claims)
    assert.equal('fault' in read && read.fault, 'not-avro')
  }
  const nested = avroReader(
    JSON.stringify({ type: 'record', name: 'N', fields: [{ name: 'next', type: ['null', 'N'] }] }),
  )
  assert.ok('value' in nested.read(Uint8Array.from([2, 2, 2, 0])))
  assert.ok('fault' in nested.read(new Uint8Array(100_000).fill(2)))
})

test('20,000 mutated records: read or refused, never thrown, never more than they hold', (t) => {
  const seed = process.env.MILLRACE_SEED ?? 'avro'
  t.diagnostic(`seed ${seed}; replay: MILLRACE_SEED=${seed} npm test -- src/connect/avro`)
  const random = randomStream(seed)
  const reader = avroReader(JSON.stringify(schema))
  const good = new Uint8Array(written())
  let read = 0
  for (let i = 0; i < 20_000; i++) {
    const bytes = good.slice(0, random.below(4) === 0 ? random.below(good.length) : good.length)
    for (let left = 1 + random.below(3); left > 0 && bytes.length > 0; left--) {
      bytes[random.below(bytes.length)] = random.below(3) === 0 ? 0xff : random.u32() & 0xff
    }
    const found = reader.read(bytes)
    if ('value' in found) read++
    else assert.ok(found.fault === 'not-avro' || found.fault === 'range')
  }
  assert.ok(read > 1_000 && read < 19_000, `${read} were read`)
})
