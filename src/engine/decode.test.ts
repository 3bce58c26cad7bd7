// The decoder by tables of cases: what a record may look like, why one is refused, and that its neighbours do not care.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contract, field, nullable } from '../query/contract.ts'
import { from } from '../query/query.ts'
import { batchOf, plainRows } from './batches.suite.ts'
import { openJob } from './engine.ts'

const things = contract({
  topic: 'things',
  version: 1,
  partitions: 1,
  key: 'id',
  eventTime: 'at',
  outOfOrderMs: 0,
  idleTimeoutMs: 1000,
  futureLimitMs: 60_000,
  doc: 'all kinds of fields',
  fields: {
    id: field({ kind: 'string' }, 'identity', { aliases: ['identity'] }),
    at: field({ kind: 'timestamp' }, 'when'),
    price: nullable({ kind: 'money', scale: 2, currency: 'USD' }, 'amount', { rules: [{ rule: 'above', bound: 0 }] }),
    quantity: field({ kind: 'int64' }, 'how many', { default: 1, rules: [{ rule: 'at-least', bound: 1 }] }),
    weight: nullable({ kind: 'float64' }, 'kilograms'),
    open: nullable({ kind: 'bool' }, 'yes or no'),
    status: nullable({ kind: 'string' }, 'one of', { rules: [{ rule: 'one-of', values: ['paid', 'shipped'] }] }),
    uuid: nullable({ kind: 'uuid' }, 'uuid'),
    day: nullable({ kind: 'date' }, 'date'),
    address: nullable({ kind: 'struct', fields: { city: field({ kind: 'string' }, 'city') } }, 'where'),
    items: nullable({ kind: 'array', of: { kind: 'struct', fields: { n: field({ kind: 'int64' }, 'n') } } }, 'what'),
  },
})
const all = from(things)
  .select('id', 'at', 'price', 'quantity', 'weight', 'open', 'status', 'uuid', 'day')
  .output({ times: 'iso-milliseconds' })
  .named('all')
const AT = '"at":"2026-01-01T00:00:00Z"'

function decode(record: string | Uint8Array | null, arrivalMs = -1) {
  const job = openJob([all], { bounded: false })
  const good = `{"id":"good",${AT}}`
  job.push(batchOf('things', 0, 7, [good, record, good], arrivalMs))
  const output = job.take()
  const rows = plainRows(output).filter(({ values }) => values.id !== 'good')
  const ledger = job.ledger()[0]
  assert.equal(ledger?.in, 3)
  assert.equal(ledger?.processed, 3 - output.deadLetters.length)
  return { row: rows[0], dead: output.deadLetters[0] }
}

const accepted: readonly (readonly [what: string, record: string, json: object])[] = [
  ['plain', `{"id":"a",${AT}}`, { quantity: 1 }],
  ['another key order, white space', ` {\n"at" : "2026-01-01T00:00:00Z" ,\t"id":"a" }\r\n`, {}],
  ['unknown fields of any shape', `{"x":{"y":[1,{"at":"no"}]},"id":"a",${AT},"z":null}`, {}],
  ['unknown fields twice', `{"x":1,"x":2,"id":"a",${AT}}`, {}],
  ['escapes in names and values', `{"\\u0069d":"\\u0061\\n\\"\\ud83d\\ude00",${AT}}`, { id: 'a\n"😀' }],
  ['accents and emoji', `{"id":"São Paulo 😀",${AT}}`, { id: 'São Paulo 😀' }],
  ['an alias', `{"identity":"a",${AT}}`, { id: 'a' }],
  ['null takes the default', `{"id":"a",${AT},"quantity":null,"price":null}`, { quantity: 1, price: null }],
  ['money', `{"id":"a",${AT},"price":19.99}`, { price: 19.99 }],
  ['whole money', `{"id":"a",${AT},"price":20}`, { price: 20 }],
  ['money with an exponent', `{"id":"a",${AT},"price":2.50E1}`, { price: 25 }],
  ['money with zeros behind', `{"id":"a",${AT},"price":1.1000}`, { price: 1.1 }],
  ['large money', `{"id":"a",${AT},"price":70000000000000.01}`, { price: 70000000000000.01 }],
  ['an integer with an exponent', `{"id":"a",${AT},"quantity":1e3}`, { quantity: 1000 }],
  ['an integer written with a fraction', `{"id":"a",${AT},"quantity":3.0}`, { quantity: 3 }],
  ['the largest integer', `{"id":"a",${AT},"quantity":9007199254740991}`, { quantity: 9007199254740991 }],
  ['a float', `{"id":"a",${AT},"weight":-0.125}`, { weight: -0.125 }],
  ['minus zero is zero', `{"id":"a",${AT},"weight":-0}`, { weight: 0 }],
  ['booleans', `{"id":"a",${AT},"open":false}`, { open: false }],
  [
    'a uuid',
    `{"id":"a",${AT},"uuid":"C69E4724-4ffd-4e7a-abd4-2cbd0abfe949"}`,
    { uuid: 'C69E4724-4ffd-4e7a-abd4-2cbd0abfe949' },
  ],
  ['a date', `{"id":"a",${AT},"day":"2024-02-29"}`, { day: '2024-02-29' }],
  ['a struct and a list', `{"id":"a",${AT},"address":{"city":"x"},"items":[{"n":1},{"n":2}]}`, {}],
  ['__proto__ as a member', `{"__proto__":{"id":"evil"},"id":"a",${AT}}`, { id: 'a' }],
  ['no zone is UTC', '{"id":"a","at":"2026-01-01T03:00:00"}', { at: '2026-01-01T03:00:00.000Z' }],
  ['a zone with a colon', '{"id":"a","at":"2026-01-01T00:00:00-03:00"}', { at: '2026-01-01T03:00:00.000Z' }],
  ['a zone without', '{"id":"a","at":"2026-01-01T00:00:00+0530"}', { at: '2025-12-31T18:30:00.000Z' }],
  ['a fraction of one digit', '{"id":"a","at":"2026-01-01T00:00:00.5Z"}', { at: '2026-01-01T00:00:00.500Z' }],
  ['a fraction of nine', '{"id":"a","at":"2026-01-01T00:00:00.123456789+00:00"}', { at: '2026-01-01T00:00:00.123Z' }],
  ['a time before the epoch', '{"id":"a","at":"1969-12-31T23:59:59.999Z"}', { at: '1969-12-31T23:59:59.999Z' }],
]
for (const [what, record, json] of accepted)
  test(`accepted: ${what}`, () => {
    const { row, dead } = decode(record)
    assert.equal(dead, undefined)
    const read = JSON.parse(row?.json ?? '{}')
    for (const [name, value] of Object.entries(json)) assert.deepEqual(read[name], value, `${name} in ${row?.json}`)
  })

const deep = `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`
const refused: readonly (readonly [what: string, record: string | Uint8Array | null, reason: string, field: string])[] =
  [
    ['a tombstone', null, 'tombstone', ''],
    ['nothing', '', 'not-json', ''],
    ['half a record', '{"id":"a"', 'not-json', ''],
    ['two records', `{"id":"a",${AT}}{}`, 'not-json', ''],
    ['single quotes', "{'id':'a'}", 'not-json', ''],
    ['NaN', `{"id":"a",${AT},"weight":NaN}`, 'not-json', ''],
    ['a raw NUL', `{"id":"a\0",${AT}}`, 'not-json', ''],
    ['a raw line feed in text', `{"id":"a\n",${AT}}`, 'not-json', ''],
    ['a leading zero', `{"id":"a",${AT},"quantity":01}`, 'not-json', ''],
    ['a trailing comma', `{"id":"a",${AT},}`, 'not-json', ''],
    ['a byte order mark', `\ufeff{"id":"a",${AT}}`, 'not-json', ''],
    ['bad UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), 'not-utf8', ''],
    ['UTF-8 cut short', new TextEncoder().encode('{"id":"é"}').subarray(0, 8), 'not-utf8', ''],
    ['nesting without end', deep, 'too-deep', ''],
    ['nesting just too deep', `{"x":${'['.repeat(64)}${']'.repeat(64)},"id":"a",${AT}}`, 'too-deep', ''],
    ['a list', '[1]', 'wrong-type', ''],
    ['text', '"a"', 'wrong-type', ''],
    ['null', 'null', 'wrong-type', ''],
    ['a missing field', `{${AT}}`, 'missing', 'id'],
    ['a required null', `{"id":null,${AT}}`, 'missing', 'id'],
    ['a missing time', '{"id":"a"}', 'missing', 'at'],
    ['a name the prototype answers', `{"toString":1,${AT}}`, 'missing', 'id'],
    ['a known field twice', `{"id":"a","id":"b",${AT}}`, 'duplicate-key', 'id'],
    ['a known field twice, once escaped', `{"id":"a","\\u0069d":"b",${AT}}`, 'duplicate-key', 'id'],
    ['a number for text', `{"id":7,${AT}}`, 'wrong-type', 'id'],
    ['half a surrogate pair', `{"id":"\\ud800",${AT}}`, 'wrong-type', 'id'],
    ['text for money', `{"id":"a",${AT},"price":"9.99"}`, 'wrong-type', 'price'],
    ['money too fine', `{"id":"a",${AT},"price":9.999}`, 'scale', 'price'],
    ['the rest of float maths', `{"id":"a",${AT},"price":0.30000000000000004}`, 'scale', 'price'],
    ['money beyond what is exact', `{"id":"a",${AT},"price":90071992547409.93}`, 'range', 'price'],
    ['infinity', `{"id":"a",${AT},"price":1e999}`, 'range', 'price'],
    ['an infinite float', `{"id":"a",${AT},"weight":1e999}`, 'range', 'weight'],
    ['an integer beyond 2^53', `{"id":"a",${AT},"quantity":9007199254740993}`, 'range', 'quantity'],
    ['half a piece', `{"id":"a",${AT},"quantity":1.5}`, 'wrong-type', 'quantity'],
    ['a negative price', `{"id":"a",${AT},"price":-1}`, 'rule', 'price'],
    ['nothing sold', `{"id":"a",${AT},"quantity":0}`, 'rule', 'quantity'],
    ['a status that is none', `{"id":"a",${AT},"status":"lost"}`, 'rule', 'status'],
    ['a uuid too short', `{"id":"a",${AT},"uuid":"c69e4724"}`, 'wrong-type', 'uuid'],
    ['a day that is none', `{"id":"a",${AT},"day":"2025-02-29"}`, 'wrong-type', 'day'],
    ['a missing field inside', `{"id":"a",${AT},"address":{}}`, 'missing', 'address.city'],
    ['a wrong type in a list', `{"id":"a",${AT},"items":[{"n":1},{"n":"2"}]}`, 'wrong-type', 'items[].n'],
    ['a time that is none', '{"id":"a","at":"yesterday"}', 'wrong-type', 'at'],
    ['a day without time', '{"id":"a","at":"2026-01-01"}', 'wrong-type', 'at'],
    ['an hour that is none', '{"id":"a","at":"2026-01-01T24:00:00Z"}', 'wrong-type', 'at'],
    ['a zone that is none', '{"id":"a","at":"2026-01-01T00:00:00+3"}', 'wrong-type', 'at'],
    ['a time as a number', '{"id":"a","at":1767225600}', 'wrong-type', 'at'],
  ]
for (const [what, record, reason, name] of refused)
  test(`refused: ${what}`, () => {
    const { dead } = decode(record)
    assert.deepEqual([dead?.reason, dead?.field], [reason, name], dead?.message)
    const bytes = typeof record === 'string' ? new TextEncoder().encode(record) : (record ?? new Uint8Array(0))
    assert.deepEqual(dead?.value, bytes)
    assert.equal(dead?.offset, 8)
    assert.ok((dead?.message.length ?? 999) < 300)
  })

test('64 levels are read, and 1 MiB of text', () => {
  assert.equal(decode(`{"x":${'['.repeat(63)}${']'.repeat(63)},"id":"a",${AT}}`).dead, undefined)
  assert.equal(decode(`{"id":"${'x'.repeat(2 ** 20)}",${AT}}`).dead, undefined)
})

test('events ahead of their arrival by more than the limit are refused and never move a watermark', () => {
  const arrivalMs = Date.UTC(2026, 0, 1)
  assert.equal(decode('{"id":"a","at":"2026-01-01T00:01:00Z"}', arrivalMs).dead, undefined)
  assert.equal(decode('{"id":"a","at":"2026-01-01T00:01:00.001Z"}', arrivalMs).dead?.reason, 'future')
  const job = openJob([all], { bounded: false })
  job.push(batchOf('things', 0, 0, ['{"id":"a","at":"2027-01-01T00:00:00Z"}', `{"id":"b",${AT}}`], arrivalMs))
  assert.equal(job.watermarkMs('things'), arrivalMs)
  assert.equal(Object.hasOwn(Object.prototype, 'id'), false)
})
