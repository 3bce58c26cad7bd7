// The comparison must see every kind of difference: a cent, a missing row, a row too many, a value that is no money.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Column, differences, readTable, type TableForm } from './compare.ts'

const columns: readonly Column[] = [
  { name: 'end', kind: 'text', key: true },
  { name: 'product', kind: 'text', key: true },
  { name: 'sales', kind: 'integer' },
  { name: 'revenue', kind: 'money' },
]
const oursForm: TableForm = { columns, money: 'decimal', again: 'fault' }
const peerForm: TableForm = { columns, money: 'minor', again: 'fault' }

const ours = [
  '{"end":"00:01","product":"a","sales":2,"revenue":10.05,"more":"is ignored"}',
  '{"revenue":0.1,"end":"00:02","product":"a","sales":1}',
  '',
].join('\n')
const peer = [
  '{"end":"00:02","product":"a","sales":1,"revenue":10}',
  '{"end":"00:01","product":"a","sales":2,"revenue":1005}',
].join('\n')

test('equal tables: the order of rows and of fields does not matter', () => {
  assert.deepEqual(differences(readTable(ours, oursForm), readTable(peer, peerForm), columns), [])
})

test('a cent is seen and named', () => {
  const off = readTable(peer.replace('1005', '1004'), peerForm)
  assert.deepEqual(differences(readTable(ours, oursForm), off, columns), [
    'end=00:01 product=a: revenue ours 1005, peer 1004',
  ])
})

test('missing and surplus rows are seen on either side', () => {
  const shorter = readTable(peer.split('\n')[0]!, peerForm)
  const whole = readTable(ours, oursForm)
  assert.match(differences(whole, shorter, columns)[0]!, /^end=00:01 product=a: the peer has no such row/)
  assert.match(differences(shorter, whole, columns)[0]!, /^end=00:01 product=a: ours has no such row/)
})

test('only the first differences are told', () => {
  const rows = Array.from({ length: 50 }, (_, i) => `{"end":"${i}","product":"a","sales":1,"revenue":1}`).join('\n')
  assert.equal(differences(readTable(rows, peerForm), new Map(), columns, 7).length, 7)
})

test('money is exact: large amounts keep their cents, a third decimal is refused', () => {
  const large = readTable('{"end":"1","product":"a","sales":1,"revenue":90071992547.33}', oursForm)
  assert.equal(large.get('end=1 product=a')?.[3], '9007199254733')
  assert.throws(
    () => readTable('{"end":"1","product":"a","sales":1,"revenue":1.005}', oursForm),
    /line 1, revenue: 1.005 is not money/,
  )
  assert.throws(() => readTable('{"end":"1","product":"a","sales":1,"revenue":1.5}', peerForm), /is not money/)
})

test('a missing column and a wrong type are refused', () => {
  assert.throws(() => readTable('{"end":"1","product":"a","revenue":1}', oursForm), /sales: undefined is not integer/)
  assert.throws(() => readTable('{"end":1,"product":"a","sales":1,"revenue":1}', oursForm), /end: 1 is not text/)
})

test('a second row of a key is a fault, or a correction where corrections are expected', () => {
  const twice = [
    '{"end":"1","product":"a","sales":1,"revenue":1}',
    '{"end":"1","product":"a","sales":2,"revenue":3}',
  ].join('\n')
  assert.throws(() => readTable(twice, oursForm), /line 2: a second row for end=1 product=a/)
  const corrected = readTable(twice, { ...oursForm, again: 'replaces' })
  assert.deepEqual(corrected.get('end=1 product=a'), ['1', 'a', '2', '300'])
})
