// The records of a job's topic: written, read back, and refused where they are not what the house writes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LogError } from '../../log/log.ts'
import { JobRecords, jobTopic, type Run, readJobRecord, runsInRecordMax } from './job-records.ts'
import { Positions, ticksId } from './positions.ts'
import { recordsWithin } from './reading.ts'

test('names of topics: readable, one for each job, within what Kafka takes', () => {
  assert.equal(jobTopic('sales'), 'millrace.job.sales')
  assert.equal(jobTopic('a b/ü.x_y'), 'millrace.job.a_20b_2f_c3_bc_2ex_5fy')
  const long = [jobTopic('x'.repeat(249)), jobTopic(`${'x'.repeat(248)}y`), jobTopic('ü'.repeat(100))]
  assert.equal(new Set(long).size, 3)
  for (const name of [...long, jobTopic('.'), jobTopic('a-b')]) {
    assert.match(name, /^[a-zA-Z0-9._-]+$/)
    assert.ok(name.length <= 249)
  }
  assert.notEqual(jobTopic('a.5f'), jobTopic('a_'))
})

test('owner, commit, order and tick come back as they were written; a long order in several records', () => {
  const id = 'AQEBAQEBAQEBAQEBAQEBAQ'
  const runs: Run[] = Array.from({ length: runsInRecordMax + 1 }, (_, i) =>
    i % 3 === 0
      ? { id: ticksId, partition: 0, from: i, to: i + 1 }
      : { id, partition: i % 2, from: i * 10, to: i * 10 + 7 },
  )
  const cursor = new Positions().cursor()
  const records = new JobRecords(1).owner(3).tick('abc-1', Uint8Array.of(1, 2, 3))
  assert.deepEqual(records.order(7, runs), ['order/7/0', 'order/7/1'])
  records.commit(7, 3, cursor).gone('tick/old')
  const read = recordsWithin(records.batch()).map(({ key, value }) => readJobRecord('t', key, value))
  assert.deepEqual(read[0], { kind: 'owner', epoch: 3 })
  assert.deepEqual(read[1], { kind: 'tick', key: 'tick/abc-1', payload: Uint8Array.of(1, 2, 3) })
  const orders = read.flatMap((record) => (record.kind === 'order' ? [record] : []))
  assert.deepEqual(
    orders.map(({ number, part, runs: own }) => [number, part, own.length]),
    [
      [7, 0, runsInRecordMax],
      [7, 1, 1],
    ],
  )
  assert.deepEqual(
    orders.flatMap(({ runs: own }) => own),
    runs,
  )
  assert.deepEqual(read.slice(-2), [
    { kind: 'commit', number: 7, epoch: 3, cursor },
    { kind: 'gone', key: 'tick/old' },
  ])
})

test('what the house has not written is named', () => {
  const cases: [key: string, value: string][] = [
    ['owner', 'no json'],
    ['owner', '{"v":2,"epoch":1}'],
    ['owner', '{"v":1}'],
    ['commit', '{"v":1,"number":1,"epoch":1}'],
    ['commit', '{"v":1,"number":1,"epoch":1,"cursor":"j7"}'],
    ['order/1/0', '{"v":1,"topics":[],"runs":[0,0,1,2]}'],
    ['order/1/0', '{"v":1,"topics":["a"],"runs":[0,0,2,2]}'],
    ['order/1/0', '{"v":1,"topics":["a"],"runs":[0,0,1]}'],
    ['order/one/0', '{"v":1}'],
    ['else', '{"v":1}'],
  ]
  for (const [key, value] of cases) {
    assert.throws(() => readJobRecord('t', key, new TextEncoder().encode(value)), LogError, `${key} ${value}`)
  }
})
