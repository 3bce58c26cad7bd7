// Transactions with kafkajs 2.2.4, which speaks the oldest versions of their APIs: commit, abort, what readers of committed
// records see, fencing, and consume-transform-produce with the consumer's offsets in the transaction.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import kafkajs, { type Kafka, type Producer } from 'kafkajs'
import { freshTopic, openTestBroker, type TestBroker, until } from './test-broker.suite.ts'

const { logLevel, Partitioners } = kafkajs

let broker: TestBroker
let kafka: Kafka
const open: { disconnect(): Promise<void> }[] = []
before(async () => {
  broker = await openTestBroker()
  const retry = { retries: 5, initialRetryTime: 50 }
  kafka = new kafkajs.Kafka({ clientId: 'test', brokers: [broker.address], logLevel: logLevel.NOTHING, retry })
})
after(async () => {
  for (const client of open.reverse()) await client.disconnect()
  await broker.close()
})
async function producerOf(transactionalId: string): Promise<Producer> {
  const createPartitioner = Partitioners.DefaultPartitioner
  const producer = kafka.producer({ transactionalId, maxInFlightRequests: 1, idempotent: true, createPartitioner })
  await producer.connect()
  open.push(producer)
  return producer
}
async function topicOf(what: string, numPartitions = 2): Promise<string> {
  const topic = freshTopic(`transactions-${what}`)
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions }] })
  await admin.disconnect()
  return topic
}
/** Reads on, committed records only or all, until it has so many; and a little longer, for what must not come. */
async function valuesOf(topic: string, count: number, readUncommitted = false): Promise<string[]> {
  const consumer = kafka.consumer({ groupId: freshTopic('readers'), readUncommitted, maxWaitTimeInMs: 50 })
  const values: string[] = []
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({ eachMessage: async ({ message }) => void values.push(message.value!.toString()) })
  await until(() => values.length >= count)
  await new Promise((resolve) => setTimeout(resolve, 200))
  await consumer.disconnect()
  return values.sort()
}
const messages = (...values: string[]) => values.map((value, partition) => ({ value, partition: partition % 2 }))

test('committed records are read, aborted ones and open ones are not', async () => {
  const topic = await topicOf('outcomes')
  const producer = await producerOf(freshTopic('outcomes'))
  for (const [round, commit] of [true, false, true].entries()) {
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: messages(`${round}a`, `${round}b`, `${round}c`) })
    await transaction.send({ topic, messages: messages(`${round}d`) })
    await (commit ? transaction.commit() : transaction.abort())
  }
  const openOne = await (await producerOf(freshTopic('hanging'))).transaction()
  await openOne.send({ topic, messages: messages('open') })
  const committed = ['0a', '0b', '0c', '0d', '2a', '2b', '2c', '2d']
  assert.deepEqual(await valuesOf(topic, committed.length), committed)
  const all = [...committed, '1a', '1b', '1c', '1d', 'open'].sort()
  assert.deepEqual(await valuesOf(topic, all.length, true), all)
  await openOne.abort()
  assert.deepEqual(await valuesOf(topic, committed.length), committed)
})

test('a second producer with the same id fences the first one, whose transaction is aborted', async () => {
  const topic = await topicOf('fencing')
  const id = freshTopic('fencing')
  const first = await producerOf(id)
  const lost = await first.transaction()
  await lost.send({ topic, messages: messages('lost') })
  const second = await producerOf(id)
  const won = await second.transaction()
  await won.send({ topic, messages: messages('won') })
  await assert.rejects(lost.send({ topic, messages: messages('late') }))
  await assert.rejects(lost.commit())
  await won.commit()
  assert.deepEqual(await valuesOf(topic, 1), ['won'])
})

test('consume, transform, produce: outputs and offsets together, once, though every third transaction aborts', async () => {
  const source = await topicOf('source', 1)
  const target = await topicOf('target')
  const count = 60
  const plain = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await plain.connect()
  await plain.send({ topic: source, messages: Array.from({ length: count }, (_, i) => ({ value: `${1000 + i}` })) })
  await plain.disconnect()
  const groupId = freshTopic('copiers')
  const producer = await producerOf(freshTopic('copier'))
  const consumer = kafka.consumer({ groupId, maxBytesPerPartition: 300, maxWaitTimeInMs: 50 })
  await consumer.connect()
  await consumer.subscribe({ topic: source, fromBeginning: true })
  let done = 0
  let transactions = 0
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    eachBatch: async ({ batch: { messages: read, topic, partition }, resolveOffset }) => {
      for (const message of read) {
        // An aborted one is done again: the consumer has not moved.
        for (let aborted = ++transactions % 3 === 0; ; aborted = false) {
          const transaction = await producer.transaction()
          await transaction.send({ topic: target, messages: messages(`<${message.value!.toString()}>`) })
          const next = `${Number(message.offset) + 1}`
          const topics = [{ topic, partitions: [{ partition, offset: next }] }]
          await transaction.sendOffsets({ consumerGroupId: groupId, topics })
          if (!aborted) {
            await transaction.commit()
            break
          }
          await transaction.abort()
        }
        resolveOffset(message.offset)
        done++
      }
    },
  })
  await until(() => done === count)
  await consumer.disconnect()
  assert.deepEqual(
    await valuesOf(target, count),
    Array.from({ length: count }, (_, i) => `<${1000 + i}>`),
  )
  const admin = kafka.admin()
  await admin.connect()
  const [committed] = await admin.fetchOffsets({ groupId, topics: [source] })
  await admin.disconnect()
  assert.equal(committed?.partitions[0]?.offset, `${count}`)
})
