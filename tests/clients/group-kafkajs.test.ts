// Consumer groups of kafkajs, the oldest versions in use: members come and go, commits, restarts of the client, of the
// broker, and kills of it; the admin's view of groups and offsets.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import kafkajs, { type Admin, type Consumer, type Kafka } from 'kafkajs'
import { freshTopic, openOn, openTestBroker, type TestBroker, until } from './test-broker.suite.ts'

const { logLevel, Partitioners } = kafkajs
const partitions = 4

let broker: TestBroker
let kafka: Kafka
let admin: Admin
const clientOf = (address: string): Kafka =>
  new kafkajs.Kafka({
    clientId: 'group-test',
    brokers: [address],
    logLevel: logLevel.NOTHING,
    retry: { retries: 30, initialRetryTime: 50, maxRetryTime: 300 },
  })
before(async () => {
  broker = await openTestBroker()
  kafka = clientOf(broker.address)
  admin = kafka.admin()
  await admin.connect()
})
after(async () => {
  // Left open only by a test that failed.
  for (const client of open) await client.disconnect()
  await admin.disconnect()
  await broker.close()
})

const open: { disconnect(): Promise<void> }[] = []
/** `from/partition:value` for every record a member was given, in the order it was. */
type Seen = string[]
async function member(from: Kafka, groupId: string, topic: string, name: string, seen: Seen): Promise<Consumer> {
  const consumer = from.consumer({
    groupId,
    sessionTimeout: 6_000,
    rebalanceTimeout: 10_000,
    heartbeatInterval: 100,
    maxWaitTimeInMs: 100,
  })
  open.push(consumer)
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    autoCommitThreshold: 1,
    eachMessage: async ({ message, partition }) => {
      seen.push(`${name}/${partition}:${message.value}`)
    },
  })
  return consumer
}
async function send(from: Kafka, topic: string, name: string, perPartition: number): Promise<string[]> {
  const producer = from.producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  const messages = Array.from({ length: partitions * perPartition }, (_, i) => ({
    partition: i % partitions,
    value: `${name}-${i}`,
  }))
  await producer.send({ topic, acks: -1, messages })
  await producer.disconnect()
  return messages.map(({ partition, value }) => `${partition}:${value}`)
}
async function topicOf(by: Admin): Promise<string> {
  const topic = freshTopic('group-kafkajs')
  await by.createTopics({ topics: [{ topic, numPartitions: partitions, replicationFactor: 1 }] })
  return topic
}
const withoutName = (seen: Seen): string[] => seen.map((each) => each.slice(each.indexOf('/') + 1)).sort()
const membersOf = async (by: Admin, groupId: string): Promise<number> => {
  const { groups } = await by.describeGroups([groupId])
  return groups[0]?.state === 'Stable' ? groups[0].members.length : -1
}

test('two members share the partitions, one leaves, the other takes over; a later one goes on where they committed', async () => {
  const topic = await topicOf(admin)
  const groupId = `${topic}-group`
  const seen: Seen = []
  const expected = await send(kafka, topic, 'first', 5)
  const one = await member(kafka, groupId, topic, 'one', seen)
  await until(() => seen.length === expected.length)
  const two = await member(kafka, groupId, topic, 'two', seen)
  await until(async () => (await membersOf(admin, groupId)) === 2)
  expected.push(...(await send(kafka, topic, 'second', 5)))
  await until(() => seen.length === expected.length)
  const shares = ['one', 'two'].map(
    (name) =>
      new Set(seen.filter((each) => each.startsWith(name) && each.includes('second')).map((each) => each.split(':')[0]))
        .size,
  )
  assert.deepEqual(shares, [2, 2], 'two partitions each')
  await one.disconnect()
  await until(async () => (await membersOf(admin, groupId)) === 1)
  expected.push(...(await send(kafka, topic, 'third', 5)))
  await until(() => seen.length === expected.length)
  await two.disconnect()
  expected.push(...(await send(kafka, topic, 'fourth', 5)))
  const three = await member(kafka, groupId, topic, 'three', seen)
  await until(() => seen.length >= expected.length)
  await three.disconnect()
  assert.deepEqual(withoutName(seen), expected.sort(), 'each record once')
  const [fetched] = await admin.fetchOffsets({ groupId, topics: [topic] })
  assert.deepEqual(
    fetched?.partitions.map(({ offset }) => offset),
    ['20', '20', '20', '20'],
  )
})

test('a member that dies without a word is put out after its session, and its partitions are read by the other', async () => {
  const topic = await topicOf(admin)
  const groupId = `${topic}-group`
  const seen: Seen = []
  // A raw member that joins, syncs, and is never heard of again.
  const { RawClient } = await import('../../src/broker/server/raw-client.suite.ts')
  const { nodeWorld } = await import('../../src/world/node.ts')
  const silent = await RawClient.connect(nodeWorld(), broker)
  const metadata = new Uint8Array([0, 0, 0, 0, 0, 1, 0, topic.length, ...Buffer.from(topic), 0, 0, 0, 0])
  const joined = await silent.ask('joinGroup', 2, {
    groupId,
    sessionTimeoutMs: 6_000,
    rebalanceTimeoutMs: 6_000,
    protocolType: 'consumer',
    protocols: [{ name: 'RoundRobinAssigner', metadata }],
  })
  assert.equal(joined.errorCode, 0)
  await silent.ask('syncGroup', 1, { groupId, memberId: joined.memberId, generationId: joined.generationId })
  const expected = await send(kafka, topic, 'only', 3)
  const other = await member(kafka, groupId, topic, 'other', seen)
  await until(() => seen.length === expected.length)
  assert.deepEqual(withoutName(seen), expected.sort())
  await other.disconnect()
  silent.socket.destroy()
})

test('admin: groups are listed, described, emptied, their offsets set and deleted, and they themselves', async () => {
  const topic = await topicOf(admin)
  const groupId = `${topic}-group`
  const seen: Seen = []
  await send(kafka, topic, 'x', 2)
  const consumer = await member(kafka, groupId, topic, 'one', seen)
  await until(() => seen.length === 8)
  const [described] = (await admin.describeGroups([groupId])).groups
  assert.deepEqual(
    [described?.state, described?.protocolType, described?.protocol, described?.members.length],
    ['Stable', 'consumer', 'RoundRobinAssigner', 1],
  )
  assert.equal(described?.members[0]?.clientId, 'group-test')
  assert.equal(described?.members[0]?.clientHost, '/127.0.0.1')
  const { groups } = await admin.listGroups()
  assert.deepEqual(
    groups.find((each) => each.groupId === groupId),
    { groupId, protocolType: 'consumer' },
  )
  await assert.rejects(admin.deleteGroups([groupId]))
  await consumer.disconnect()
  await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '1' }] })
  const [fetched] = await admin.fetchOffsets({ groupId, topics: [topic] })
  assert.deepEqual(
    fetched?.partitions.map(({ offset }) => offset),
    ['1', '2', '2', '2'],
  )
  // This client commits -2 for "earliest", and takes that for nothing committed when it reads.
  await admin.resetOffsets({ groupId, topic, earliest: true })
  const [reset] = await admin.fetchOffsets({ groupId, topics: [topic] })
  assert.deepEqual(
    reset?.partitions.map(({ offset }) => offset),
    ['-2', '-2', '-2', '-2'],
  )
  const again: Seen = []
  const late = await member(kafka, groupId, topic, 'late', again)
  await until(() => again.length === 8)
  await late.disconnect()
  assert.deepEqual(await admin.deleteGroups([groupId]), [{ groupId, errorCode: 0 }])
  assert.equal(
    (await admin.listGroups()).groups.some((each) => each.groupId === groupId),
    false,
  )
  await assert.rejects(admin.deleteGroups([groupId]))
})

test('the broker restarts under a group: its members join again and go on where they had committed', async (t) => {
  if (!broker.ours) {
    t.skip('another broker is not ours to restart')
    return
  }
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-groups-'))
  t.after(() => rmSync(dataDir, { recursive: true, force: true }))
  let own = await openOn(dataDir)
  t.after(() => own.close())
  const client = clientOf(own.address)
  const by = client.admin()
  open.push(by)
  await by.connect()
  const topic = await topicOf(by)
  const groupId = `${topic}-group`
  const seen: Seen = []
  const expected = await send(client, topic, 'first', 5)
  const consumer = await member(client, groupId, topic, 'one', seen)
  await until(() => seen.length === expected.length)
  await until(async () => (await committedSum(by, groupId, topic)) === expected.length)
  const { port } = own
  await own.close()
  own = await openOn(dataDir, port)
  expected.push(...(await send(client, topic, 'second', 5)))
  await until(() => seen.length >= expected.length)
  await until(async () => (await committedSum(by, groupId, topic)) === expected.length)
  assert.deepEqual([...new Set(withoutName(seen))], expected.sort())
  const firsts = seen.filter((each) => each.includes('first'))
  assert.equal(firsts.length, 20, 'what was committed is not read again')
  await consumer.disconnect()
  await by.disconnect()
})
async function committedSum(by: Admin, groupId: string, topic: string): Promise<number> {
  const fetched = await by.fetchOffsets({ groupId, topics: [topic] })
  return (fetched[0]?.partitions ?? []).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0)
}

test('the broker is killed under a group, again and again: nothing is lost, no committed offset goes back', async (t) => {
  if (!broker.ours) {
    t.skip('another broker is not ours to kill')
    return
  }
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-group-kill-'))
  let running = await brokerProcess(dataDir, 0)
  t.after(async () => {
    await running.kill()
    rmSync(dataDir, { recursive: true, force: true })
  })
  const port = running.port
  const client = clientOf(`127.0.0.1:${port}`)
  const by = client.admin()
  open.push(by)
  await by.connect()
  const topic = await topicOf(by)
  const groupId = `${topic}-group`
  const seen: Seen = []
  const consumer = await member(client, groupId, topic, 'one', seen)
  const expected: string[] = []
  let committed = 0
  for (let life = 0; life < 4; life++) {
    expected.push(...(await send(client, topic, `life ${life}`, 10)))
    // Killed in the middle of reading and committing.
    await until(() => seen.length > 40 * life + 5 * life)
    const before = await committedSum(by, groupId, topic)
    assert.ok(before >= committed, `committed went back from ${committed} to ${before}`)
    await running.kill()
    running = await brokerProcess(dataDir, port)
    committed = await committedSum(by, groupId, topic)
    assert.ok(committed >= before, `committed went back from ${before} to ${committed}`)
    assert.ok(committed <= expected.length)
  }
  await until(() => new Set(seen).size >= expected.length, 30_000)
  assert.deepEqual([...new Set(withoutName(seen))].sort(), expected.sort())
  await until(async () => (await committedSum(by, groupId, topic)) === expected.length)
  await consumer.disconnect()
  await by.disconnect()
})

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
/** A broker in a process of its own, so that it can be killed. */
async function brokerProcess(dataDir: string, port: number): Promise<{ readonly port: number; kill(): Promise<void> }> {
  const child: ChildProcess = spawn(
    process.execPath,
    [main, 'broker', '--json', '--data-dir', dataDir, '--kafka-port', String(port)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()))
  const line = await new Promise<string>((resolve, reject) => {
    let text = ''
    child.stdout!.on('data', (bytes: Buffer) => {
      text += bytes.toString()
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')))
    })
    void ended.then(() => reject(new Error('the broker ended before it was ready')))
  })
  const { kafka } = JSON.parse(line) as { kafka: string }
  return {
    port: Number(kafka.slice(kafka.lastIndexOf(':') + 1)),
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
