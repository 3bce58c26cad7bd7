// CSV gives the rows and refusals of the same records in JSON; Avro its own framing and what the registry does not know.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Contract, contract, field, nullable } from '../query/contract.ts'
import { from } from '../query/query.ts'
import { batchOf, plainRows } from './batches.suite.ts'
import { type AvroReaders, avroSchemaId, openJob } from './engine.ts'

const fields = {
  id: field({ kind: 'string' }, 'identity'),
  at: field({ kind: 'timestamp' }, 'when'),
  price: nullable({ kind: 'money', scale: 2, currency: 'USD' }, 'amount', { rules: [{ rule: 'above', bound: 0 }] }),
  quantity: field({ kind: 'int64' }, 'how many', { default: 1 }),
  weight: nullable({ kind: 'float64' }, 'kilograms'),
  open: nullable({ kind: 'bool' }, 'yes or no'),
  day: nullable({ kind: 'date' }, 'date'),
  tags: nullable({ kind: 'array', of: { kind: 'string' } }, 'labels'),
  note: nullable({ kind: 'string' }, 'text'),
} as const
const things = {
  topic: 'things',
  version: 1,
  partitions: 1,
  key: 'id',
  eventTime: 'at',
  outOfOrderMs: 0,
  idleTimeoutMs: 1000,
  futureLimitMs: 60_000,
  doc: 'all kinds of fields',
  fields,
} as const
const plan = (more: Pick<Contract, 'format' | 'csv'>) =>
  from(contract({ ...things, ...more }))
    .select('id', 'at', 'price', 'quantity', 'weight', 'open', 'day', 'note')
    .output({ times: 'iso-milliseconds' })
    .named('all')

function decoded(
  more: Pick<Contract, 'format' | 'csv'>,
  records: readonly (string | Uint8Array | null)[],
  avro?: AvroReaders,
) {
  const job = openJob([plan(more)], { bounded: false, ...(avro === undefined ? {} : { avro }) })
  job.push(batchOf('things', 0, 7, [...records], -1))
  const output = job.take()
  const dead = output.deadLetters.map(({ offset, reason, field }) => ({ offset, reason, field }))
  return { rows: plainRows(output).map(({ json }) => json), dead }
}
const AT = '2026-01-01T00:00:00Z'

test('CSV: the rows of the same values in JSON', () => {
  const pairs: readonly (readonly [csv: string, json: object])[] = [
    [`a,${AT},,,,,,,`, { id: 'a', at: AT }],
    [
      `a,${AT},19.99,3,-0.125,true,2024-02-29,"[""x"",""y""]",hello`,
      {
        id: 'a',
        at: AT,
        price: 19.99,
        quantity: 3,
        weight: -0.125,
        open: true,
        day: '2024-02-29',
        tags: ['x', 'y'],
        note: 'hello',
      },
    ],
    [
      `"a,b ""c""",${AT},2.50E1,1e3,,false,,,""`,
      { id: 'a,b "c"', at: AT, price: 25, quantity: 1000, open: false, note: '' },
    ],
    [`"two\nlines",${AT},"7",,,,,,São Paulo 😀\r\n`, { id: 'two\nlines', at: AT, price: 7, note: 'São Paulo 😀' }],
    [
      `a,2026-01-01T00:00:00-03:00,70000000000000.01,9007199254740991,,,,[],007`,
      {
        id: 'a',
        at: '2026-01-01T00:00:00-03:00',
        price: 70000000000000.01,
        quantity: 9007199254740991,
        tags: [],
        note: '007',
      },
    ],
  ]
  const csv = decoded(
    { format: 'csv' },
    pairs.map(([line]) => line),
  )
  const json = decoded(
    {},
    pairs.map(([, object]) => JSON.stringify(object)),
  )
  assert.equal(csv.rows.length, pairs.length)
  assert.deepEqual(csv, json)
})

test('CSV: the refusals of the same values in JSON', () => {
  const pairs: readonly (readonly [csv: string, json: object])[] = [
    [`,${AT},,,,,,,`, { at: AT }],
    ['a,yesterday,,,,,,,', { id: 'a', at: 'yesterday' }],
    [`a,${AT},9.999,,,,,,`, { id: 'a', at: AT, price: 9.999 }],
    [`a,${AT},-1,,,,,,`, { id: 'a', at: AT, price: -1 }],
    [`a,${AT},"nine",,,,,,`, { id: 'a', at: AT, price: 'nine' }],
    [`a,${AT},,01,,,,,`, { id: 'a', at: AT, quantity: '01' }],
    [`a,${AT},,9007199254740993,,,,,`, { id: 'a', at: AT, quantity: 9007199254740993n }],
    [`a,${AT},,,NaN,,,,`, { id: 'a', at: AT, weight: 'NaN' }],
    [`a,${AT},,,,TRUE,,,`, { id: 'a', at: AT, open: 'TRUE' }],
    [`a,${AT},,,,,2025-02-29,,`, { id: 'a', at: AT, day: '2025-02-29' }],
    [`a,${AT},,,,,,[1],`, { id: 'a', at: AT, tags: [1] }],
    [`a,${AT},,,,,,x,`, { id: 'a', at: AT, tags: 'x' }],
  ]
  // A number that JavaScript would round.
  const text = (object: object): string =>
    JSON.stringify(object, (_, value: unknown) => (typeof value === 'bigint' ? `#${value}#` : value)).replaceAll(
      /"#|#"/g,
      '',
    )
  const csv = decoded(
    { format: 'csv' },
    pairs.map(([line]) => line),
  )
  const json = decoded(
    {},
    pairs.map(([, object]) => text(object)),
  )
  assert.equal(csv.dead.length, pairs.length)
  assert.deepEqual(csv, json)
})

test('CSV: what is no line of so many cells is refused, its neighbours are not', () => {
  const good = `a,${AT},,,,,,,`
  const bad = [
    '',
    'a',
    `${good},`,
    `${good}\n${good}`,
    `"a,${AT},,,,,,,`,
    `a"b"c,${AT},,,,,,,x"`,
    new Uint8Array([0xff]),
  ]
  const { rows, dead } = decoded({ format: 'csv' }, [good, ...bad, null, good])
  assert.equal(rows.length, 2)
  assert.deepEqual(
    dead.map(({ reason }) => reason),
    ['not-csv', 'not-csv', 'not-csv', 'not-csv', 'not-csv', 'not-csv', 'not-utf8', 'tombstone'],
  )
})

test('CSV: other delimiters, columns in another order, columns that the contract does not know', () => {
  const csv = { delimiter: ';', columns: ['at', 'extra', 'id'] }
  const { rows } = decoded({ format: 'csv', csv }, [`${AT};x,y;a`])
  assert.deepEqual(rows, decoded({}, [JSON.stringify({ id: 'a', at: AT })]).rows)
})

test('Avro: the id in front, a schema that the registry does not know, bytes that are not those of the schema', () => {
  const framed = (id: number, ...rest: readonly number[]): Uint8Array => {
    const bytes = new Uint8Array(5 + rest.length)
    new DataView(bytes.buffer).setUint32(1, id)
    bytes.set(rest, 5)
    return bytes
  }
  assert.equal(avroSchemaId(framed(0xfffffffe), 0, 5), 0xfffffffe)
  assert.equal(avroSchemaId(framed(7), 0, 4), null)
  const asked: number[] = []
  const avro: AvroReaders = {
    reader(id) {
      asked.push(id)
      if (id === 9) return null
      return {
        read: ([first]) =>
          first === 1
            ? { value: { id: 'a', at: AT } }
            : first === 2
              ? { value: [] }
              : { fault: 'not-avro', message: 'no' },
      }
    },
  }
  const { rows, dead } = decoded(
    { format: 'avro' },
    [framed(7, 1), framed(9, 1), framed(7, 2), framed(7, 3), '{}', null],
    avro,
  )
  assert.equal(rows.length, 1)
  assert.deepEqual(
    dead.map(({ reason }) => reason),
    ['unknown-schema', 'wrong-type', 'not-avro', 'not-avro', 'tombstone'],
  )
  assert.deepEqual(asked, [7, 9, 7, 7])
})
