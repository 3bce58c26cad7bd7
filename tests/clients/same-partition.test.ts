// Equal keys go to equal partitions, whichever client sends them: ours, @platformatic/kafka, kafkajs, kcat.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import { Admin, compatibilityPartitioner, Producer } from '@platformatic/kafka'
import { Kafka, logLevel, Partitioners } from 'kafkajs'
import { partitionOfKey } from '../../src/wire/partitioner.ts'
import { recordSlots, recordsOf, walkRecords } from '../../src/wire/record-batch.ts'
import { freshTopic, openTestBroker, storedBatches, type TestBroker } from './test-broker.suite.ts'

const partitions = 6
const keys = Array.from({ length: 60 }, (_, i) => `Loja ${i} São Paulo ${'x'.repeat(i % 5)}`)

let broker: TestBroker
before(async () => {
  broker = await openTestBroker()
})
after(() => broker.close())

async function newTopic(): Promise<string> {
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [broker.address] })
  const topic = freshTopic('keys')
  await admin.createTopics({ topics: [topic], partitions, replicas: 1 })
  await admin.close()
  return topic
}
async function whereTheyWent(topic: string): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  const slots = recordSlots(1_000)
  for (let partition = 0; partition < partitions; partition++) {
    for (const batch of await storedBatches(broker, topic, partition)) {
      const { bytes, start, end } = recordsOf(batch)
      for (let at = start; at < end; ) {
        at = walkRecords(bytes, at, end, slots)
        for (let i = 0; i < slots.count; i++) {
          found.set(Buffer.from(bytes.subarray(slots.keyStart[i], slots.keyEnd[i])).toString(), partition)
        }
      }
    }
  }
  return found
}
const expected = new Map(keys.map((key) => [key, partitionOfKey(Buffer.from(key), partitions)]))
const byKey = (map: Map<string, number>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1))

test('@platformatic/kafka with compatibilityPartitioner', async () => {
  const topic = await newTopic()
  const producer = new Producer({
    clientId: 'test',
    bootstrapBrokers: [broker.address],
    partitioner: compatibilityPartitioner,
  })
  await producer.send({ messages: keys.map((key) => ({ topic, key: Buffer.from(key), value: Buffer.from('v') })) })
  await producer.close()
  assert.deepEqual(byKey(await whereTheyWent(topic)), byKey(expected))
})

test('kafkajs with its DefaultPartitioner', async () => {
  const topic = await newTopic()
  const kafka = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING })
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  await producer.send({ topic, messages: keys.map((key) => ({ key, value: 'v' })) })
  await producer.disconnect()
  assert.deepEqual(byKey(await whereTheyWent(topic)), byKey(expected))
})

const missing = spawnSync('kcat', ['-V']).error !== undefined
test('kcat with partitioner=murmur2', { skip: missing ? 'kcat is not installed' : false }, async () => {
  const topic = await newTopic()
  const { spawn } = await import('node:child_process')
  const child = spawn('kcat', ['-b', broker.address, '-P', '-t', topic, '-K:', '-X', 'partitioner=murmur2'])
  child.stdin.end(keys.map((key) => `${key}:v`).join('\n'))
  assert.equal(await new Promise((resolve) => child.on('close', resolve)), 0)
  assert.deepEqual(byKey(await whereTheyWent(topic)), byKey(expected))
})
