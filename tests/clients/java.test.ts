// Apache Kafka's own Java clients and tools against our broker: topic ids (Produce 13, Fetch 13+), flexible versions, the
// default idempotent producer, both group protocols, transactions of version 2, a Streams application with exactly-once.
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { z } from 'zod'
import { partitionOfKey } from '../../src/wire/partitioner.ts'
import { codecOf } from '../../src/wire/record-batch.ts'
import { java, javaSource, saysOk, stranger, withoutJava } from './strangers.suite.ts'
import { freshTopic, openTestBroker, storedBatches, type TestBroker } from './test-broker.suite.ts'

const jsonLines = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => z.record(z.string(), z.unknown()).parse(JSON.parse(line)))

suite('Java', { skip: withoutJava }, () => {
  let broker: TestBroker
  before(async () => {
    broker = await openTestBroker()
  })
  after(() => broker.close())

  test('admin, producer, consumer; equal keys where we would put them; batches stored compressed', async () => {
    const prefix = freshTopic('java')
    const out = await stranger(java(javaSource('RoundTrip.java'), broker.address, prefix))
    const lines = out.trimEnd().split('\n')
    assert.equal(lines.at(-1), 'done')
    const partitions = lines.map((line) => line.split('\t')).filter(([kind]) => kind === 'partition')
    assert.equal(partitions.length, 100)
    for (const [, key, partition] of partitions) {
      assert.equal(Number(partition), partitionOfKey(Buffer.from(key!), 6), `partition of "${key}"`)
    }
    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
      const batches = (
        await Promise.all([0, 1, 2, 3, 4, 5].map((p) => storedBatches(broker, `${prefix}-${codec}`, p)))
      ).flat()
      assert.deepEqual(new Set(batches.map((batch) => codecOf(batch))), new Set([codec]))
    }
  })

  for (const protocol of ['classic', 'consumer']) {
    test(`consumer groups by the ${protocol} protocol`, () =>
      saysOk(
        java(javaSource('Groups.java'), broker.address, freshTopic('java'), protocol),
        ['described', 'read', 'reset', 'deleted'].map((what) => `${what} ${protocol}`),
      ))
  }

  test('a Streams application with exactly-once, closed and started again', () =>
    saysOk(java(javaSource('StreamsCount.java'), broker.address, freshTopic('java')), ['streams']))

  test('what VerifiableProducer is told to be stored is there once, and VerifiableConsumer reads all of it', async () => {
    const topic = freshTopic('verifiable')
    const count = 2_000
    const produced = jsonLines(
      await stranger(
        java(
          'org.apache.kafka.tools.VerifiableProducer',
          ...['--bootstrap-server', broker.address, '--topic', topic, '--max-messages', `${count}`, '--acks', '-1'],
        ),
      ),
    )
    const acked = produced.filter(({ name }) => name === 'producer_send_success')
    assert.equal(acked.length, count)
    assert.equal(new Set(acked.map(({ partition, offset }) => `${partition}/${offset}`)).size, count)
    const consumed = jsonLines(
      await stranger(
        java(
          'org.apache.kafka.tools.VerifiableConsumer',
          ...['--bootstrap-server', broker.address, '--topic', topic, '--group-id', `${topic}-group`],
          ...['--max-messages', `${count}`, '--reset-policy', 'earliest', '--verbose'],
        ),
      ),
    )
    const values = consumed.filter(({ name }) => name === 'record_data').map(({ value }) => String(value))
    assert.equal(values.length, count)
    assert.deepEqual(new Set(values), new Set(acked.map(({ value }) => String(value))))
  })

  test('TransactionalMessageCopier with random aborts: the committed copy equals the input', async () => {
    const [input, output] = [freshTopic('copier-input'), freshTopic('copier-output')]
    const count = 500
    await stranger(
      java(
        'org.apache.kafka.tools.VerifiableProducer',
        ...['--bootstrap-server', broker.address, '--topic', input, '--max-messages', `${count}`, '--acks', '-1'],
      ),
    )
    await stranger(
      java(
        'org.apache.kafka.tools.TransactionalMessageCopier',
        ...['--broker-list', broker.address, '--transactional-id', `${input}-tx`, '--consumer-group', `${input}-group`],
        ...['--input-topic', input, '--output-topic', output, '--input-partition', '0', '--max-messages', `${count}`],
        ...['--transaction-size', '37', '--enable-random-aborts', '--use-group-metadata', '--group-mode'],
      ),
    )
    const read = await stranger(
      java(
        'org.apache.kafka.tools.consumer.ConsoleConsumer',
        ...['--bootstrap-server', broker.address, '--topic', output, '--from-beginning'],
        ...['--isolation-level', 'read_committed', '--max-messages', `${count}`, '--timeout-ms', '20000'],
      ),
    )
    const values = read.trim().split('\n').map(Number)
    assert.deepEqual(
      values.sort((a, b) => a - b),
      Array.from({ length: count }, (_, i) => i),
    )
  })

  test('the tools that measure, which send and read in their own ways', async () => {
    const topic = freshTopic('perf')
    const sent = await stranger(
      java(
        'org.apache.kafka.tools.ProducerPerformance',
        ...['--topic', topic, '--num-records', '20000', '--record-size', '300', '--throughput', '-1'],
        ...['--producer-props', `bootstrap.servers=${broker.address}`, 'compression.type=lz4', 'acks=all'],
      ),
    )
    assert.match(sent, /20000 records sent/)
    const read = await stranger(
      java(
        'org.apache.kafka.tools.ConsumerPerformance',
        ...['--bootstrap-server', broker.address, '--topic', topic, '--messages', '20000', '--hide-header'],
      ),
    )
    assert.match(read, /, 20000, /)
  })
})
