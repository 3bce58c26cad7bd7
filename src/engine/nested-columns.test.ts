// Fields inside objects and lists as columns: what is missing on the way is null, and a refused record leaves nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contract, field, nullable } from '../query/contract.ts'
import { batchOf } from './batches.suite.ts'
import type { ListColumn } from './columns.ts'
import { type Decoder, idColumnsOf, type Projection, type Refusal } from './decoder.ts'
import { Dictionary } from './dictionary.ts'
import { openDecoder } from './kernel/kernel-decoder.ts'
import { rowDecoder } from './row-decoder.ts'

const purchases = contract({
  topic: 'purchases',
  version: 1,
  partitions: 1,
  key: 'id',
  eventTime: 'at',
  outOfOrderMs: 0,
  idleTimeoutMs: 0,
  futureLimitMs: 0,
  fields: {
    id: field({ kind: 'string' }, 'Which one.'),
    at: field({ kind: 'timestamp' }, 'When.'),
    address: nullable(
      {
        kind: 'struct',
        fields: {
          city: field({ kind: 'string' }, 'Town.', { default: 'nowhere', aliases: ['town'] }),
          geo: nullable(
            { kind: 'struct', fields: { lat: field({ kind: 'decimal', scale: 2 }, 'Latitude.') } },
            'Place.',
          ),
        },
      },
      'Where to.',
    ),
    items: nullable(
      {
        kind: 'array',
        of: {
          kind: 'struct',
          fields: {
            sku: field({ kind: 'string' }, 'What.'),
            price: field({ kind: 'money', scale: 2, currency: 'EUR' }, 'For how much.'),
            note: nullable({ kind: 'string' }, 'Said.'),
          },
        },
      },
      'What was bought.',
    ),
    tags: nullable({ kind: 'array', of: { kind: 'string' } }, 'Words.'),
  },
  doc: 'Purchases with a list inside.',
})
const projections: readonly Projection[] = [
  { name: 'id', as: 'text' },
  { name: 'address.city', as: 'id' },
  { name: 'address.geo.lat', as: 'number' },
  {
    name: 'items',
    as: 'list',
    elements: [
      { name: 'price', as: 'number' },
      { name: 'sku', as: 'id' },
      { name: 'note', as: 'text' },
    ],
  },
  { name: 'tags', as: 'list', elements: [{ name: '', as: 'id' }] },
]
const at = '"at":"2026-01-01T00:00:00Z"'
const records = [
  `{"id":"a",${at},"address":{"town":"Rio","geo":{"lat":1.5}},"items":[{"sku":"x","price":1.25},{"sku":"y","price":2,"note":"n"}],"tags":["p","q"]}`,
  `{"id":"b",${at},"address":null,"items":[],"tags":null}`,
  `{"id":"refused",${at},"items":[{"sku":"z","price":1},{"sku":"w","price":"much"}]}`,
  `{"id":"c",${at},"address":{},"items":[{"price":3,"sku":"x"}],"tags":["q","q"]}`,
]

function decoders(): [string, Decoder, Record<string, Dictionary<string>>][] {
  return [rowDecoder, openDecoder].map((open) => {
    const dictionaries = Object.fromEntries(idColumnsOf(projections).map((name) => [name, new Dictionary<string>()]))
    return [open.name, open({ contract: purchases, projections, dictionaries, futureLimit: false }), dictionaries]
  })
}

test('dictionaries of fields inside go by their paths', () => {
  assert.deepEqual(idColumnsOf(projections), ['address.city', 'items[].sku', 'tags[]'])
})

for (const [name, decoder, dictionaries] of decoders())
  test(`${name}: fields of objects and elements of lists come out flat, in the order of their rows`, () => {
    for (let time = 0; time < 2; time++) {
      const refused: Refusal[] = []
      const batch = decoder.decode(batchOf('purchases', 0, 0, records), (refusal) => refused.push(refusal))
      assert.equal(batch.rows, 3)
      assert.deepEqual(
        refused.map(({ record, field, reason }) => [record, field, reason]),
        [[2, 'items[].price', 'wrong-type']],
      )
      const [, city, lat, items, tags] = batch.columns
      assert.ok(city?.kind === 'id' && lat?.kind === 'number' && items?.kind === 'list' && tags?.kind === 'list')
      const cities = [...city.values.subarray(0, 3)].map((id) => (id < 0 ? null : city.dictionary.valueOf(id)))
      assert.deepEqual(cities, ['Rio', null, 'nowhere'])
      assert.deepEqual([...lat.values.subarray(0, 3)], [150, Number.NaN, Number.NaN])
      assert.deepEqual(shape(items, 3), { count: 3, parents: [0, 0, 2], first: [0, 2, 2, 3], isNull: [0, 0, 0] })
      assert.deepEqual(shape(tags, 3), { count: 4, parents: [0, 0, 2, 2], first: [0, 2, 2, 4], isNull: [0, 1, 0] })
      const [price, sku, note] = items.elements
      assert.ok(price?.kind === 'number' && sku?.kind === 'id' && note?.kind === 'text')
      assert.deepEqual([...price.values.subarray(0, 3)], [125, 200, 300])
      assert.equal(sku.dictionary, dictionaries['items[].sku'])
      assert.deepEqual(
        [...sku.values.subarray(0, 3)].map((id) => sku.dictionary.valueOf(id)),
        ['x', 'y', 'x'],
      )
      assert.deepEqual(note.values.slice(0, 3), [null, 'n', null])
    }
  })

function shape({ count, parents, first, isNull }: ListColumn, rows: number): object {
  return {
    count,
    parents: [...parents.subarray(0, count)],
    first: [...first.subarray(0, rows + 1)],
    isNull: [...isNull.subarray(0, rows)],
  }
}

test('many elements find their room', () => {
  const [[, decoder]] = decoders() as [[string, Decoder, unknown]]
  const elements = Array.from({ length: 5_000 }, (_, i) => `{"sku":"s${i % 7}","price":${i}}`)
  const batch = decoder.decode(batchOf('purchases', 0, 0, [`{"id":"a",${at},"items":[${elements.join()}]}`]), () =>
    assert.fail(),
  )
  const items = batch.columns[3]
  assert.ok(items?.kind === 'list')
  assert.equal(items.count, 5_000)
  const price = items.elements[0]
  assert.ok(price?.kind === 'number')
  assert.equal(price.values[4_999], 499_900)
})

test('partition, offset and arrival of each row, where it has one; a field of such a name goes before', () => {
  const { id, at: time } = purchases.fields
  const head = {
    topic: 'purchases',
    version: 1,
    partitions: 1,
    outOfOrderMs: 0,
    idleTimeoutMs: 0,
    futureLimitMs: 0,
    doc: '',
  }
  const plain = contract({
    ...head,
    key: 'id',
    eventTime: 'at',
    fields: { id, at: time, _offset: nullable({ kind: 'int64' }, 'Its own.') },
  })
  for (const [of, offsets] of [
    [contract({ ...head, key: 'id', eventTime: 'at', fields: { id, at: time } }), [40, 42]],
    [plain, [7, Number.NaN]],
  ] as const)
    for (const open of [rowDecoder, openDecoder]) {
      const names = ['_arrival', '_offset', '_partition'].map((name) => ({ name, as: 'number' as const }))
      const decoder = open({ contract: of, projections: names, dictionaries: {}, futureLimit: false })
      const given = [`{"id":"a",${at},"_offset":7}`, '{}', `{"id":"b",${at}}`]
      for (let time = 0; time < 2; time++) {
        const source = batchOf('purchases', 0, 40, given, 9_000)
        source.arrivals[2] = -1
        const batch = decoder.decode({ ...source, partition: 5 }, () => {})
        const values = batch.columns.map((column) =>
          column.kind === 'number' ? [...column.values.subarray(0, 2)] : null,
        )
        assert.deepEqual(values, [[9_000, Number.NaN], offsets, [5, 5]], open.name)
      }
    }
})
