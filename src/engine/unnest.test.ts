// Rows of a list: the elements of each record, with its own columns beside them, through steps, windows and joins.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contract, field, nullable } from '../query/contract.ts'
import { count, from, sum, tumbling } from '../query/query.ts'
import { batchOf, plainRows } from './batches.suite.ts'
import { openJob } from './engine.ts'

const purchases = contract({
  topic: 'purchases',
  version: 1,
  partitions: 2,
  key: 'id',
  eventTime: 'at',
  outOfOrderMs: 1000,
  idleTimeoutMs: 1000,
  futureLimitMs: 1000,
  doc: 'test events',
  fields: {
    id: field({ kind: 'string' }, 'identity'),
    note: nullable({ kind: 'string' }, 'passes through'),
    at: field({ kind: 'timestamp' }, 'when'),
    items: nullable(
      {
        kind: 'array',
        of: {
          kind: 'struct',
          fields: {
            product: field({ kind: 'string' }, 'what'),
            price: field({ kind: 'money', scale: 2, currency: 'USD' }, 'for one'),
            quantity: nullable({ kind: 'int64' }, 'how many'),
          },
        },
      },
      'lines',
    ),
    tags: nullable({ kind: 'array', of: { kind: 'string' } }, 'words'),
  },
})
const record = (id: string, at: number, items: unknown, tags: unknown = null): string =>
  JSON.stringify({ id, note: `note ${id}`, at: new Date(at).toISOString(), items, tags })
const line = (product: string, price: number, quantity: number | null = 1) => ({ product, price, quantity })

test('a row for each element, with the columns of its record; none of an empty or missing list', () => {
  const plan = from(purchases)
    .filter((p) => p.id.differs('skipped'))
    .unnest('items')
    .derive((row) => ({ total: row.price.times(row.quantity) }))
    .filter((row) => row.product.differs('nothing'))
    .select('id', 'note', 'product', 'total')
    .named('lines')
  const job = openJob([plan], { bounded: true })
  job.push(
    batchOf('purchases', 1, 5, [
      record('a', 0, [line('pen', 1.5, 2), line('nothing', 1), line('ink', 3)]),
      record('skipped', 0, [line('pen', 1)]),
      record('b', 0, []),
      record('c', 0, null),
      record('d', 0, [line('pen', 2, null)]),
    ]),
  )
  assert.deepEqual(
    plainRows(job.take()).map(({ values, evidence }) => [Object.values(values), evidence[0]?.offsetMin]),
    [
      [['a', 'note a', 'pen', 300], 5],
      [['a', 'note a', 'ink', 300], 5],
      [['d', 'note d', 'pen', null], 9],
    ],
  )
})

test('elements are grouped in windows; a record that is too late is told of once', () => {
  const plan = from(purchases)
    .unnest('items')
    .window(tumbling({ sizeMs: 1000 }))
    .groupBy('product')
    .aggregate((row) => ({ revenue: sum(row.price), lines: count() }))
    .named('by-product')
  const run = (cut: number): unknown => {
    let job = openJob([plan], { bounded: false, partitions: { purchases: 1 } })
    const texts = [
      record('a', 100, [line('pen', 1), line('ink', 2)]),
      record('b', 900, [line('pen', 4)]),
      record('c', 5000, [line('pen', 8)]),
      record('d', 200, [line('pen', 16), line('ink', 16)]),
    ]
    const rows: unknown[] = []
    const late: number[] = []
    for (let at = 0; at < texts.length; at += cut) {
      job.push(batchOf('purchases', 0, at, texts.slice(at, at + cut)))
      const output = job.take()
      late.push(...output.lateRecords.map(({ offset }) => offset))
      rows.push(
        ...plainRows(output).map(({ values }) => [values.window_start, values.product, values.revenue, values.lines]),
      )
      const snapshot = job.snapshot()
      job = openJob([plan], { bounded: false, partitions: { purchases: 1 } })
      job.restore(snapshot)
    }
    job.finish()
    rows.push(
      ...plainRows(job.take()).map(({ values }) => [values.window_start, values.product, values.revenue, values.lines]),
    )
    assert.equal(job.ledger()[0]?.late, 1)
    return { rows, late }
  }
  const expected = {
    rows: [
      [0, 'ink', 200, 1],
      [0, 'pen', 500, 2],
      [5000, 'pen', 800, 1],
    ],
    late: [3],
  }
  for (const cut of [1, 2, 3, 4]) assert.deepEqual(run(cut), expected)
})

test('elements of plain values come under the name of the list; two lists of one record, in two plans, and joined', () => {
  const words = from(purchases).unnest('tags').select('id', 'tags').named('words')
  const lines = from(purchases).unnest('items').select('id', 'at', 'product')
  const tagged = from(purchases).unnest('tags').select('id', 'at', 'tags').rename({ id: 'other', at: 'then' })
  const pairs = lines
    .join(tagged, { how: 'interval', side: 'inner', on: { id: 'other' }, beforeMs: 0, afterMs: 0 })
    .select('product', 'tags')
    .named('pairs')
  const job = openJob([words, pairs], { bounded: true })
  job.push(batchOf('purchases', 0, 0, [record('a', 0, [line('pen', 1), line('ink', 1)], ['x', 'y'])]))
  job.finish()
  const rows = plainRows(job.take())
  const shown = (plan: string): unknown[] =>
    rows.filter((row) => row.plan === plan).map(({ values }) => Object.values(values).join(' '))
  assert.deepEqual(shown('words'), ['a x', 'a y'])
  assert.deepEqual(shown('pairs').sort(), ['ink x', 'ink y', 'pen x', 'pen y'])
})

test('a list does not go through what keeps rows', () => {
  const right = from(purchases).select('id', 'at').rename({ at: 'then' })
  const plan = from(purchases)
    .join(right, { how: 'latest', side: 'inner', on: { id: 'id' } })
    .unnest('items')
    .named('kept')
  assert.throws(
    () => openJob([plan], { bounded: true }),
    /the array 'items' does not go through a 'join' here\. Unnest it/,
  )
})

test('a record of which one element is refused is a dead letter, and its other elements go no further', () => {
  const plan = from(purchases)
    .unnest('items')
    .derive((row) => ({ total: row.price.times(row.quantity) }))
    .select('id', 'total')
    .named('totals')
  const job = openJob([plan], { bounded: true })
  const huge = line('gold', 90_000_000_000_000, 1000)
  job.push(batchOf('purchases', 0, 0, [record('a', 0, [line('pen', 1), huge, huge]), record('b', 0, [line('pen', 2)])]))
  const output = job.take()
  assert.deepEqual(
    output.deadLetters.map(({ offset, reason }) => [offset, reason]),
    [[0, 'overflow']],
  )
  assert.deepEqual(
    plainRows(output).map(({ values }) => values.id),
    ['b'],
  )
  assert.deepEqual([job.ledger()[0]?.deadLettered, job.ledger()[0]?.processed], [1, 1])
})
