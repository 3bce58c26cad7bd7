// Transactions with @platformatic/kafka, which takes the highest version of everything: commit, abort, fencing, and
// consume-transform-produce with the consumer's offsets in the transaction.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Admin, Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'
import kafkajs from 'kafkajs'
import { freshTopic, openTestBroker, type TestBroker, until } from './test-broker.suite.ts'

const partitions = 2
let broker: TestBroker
let admin: Admin
const open: { close(): Promise<void> }[] = []
before(async () => {
  broker = await openTestBroker()
  admin = new Admin(base())
})
after(async () => {
  for (const client of open.reverse()) await client.close()
  await admin.close()
  await broker.close()
})
const base = () => ({ clientId: 'test', bootstrapBrokers: [broker.address], retries: 20, retryDelay: 50 })

function producerOf(transactionalId: string) {
  // Kafka takes what it says by itself for an identity, and fences it where the id is known.
  const none = broker.ours ? {} : { producerId: -1n, producerEpoch: -1 }
  const settings = { ...base(), serializers: stringSerializers, idempotent: true, transactionalId, ...none }
  const producer = new Producer(settings)
  open.push(producer)
  return producer
}
async function topicOf(what: string, count = partitions): Promise<string> {
  const topic = freshTopic(`transactions-${what}`)
  await admin.createTopics({ topics: [topic], partitions: count, replicas: 1 })
  return topic
}
const messages = (topic: string, ...values: string[]) => ({
  messages: values.map((value, i) => ({ topic, partition: i % partitions, key: 'k', value })),
})
/**
 * Reads on until it has so many; and a little longer, for what must not come. This client's consumer tells of several
 * aborted transactions of one producer in an answer only the last from the others (2.12.1): where there are more, kafkajs
 * reads.
 */
async function valuesByKafkajs(topic: string, count: number): Promise<string[]> {
  const kafka = new kafkajs.Kafka({ brokers: [broker.address], logLevel: kafkajs.logLevel.NOTHING })
  const consumer = kafka.consumer({ groupId: freshTopic('readers'), maxWaitTimeInMs: 50 })
  const values: string[] = []
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({ eachMessage: async ({ message }) => void values.push(message.value!.toString()) })
  await until(() => values.length >= count)
  await new Promise((resolve) => setTimeout(resolve, 200))
  await consumer.disconnect()
  return values.sort()
}
async function valuesOf(topic: string, count: number, isolationLevel = 1): Promise<string[]> {
  const groupId = freshTopic('readers')
  const consumer = new Consumer({ ...base(), groupId, deserializers: stringDeserializers, isolationLevel })
  const stream = await consumer.consume({
    topics: [topic],
    mode: 'earliest',
    fallbackMode: 'earliest',
    maxWaitTime: 50,
  })
  const values: string[] = []
  stream.on('data', ({ value }) => values.push(value))
  await until(() => values.length >= count)
  await new Promise((resolve) => setTimeout(resolve, 200))
  await stream.close()
  await consumer.close()
  return values.sort()
}

test('committed records are read, aborted ones and open ones are not', async () => {
  const topic = await topicOf('outcomes')
  const producer = producerOf(freshTopic('outcomes'))
  for (const [round, commit] of [true, false, true].entries()) {
    const transaction = await producer.beginTransaction()
    await transaction.send(messages(topic, `${round}a`, `${round}b`, `${round}c`))
    await transaction.send(messages(topic, `${round}d`))
    await (commit ? transaction.commit() : transaction.abort())
  }
  const hanging = producerOf(freshTopic('hanging'))
  const openOne = await hanging.beginTransaction()
  await openOne.send(messages(topic, 'open'))
  const committed = ['0a', '0b', '0c', '0d', '2a', '2b', '2c', '2d']
  assert.deepEqual(await valuesOf(topic, committed.length), committed)
  const all = [...committed, '1a', '1b', '1c', '1d', 'open'].sort()
  assert.deepEqual(await valuesOf(topic, all.length, 0), all)
  await openOne.abort()
  assert.deepEqual(await valuesOf(topic, committed.length), committed)
})

test('a second producer with the same id fences the first one, whose transaction is aborted', async () => {
  const topic = await topicOf('fencing')
  const id = freshTopic('fencing')
  const lost = await producerOf(id).beginTransaction()
  await lost.send(messages(topic, 'lost'))
  const won = await producerOf(id).beginTransaction()
  await won.send(messages(topic, 'won'))
  await assert.rejects(lost.send(messages(topic, 'late')))
  await assert.rejects(lost.commit())
  await won.commit()
  assert.deepEqual(await valuesOf(topic, 1), ['won'])
})

test('consume, transform, produce: outputs and offsets together, once, though every third transaction aborts', async () => {
  const source = await topicOf('source', 1)
  const target = await topicOf('target')
  const count = 30
  const plain = new Producer({ ...base(), serializers: stringSerializers })
  const inputs = Array.from({ length: count }, (_, i) => ({
    topic: source,
    partition: 0,
    key: 'k',
    value: `${1000 + i}`,
  }))
  await plain.send({ messages: inputs })
  await plain.close()
  const groupId = freshTopic('copiers')
  const producer = producerOf(freshTopic('copier'))
  const settings = { ...base(), groupId, deserializers: stringDeserializers, autocommit: false, isolationLevel: 1 }
  const consumer = new Consumer(settings)
  const stream = await consumer.consume({
    topics: [source],
    mode: 'committed',
    fallbackMode: 'earliest',
    maxWaitTime: 50,
  })
  let transactions = 0
  let done = 0
  for await (const message of stream) {
    // An aborted one is done again.
    for (let aborted = ++transactions % 3 === 0; ; aborted = false) {
      const transaction = await producer.beginTransaction()
      await transaction.addConsumer(consumer)
      await transaction.send(messages(target, `<${message.value}>`))
      await transaction.addOffset(message)
      if (!aborted) {
        await transaction.commit()
        break
      }
      await transaction.abort()
    }
    if (++done === count) break
  }
  await stream.close()
  await consumer.close()
  assert.deepEqual(
    await valuesByKafkajs(target, count),
    inputs.map(({ value }) => `<${value}>`),
  )
  const [group] = await admin.listConsumerGroupOffsets({ groups: [groupId] })
  assert.equal(group?.topics[0]?.partitions[0]?.committedOffset, BigInt(count))
})
