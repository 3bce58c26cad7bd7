// Consumer groups of @platformatic/kafka, classic protocol, with the settings that the application uses and with
// cooperative rebalances: members come and go, offsets are committed by hand; and the admin's view.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Admin } from '@platformatic/kafka'
import { clientBase, member as memberOf, steadily as steadilyTo } from './group-reader.suite.ts'
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
const base = () => clientBase(broker.address)
const steadily = (topic: string) => steadilyTo(broker.address, topic, partitions, 25)
const member = (topic: string, groupId: string, name: string, protocol: 'classic' | 'cooperative' = 'classic') =>
  memberOf({ address: broker.address, protocol, topic, groupId, name, toClose: open })

async function topicOf(): Promise<string> {
  const topic = freshTopic('group-platformatic')
  await admin.createTopics({ topics: [topic], partitions, replicas: 1 })
  return topic
}
for (const protocol of ['classic', 'cooperative'] as const) {
  test(`two members, one leaves under load, one comes: no gaps, few repeats (${protocol})`, async (t) => {
    const topic = await topicOf()
    const groupId = `${topic}-group`
    const load = steadily(topic)
    const one = await member(topic, groupId, 'one', protocol)
    const two = await member(topic, groupId, 'two', protocol)
    const members = [one, two]
    const all = (): string[] => members.flatMap(({ seen }) => seen)
    await until(() => one.seen.length > 50 && two.seen.length > 50)
    await two.leave()
    const before = one.seen.length
    await until(() => one.seen.length > before + 100)
    const three = await member(topic, groupId, 'three', protocol)
    members.push(three)
    await until(() => three.seen.length > 50)
    const sent = await load.stop()
    await until(() => new Set(all()).size >= sent, 60_000)
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

    const late = await member(topic, groupId, 'late', protocol)
    const more = steadily(topic)
    await until(() => late.seen.length > 20)
    const again = await more.stop()
    await until(() => late.seen.length >= again)
    assert.equal(late.seen.filter((value, i) => late.seen.indexOf(value) !== i).length, 0)
    assert.equal(late.seen.length, again, 'it began where the others had committed')
    await late.leave()
  })
}

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
