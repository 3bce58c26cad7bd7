// Consumer groups of @platformatic/kafka, classic protocol, with the settings that the application uses: members come and
// go, offsets are committed by hand; and the admin's view.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Admin, Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'
import { freshTopic, openTestBroker, type TestBroker, until } from './test-broker.suite.ts'

const partitions = 6
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

async function topicOf(): Promise<string> {
  const topic = freshTopic('group-platformatic')
  await admin.createTopics({ topics: [topic], partitions, replicas: 1 })
  return topic
}
/** Sends `value-0` … until it is stopped; tells how many. */
function steadily(topic: string): { stop(): Promise<number> } {
  const producer = new Producer({ ...base(), serializers: stringSerializers })
  let stopped = false
  const sent = (async () => {
    let count = 0
    while (!stopped) {
      const messages = Array.from({ length: 12 }, (_, i) => ({
        topic,
        partition: i % partitions,
        key: 'k',
        value: `value-${count + i}`,
      }))
      await producer.send({ messages })
      count += messages.length
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await producer.close()
    return count
  })()
  return {
    stop() {
      stopped = true
      return sent
    },
  }
}

/** What happened in which order, over all members: commits that were acknowledged, and generations that were joined. */
let moments = 0
const committedAt = new Map<string, number>()

/** Where the group goes on in each partition that the member has. */
async function committedOf(consumer: Consumer<string, string, string, string>, topic: string) {
  const mine = consumer.assignments?.find((each) => each.topic === topic)?.partitions ?? []
  const committed = await consumer.listCommittedOffsets({ topics: [{ topic, partitions: mine }] })
  const offsets = committed.get(topic) ?? []
  return new Map(mine.map((partition) => [partition, (offsets[partition] ?? -1n) < 0n ? 0n : offsets[partition]!]))
}

interface Member {
  readonly name: string
  readonly seen: string[]
  readonly problems: string[]
  /** Records it was given though they had been committed before it joined the generation in which it was. */
  readonly anew: string[]
  leave(): Promise<void>
}
async function member(topic: string, groupId: string, name: string): Promise<Member> {
  const consumer = new Consumer({
    ...base(),
    clientId: name,
    groupId,
    groupProtocol: 'classic',
    deserializers: stringDeserializers,
    sessionTimeout: 6_000,
    rebalanceTimeout: 6_000,
    heartbeatInterval: 100,
  })
  const seen: string[] = []
  const problems: string[] = []
  const anew: string[] = []
  let left: Promise<void> | null = null
  /** What is to be taken next of each partition of the generation: what was committed when it began, and on from there. */
  let next: Promise<Map<number, bigint>> = Promise.resolve(new Map())
  let joinedAt = 0
  const committed = async (): Promise<Map<number, bigint>> => {
    while (left === null) {
      try {
        return await committedOf(consumer, topic)
      } catch (error) {
        problems.push(String(error))
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    return new Map()
  }
  consumer.on('consumer:group:join', () => {
    joinedAt = ++moments
    next = committed()
  })
  // Without a listener such an event ends the process: of a heartbeat that finds its connection closed, for one.
  consumer.on('error', (error: unknown) => problems.push(String(error)))
  const consume = async () => {
    const made = await consumer.consume({
      topics: [topic],
      mode: 'committed',
      fallbackMode: 'earliest',
      autocommit: false,
      maxWaitTime: 100,
    })
    made.on('error', (error) => problems.push(String(error)))
    return made
  }
  let stream = await consume()
  const read = async (): Promise<void> => {
    for await (const message of stream) {
      // After a rebalance this client goes on to hand out what it had fetched before, also of partitions that it has
      // lost, and would commit it in the new generation: the group would go back. Nor does it always go on at the
      // committed offset in one that it has got: an answer that was on its way moves it on, past what nobody has read.
      // So a reader has to look for itself: it takes the one record that is next, and sends the client back to it.
      const { partition, offset } = message
      let generation = next
      let wanted = await generation
      while (generation !== next) {
        generation = next
        wanted = await generation
      }
      const expected = wanted.get(partition)
      if (expected !== undefined && offset > expected) stream.offsetsToFetch.set(`${topic}:${partition}`, expected)
      if (offset !== expected) continue
      wanted.set(partition, offset + 1n)
      seen.push(message.value)
      const place = `${message.topic}/${message.partition}/${message.offset}`
      if ((committedAt.get(place) ?? Infinity) < joinedAt) anew.push(place)
      try {
        await message.commit()
        if (!committedAt.has(place)) committedAt.set(place, ++moments)
      } catch (error) {
        // In the middle of a rebalance: whoever owns the partition next reads it again.
        problems.push(String(error))
      }
    }
  }
  const reading = (async () => {
    while (left === null) {
      // A commit that is refused now and then takes the whole stream along.
      try {
        if (stream.destroyed) stream = await consume()
        await read()
      } catch (error) {
        problems.push(String(error))
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
  })()
  const leave = (): Promise<void> =>
    (left ??= (async () => {
      // It closes its own connections under requests of its own that still wait, and now and then fails of that.
      const closed = async (closing: Promise<unknown>): Promise<void> => {
        await closing.catch((error: unknown) => problems.push(String(error)))
      }
      await closed(stream.close())
      await closed(reading)
      await closed(consumer.close(true))
    })())
  open.push({ close: leave })
  return { name, seen, problems, anew, leave }
}

test('two members, one leaves under load, one comes: no gaps, and what repeats is less than what was in flight', async (t) => {
  const topic = await topicOf()
  const groupId = `${topic}-group`
  const load = steadily(topic)
  const one = await member(topic, groupId, 'one')
  const two = await member(topic, groupId, 'two')
  const members = [one, two]
  const all = (): string[] => members.flatMap(({ seen }) => seen)
  await until(() => one.seen.length > 50 && two.seen.length > 50)
  await two.leave()
  const before = one.seen.length
  await until(() => one.seen.length > before + 100)
  const three = await member(topic, groupId, 'three')
  members.push(three)
  await until(() => three.seen.length > 50)
  const sent = await load.stop()
  await until(() => new Set(all()).size >= sent)
  const values = all()
  const gaps = Array.from({ length: sent }, (_, i) => `value-${i}`).filter((value) => !values.includes(value))
  assert.deepEqual(gaps, [])
  const repeats = values.length - new Set(values).size
  const anew = members.flatMap((each) => each.anew)
  t.diagnostic(
    `${sent} sent; ${repeats} repeated, as they had been handed out and not committed when their partition went ` +
      `elsewhere; ${anew.length} though they had been committed; problems: ${members.flatMap(({ problems }) => problems)}`,
  )
  assert.deepEqual(anew, [])
  for (const each of members) await each.leave()

  const late = await member(topic, groupId, 'late')
  const more = steadily(topic)
  await until(() => late.seen.length > 20)
  const again = await more.stop()
  await until(() => late.seen.length >= again)
  assert.equal(late.seen.filter((value, i) => late.seen.indexOf(value) !== i).length, 0)
  assert.equal(late.seen.length, again, 'it began where the others had committed')
  await late.leave()
})

test('admin: list, describe, offsets read, altered and deleted, members removed, group deleted', async () => {
  const topic = await topicOf()
  const groupId = `${topic}-group`
  const load = steadily(topic)
  const one = await member(topic, groupId, 'one')
  await until(() => one.seen.length >= 24)
  const sent = await load.stop()
  await until(() => one.seen.length === sent)
  // As Kafka writes it; the client's own type says otherwise.
  assert.equal(String((await admin.listGroups()).get(groupId)?.state), 'Stable')
  const described = (await admin.describeGroups({ groups: [groupId] })).get(groupId)
  assert.equal(described?.members.size, 1)
  const [only] = [...(described?.members.values() ?? [])]
  assert.equal(only?.clientId, 'one')
  assert.deepEqual([...(only?.assignments?.get(topic)?.partitions ?? [])].sort(), [0, 1, 2, 3, 4, 5])
  const offsets = async () => {
    const [group] = await admin.listConsumerGroupOffsets({ groups: [groupId] })
    const found = group?.topics.find(({ name }) => name === topic)?.partitions ?? []
    return Object.fromEntries(
      found.map(({ partitionIndex, committedOffset }) => [partitionIndex, Number(committedOffset)]),
    )
  }
  const each = sent / partitions
  await until(async () => Object.values(await offsets()).reduce((sum, offset) => sum + offset, 0) === sent)
  assert.deepEqual(await offsets(), { 0: each, 1: each, 2: each, 3: each, 4: each, 5: each })
  await assert.rejects(admin.deleteGroups({ groups: [groupId] }))
  await assert.rejects(admin.deleteConsumerGroupOffsets({ groupId, topics: [{ name: topic, partitionIndexes: [0] }] }))
  await one.leave()
  await admin.alterConsumerGroupOffsets({
    groupId,
    topics: [{ name: topic, partitionOffsets: [{ partition: 1, offset: 1n }] }],
  })
  await admin.deleteConsumerGroupOffsets({ groupId, topics: [{ name: topic, partitionIndexes: [0] }] })
  assert.deepEqual(await offsets(), { 1: 1, 2: each, 3: each, 4: each, 5: each })
  await admin.deleteGroups({ groups: [groupId] })
  assert.equal((await admin.listGroups()).has(groupId), false)
  assert.deepEqual(await offsets(), {})
})
