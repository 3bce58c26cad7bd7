// How bodies are cut into records: exact bytes, strings that look like structure, what is no array, limits.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Division, sliceDocument, sliceLines, slicesOf } from './record-slices.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
function texts(division: Division): string[] | string {
  if (division.kind !== 'records') return division.kind
  const { bytes, count, starts, ends } = division.records
  return Array.from({ length: count }, (_, i) => new TextDecoder().decode(bytes.subarray(starts[i], ends[i])))
}

const documents: [name: string, body: string, records: string[] | string][] = [
  ['one object', ' {"a":1}\n', ['{"a":1}']],
  ['an object that is broken inside is for the check', '{"a":}', ['{"a":}']],
  ['two elements, spaces kept inside only', '[ {"a" : 1} ,\n{"b":2}\t]', ['{"a" : 1}', '{"b":2}']],
  [
    'brackets, commas and quotes inside strings',
    '[{"a":"],[\\"}{"},{"b":"\\\\"}]',
    ['{"a":"],[\\"}{"}', '{"b":"\\\\"}'],
  ],
  ['arrays and objects inside', '[{"a":[1,{"b":[2,3]}]},{"c":{}}]', ['{"a":[1,{"b":[2,3]}]}', '{"c":{}}']],
  ['elements that are no objects are for the check', '[1,"x",null]', ['1', '"x"', 'null']],
  ['letters of several bytes', '[{"a":"ção"},{"b":"日本"}]', ['{"a":"ção"}', '{"b":"日本"}']],
  ['an empty array', '[ ]', []],
  ['nothing', '', 'malformed'],
  ['only space', ' \n', 'malformed'],
  ['a number', '12', 'malformed'],
  ['a text', '"[]"', 'malformed'],
  ['a byte order mark', '\ufeff{"a":1}', 'malformed'],
  ['an array that does not end', '[{"a":1}', 'malformed'],
  ['only its beginning', '[', 'malformed'],
  ['an element that does not end', '[{"a":1]', 'malformed'],
  ['a string that does not end', '[{"a":"x}]', 'malformed'],
  ['a string that ends in an escape', '["\\"]', 'malformed'],
  ['one bracket too many', '[{"a":1}},{"b":2}]', 'malformed'],
  ['a comma too many', '[{"a":1},]', 'malformed'],
  ['a missing element', '[{"a":1},,{"b":2}]', 'malformed'],
  ['four records where three may be', '[1,2,3,4]', 'too-many'],
]
test('a document is one record or an array of them', () => {
  for (const [name, body, records] of documents) assert.deepEqual(texts(sliceDocument(bytes(body), 3)), records, name)
})

const lines: [name: string, body: string, records: string[] | string][] = [
  ['a line each, the last without an end', '{"a":1}\n{"b":2}', ['{"a":1}', '{"b":2}']],
  ['blank lines and carriage returns', '\r\n{"a":1}\r\n\n  \n{"b":2}\n\n', ['{"a":1}', '{"b":2}']],
  ['nothing', '', []],
  ['exactly as many as may be', '1\n2\n3\n', ['1', '2', '3']],
  ['one more', '1\n2\n3\n4', 'too-many'],
]
test('lines are a record each', () => {
  for (const [name, body, records] of lines) assert.deepEqual(texts(sliceLines(bytes(body), 3)), records, name)
})

test('whatever JSON array: the slices are its elements', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue(), { maxLength: 20 }), fc.nat({ max: 3 }), (values, indent) => {
      const cut = texts(sliceDocument(bytes(JSON.stringify(values, null, indent)), 100))
      assert.ok(Array.isArray(cut))
      assert.deepEqual(
        cut.map((text) => JSON.parse(text)),
        JSON.parse(JSON.stringify(values)),
      )
    }),
  )
})

test('whatever bytes: never a throw, never a slice outside', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('[', ']', '{', '}', '"', '\\', ',', ' ', 'a'), maxLength: 40 }),
      (body) => {
        const cut = sliceDocument(bytes(body), 100)
        if (cut.kind !== 'records') return
        const { count, starts, ends } = cut.records
        for (let i = 0; i < count; i++) assert.ok(starts[i]! < ends[i]! && ends[i]! <= body.length && starts[i]! >= 0)
      },
    ),
  )
})

test('records made here lie one after the other', () =>
  assert.deepEqual(texts({ kind: 'records', alone: false, records: slicesOf(['{"é":1}', '{}']) }), ['{"é":1}', '{}']))
