// franz-go, the client in Go, against our broker: every codec, every assignor, transactions, admin.
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { goClient, saysOk, stranger, withoutGo } from './strangers.suite.ts'
import { freshTopic, openTestBroker, type TestBroker } from './test-broker.suite.ts'

suite('franz-go', { skip: withoutGo }, () => {
  let broker: TestBroker
  before(async () => {
    broker = await openTestBroker()
  })
  after(() => broker.close())
  const run = (section: string): readonly string[] => [goClient, broker.address, freshTopic(section), section]

  test('produce and consume in every codec', async () => {
    // Go walks a map in an order of its own.
    const lines = (await stranger(run('produce'))).trim().split('\n').sort()
    assert.deepEqual(
      lines,
      ['gzip', 'lz4', 'none', 'snappy', 'zstd'].map((codec) => `ok produce ${codec}`),
    )
  })
  test('groups by every assignor', () =>
    saysOk(
      run('group'),
      ['range', 'roundrobin', 'sticky', 'cooperative-sticky'].map((name) => `group ${name}`),
    ))
  test('transactions', () => saysOk(run('transactions'), ['transactions', 'transactions copy']))
  test('admin', () =>
    saysOk(
      run('admin'),
      ['configs', 'partitions', 'records', 'transactions', 'delete'].map((what) => `admin ${what}`),
    ))
})
