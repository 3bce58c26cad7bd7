// Groups of KIP-848 with @platformatic/kafka (`groupProtocol: 'consumer'`): members come and go under load, beside members
// of the classic protocol, and over restarts of the broker. Its issue 267 (an epoch that has gone
// stale makes it go on at its fallback) must not become a loss.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Admin } from '@platformatic/kafka'
import { RawClient } from '../../src/broker/server/raw-client.suite.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { clientBase, type Member, member as memberOf, steadily } from './group-reader.suite.ts'
import { freshTopic, openOn, openTestBroker, type TestBroker, until } from './test-broker.suite.ts'

const partitions = 6
let broker: TestBroker
let admin: Admin
const open: { close(): Promise<void> }[] = []
before(async () => {
  broker = await openTestBroker()
  admin = new Admin(clientBase(broker.address))
})
after(async () => {
  for (const client of open.reverse()) await client.close()
  await admin.close()
  await broker.close()
})
async function topicOf(by = admin): Promise<string> {
  const topic = freshTopic('group-848')
  await by.createTopics({ topics: [topic], partitions, replicas: 1 })
  return topic
}
type Protocol = 'classic' | 'cooperative' | 'consumer'
/** Stops and starts of brokers so far. */
let lives = 0
const member = (topic: string, name: string, protocol: Protocol = 'consumer', at = broker) =>
  memberOf({ address: at.address, protocol, topic, groupId: `${topic}-group`, name, toClose: open, life: () => lives })
function gaps(members: readonly Member[], sent: number): string[] {
  const seen = new Set(members.flatMap((each) => each.seen))
  return Array.from({ length: sent }, (_, i) => `value-${i}`).filter((value) => !seen.has(value))
}
const seenBy = (members: readonly Member[]): number => new Set(members.flatMap(({ seen }) => seen)).size
function tell(t: { diagnostic(text: string): void }, members: readonly Member[], sent: number): void {
  const values = members.flatMap(({ seen }) => seen)
  const problems = new Set(members.flatMap((each) => each.problems))
  t.diagnostic(`${sent} sent, ${values.length - new Set(values).size} repeated; problems: ${[...problems].join('; ')}`)
}
/** What the broker tells of a group of KIP-848. */
async function described(at: TestBroker, groupId: string) {
  const raw = await RawClient.connect(nodeWorld(), at)
  const { groups } = await raw.ask('consumerGroupDescribe', 1, { groupIds: [groupId] })
  raw.socket.destroy()
  return groups[0]!
}

test('two members, one leaves under load, one comes: no gaps, nothing that was committed is read again', async (t) => {
  const topic = await topicOf()
  const load = steadily(broker.address, topic, partitions, 50)
  const one = await member(topic, 'one')
  const two = await member(topic, 'two')
  const members = [one, two]
  await until(() => one.seen.length > 50 && two.seen.length > 50)
  await until(async () => (await described(broker, `${topic}-group`)).groupState === 'Stable')
  const { members: told, assignorName } = await described(broker, `${topic}-group`)
  assert.equal(assignorName, 'uniform')
  assert.deepEqual(
    told.map(({ assignment, memberType }) => [assignment.topicPartitions[0]?.partitions.length, memberType]),
    [
      [3, 1],
      [3, 1],
    ],
  )
  await two.leave()
  const before = one.seen.length
  await until(() => one.seen.length > before + 100)
  const three = await member(topic, 'three')
  members.push(three)
  await until(() => three.seen.length > 50)
  const sent = await load.stop()
  await until(() => seenBy(members) >= sent, 60_000)
  tell(t, members, sent)
  assert.deepEqual(gaps(members, sent), [])
  assert.deepEqual(
    members.flatMap(({ anew }) => anew),
    [],
  )
  for (const each of members) await each.leave()
  await until(async () => (await described(broker, `${topic}-group`)).groupState === 'Empty')
  const listed = (await admin.listGroups({ types: ['consumer'] })).get(`${topic}-group`)
  assert.deepEqual([String(listed?.state), listed?.groupType], ['Empty', 'consumer'])
})

for (const classic of ['classic', 'cooperative'] as const) {
  test(`a group moves from the ${classic} protocol to KIP-848 and back under load`, async (t) => {
    const topic = await topicOf()
    const groupId = `${topic}-group`
    const load = steadily(broker.address, topic, partitions, 50)
    const old = await member(topic, 'old', classic)
    const members = [old]
    await until(() => old.seen.length > 50)
    const fresh = await member(topic, 'fresh')
    members.push(fresh)
    await until(() => fresh.seen.length > 50)
    await until(async () => (await described(broker, groupId)).groupState === 'Stable')
    const mixed = await described(broker, groupId)
    assert.deepEqual(mixed.members.map(({ memberType }) => memberType).sort(), [0, 1])
    const before = old.seen.length
    await until(() => old.seen.length > before + 50)
    // The last member of the classic protocol goes: the group is one of KIP-848 alone.
    await old.leave()
    const alone = fresh.seen.length
    await until(() => fresh.seen.length > alone + 100)
    // And back.
    const again = await member(topic, 'again', classic)
    members.push(again)
    await until(() => again.seen.length > 50)
    await fresh.leave()
    const soFar = again.seen.length
    await until(() => again.seen.length > soFar + 100)
    assert.ok((await admin.listGroups({ types: ['classic'] })).has(groupId))
    const sent = await load.stop()
    await until(() => seenBy(members) >= sent, 60_000)
    tell(t, members, sent)
    assert.deepEqual(gaps(members, sent), [])
    assert.deepEqual(
      members.flatMap(({ anew }) => anew),
      [],
    )
    for (const each of members) await each.leave()
  })
}

for (const protocol of ['classic', 'cooperative', 'consumer'] as const) {
  test(`the broker restarts on the same port under two members (${protocol}): no loss${protocol === 'consumer' ? '' : ', no committed record again'}`, async (t) => {
    if (!broker.ours) {
      t.skip('another broker is not ours to restart')
      return
    }
    const dataDir = mkdtempSync(join(tmpdir(), 'millrace-848-'))
    let own = await openOn(dataDir)
    const by = new Admin(clientBase(own.address))
    const members: Member[] = []
    t.after(async () => {
      for (const each of members) await each.leave()
      await by.close()
      await own.close()
      rmSync(dataDir, { recursive: true, force: true })
    })
    const topic = await topicOf(by)
    const load = steadily(own.address, topic, partitions, 50)
    members.push(await member(topic, 'one', protocol, own), await member(topic, 'two', protocol, own))
    await until(() => members.every(({ seen }) => seen.length > 30))
    for (let life = 0; life < 3; life++) {
      const before = members.map(({ seen }) => seen.length)
      const { port } = own
      lives++
      await own.close()
      own = await openOn(dataDir, port)
      lives++
      await until(() => members.every(({ seen }, i) => seen.length > before[i]! + 50), 30_000)
    }
    const sent = await load.stop()
    await until(() => seenBy(members) >= sent, 60_000)
    tell(t, members, sent)
    assert.deepEqual(gaps(members, sent), [])
    const anew = members.flatMap((each) => each.anew)
    // A commit that a restart cut off is sent again by this client, under the epoch that it has by then. So it may come
    // from who has lost the partition, after its new owner has gone on: the group goes back there, as it would with
    // Kafka, which looks at the epoch only. Nothing is lost by it, and nowhere else may anything come again.
    const cutOff = new Set(protocol === 'consumer' ? members.flatMap((each) => [...each.cutOff]) : [])
    t.diagnostic(`${anew.length} records again that had been committed; commits cut off in ${[...cutOff].join()}`)
    assert.deepEqual(
      anew.filter((place) => !cutOff.has(Number(place.split('/')[1]))),
      [],
    )
  })
}
