// Quotas: whose holds for whom, buckets in virtual time, and what clients notice of them over the wire.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../../sim/world.ts'
import type { World } from '../../world/world.ts'
import { type Broker, openBroker } from '../broker.ts'
import { type QuotaEntity, type QuotaLimits, quotaSetting } from '../quota-setting.ts'
import { type SettingsStore, SettingsTable } from '../settings-table.ts'
import { kafkaServerLimits } from './limits.ts'
import { bucketsMax, Quotas } from './quotas.ts'
import { RawClient } from './raw-client.suite.ts'
import { batch, toFetch, toProduce, world } from './server.suite.ts'

function quotasWith(set: readonly (readonly [QuotaEntity, QuotaLimits])[]) {
  let nowMs = 1_000
  const table = new SettingsTable()
  for (const [entity, limits] of set) table.apply(quotaSetting(entity, limits))
  const store: SettingsStore = {
    all: () => table.all(),
    onChange: (listener) => table.onChange(listener),
    set: async (settings) => {
      for (const setting of settings) table.apply(setting)
    },
  }
  const quotas = new Quotas({ ...world.clock, monoMs: () => nowMs }, kafkaServerLimits, store)
  return { quotas, store, wait: (ms: number) => (nowMs += ms) }
}
const rate = (bytes: number): QuotaLimits => ({ producer_byte_rate: bytes })

test('the quota that holds: the first in Kafka’s order that says something about the key', () => {
  const order: readonly QuotaEntity[] = [
    { user: 'u', clientId: 'c' },
    { user: 'u', clientId: null },
    { user: 'u' },
    { user: null, clientId: 'c' },
    { user: null, clientId: null },
    { user: null },
    { clientId: 'c' },
    { clientId: null },
  ]
  for (let from = 0; from < order.length; from++) {
    const set = order.slice(from).map((entity, i) => [entity, rate(from + i + 1)] as const)
    const { quotas } = quotasWith(set)
    assert.equal(quotas.atOnce({ user: 'u', clientId: 'c' }, 'producer_byte_rate'), 10 * (from + 1))
    assert.equal(quotas.atOnce({ user: 'u', clientId: 'c' }, 'consumer_byte_rate'), Number.POSITIVE_INFINITY)
  }
  // One that is silent about the key does not hide the next.
  const { quotas } = quotasWith([
    [{ user: 'u' }, { consumer_byte_rate: 1 }],
    [{ clientId: null }, rate(7)],
  ])
  assert.equal(quotas.atOnce({ user: 'u', clientId: 'x' }, 'producer_byte_rate'), 70)
})

test('buckets: a burst of ten seconds, then what is owed is waited for; at most half a minute at a time', () => {
  const { quotas, wait } = quotasWith([[{ user: null }, rate(100)]])
  const alice = { user: 'alice', clientId: 'a' }
  assert.equal(quotas.charge(alice, 'producer_byte_rate', 1_000), 0)
  assert.equal(quotas.charge(alice, 'producer_byte_rate', 50), 500)
  assert.equal(quotas.owedMs({ user: 'alice', clientId: 'other' }, 'producer_byte_rate'), 500, 'it is the user’s')
  assert.equal(quotas.owedMs({ user: 'bob', clientId: 'a' }, 'producer_byte_rate'), 0, 'a default is each one’s own')
  wait(499)
  assert.equal(quotas.owedMs(alice, 'producer_byte_rate'), 1)
  wait(1)
  assert.equal(quotas.owedMs(alice, 'producer_byte_rate'), 0)
  wait(60_000)
  assert.equal(quotas.charge(alice, 'producer_byte_rate', 1_000), 0, 'no more is saved up than ten seconds')
  assert.equal(quotas.charge(alice, 'producer_byte_rate', 10_000_000), kafkaServerLimits.throttleMsMax)
  wait(30_000)
  assert.equal(quotas.owedMs(alice, 'producer_byte_rate'), kafkaServerLimits.throttleMsMax, 'the rest is still owed')
})

test('request_percentage is time of the one thread; a quota that is changed or removed holds at once', async () => {
  const { quotas, store } = quotasWith([[{ clientId: 'c' }, { request_percentage: 50 }]])
  const client = { user: 'u', clientId: 'c' }
  assert.equal(quotas.charge(client, 'request_percentage', 5_000), 0)
  assert.equal(quotas.charge(client, 'request_percentage', 10), 20)
  await store.set([quotaSetting({ clientId: 'c' }, { request_percentage: 100 })])
  assert.equal(quotas.owedMs(client, 'request_percentage'), 10)
  await store.set([quotaSetting({ clientId: 'c' }, {})])
  assert.equal(quotas.charge(client, 'request_percentage', 1e9), 0)
})

test('buckets are limited in number; who was not seen for longest begins anew', () => {
  const { quotas } = quotasWith([[{ clientId: null }, rate(1)]])
  for (let i = 0; i <= bucketsMax; i++) quotas.charge({ user: '', clientId: `c${i}` }, 'producer_byte_rate', 11)
  assert.equal(quotas.buckets, bucketsMax)
  assert.equal(quotas.owedMs({ user: '', clientId: `c${bucketsMax}` }, 'producer_byte_rate'), 1_000)
  assert.equal(quotas.owedMs({ user: '', clientId: 'c0' }, 'producer_byte_rate'), 0)
})

test('a client that calls itself something very long costs no more memory than another', () => {
  const { quotas } = quotasWith([[{ clientId: null }, rate(1)]])
  const long = 'c'.repeat(300)
  assert.equal(quotas.charge({ user: '', clientId: `${long}1` }, 'producer_byte_rate', 11), 1_000)
  assert.equal(quotas.owedMs({ user: '', clientId: `${long}2` }, 'producer_byte_rate'), 1_000)
  assert.equal(quotas.buckets, 1)
})

async function served(run: (world: World, broker: Broker, connect: () => Promise<RawClient>) => Promise<void>) {
  const simulation = simulate({ seed: 'quotas' })
  const ended = await simulation.run(async (simulated) => {
    const broker = await openBroker(simulated, { dataDir: null, durability: 'process' })
    const address = await broker.listen({ host: '127.0.0.1', port: 0 })
    await broker.createTopic({ name: 't', partitions: 1 })
    await run(simulated, broker, () => RawClient.connect(simulated, address))
    await broker.close()
  })
  if (ended.end === 'threw') throw ended.error
  assert.equal(ended.end, 'returned')
}

test('over the wire: a producer above its rate is answered at once, told to wait, and not read meanwhile', () =>
  served(async ({ clock }, broker, connect) => {
    const sent = batch(['x'.repeat(1_000)])
    await broker.settings.set([quotaSetting({ clientId: 'raw' }, rate(sent.length))])
    const client = await connect()
    const produce = () => client.ask('produce', 9, toProduce('t', 0, sent))
    for (let i = 0; i < 10; i++) assert.equal((await produce()).throttleTimeMs, 0)
    const startMs = clock.monoMs()
    // A little has come back while the first ten went by.
    const { throttleTimeMs, responses } = await produce()
    assert.equal(responses[0]?.partitionResponses[0]?.errorCode, 0)
    assert.ok(throttleTimeMs > 800 && throttleTimeMs <= 1_000, `${throttleTimeMs} ms`)
    assert.ok(clock.monoMs() - startMs < 100, 'it was answered at once')
    await client.ask('metadata', 9, { topics: [] })
    assert.ok(clock.monoMs() - startMs >= throttleTimeMs, 'the next request was not looked at before')
    // Without acknowledgements nothing can be said, and it is held all the same.
    const quietMs = clock.monoMs()
    for (let i = 0; i < 3; i++) client.send('produce', 9, { ...toProduce('t', 0, sent), acks: 0 })
    await client.ask('metadata', 9, { topics: [] })
    assert.ok(clock.monoMs() - quietMs > 2_000)
  }))

test('over the wire: a consumer gets its bytes, then is told to wait; its other connection gets none meanwhile', () =>
  served(async ({ clock }, broker, connect) => {
    const sent = batch(['x'.repeat(1_000)])
    const client = await connect()
    for (let i = 0; i < 30; i++) await client.ask('produce', 9, toProduce('t', 0, sent))
    await broker.settings.set([quotaSetting({ user: 'ANONYMOUS' }, { consumer_byte_rate: sent.length })])
    const first = await client.ask('fetch', 11, toFetch('t', 0))
    // No more than ten seconds of its rate at once.
    assert.equal(first.responses[0]?.partitions[0]?.records?.length, 10 * sent.length)
    const second = await client.ask('fetch', 11, toFetch('t', 10, { maxBytes: 1 }))
    assert.equal(second.responses[0]?.partitions[0]?.records?.length, sent.length, 'one batch whatever its size')
    assert.ok(second.throttleTimeMs > 800 && second.throttleTimeMs <= 1_000)
    const other = await connect()
    const none = await other.ask('fetch', 11, toFetch('t', 0))
    assert.deepEqual([none.responses.length, none.errorCode], [0, 0])
    assert.ok(none.throttleTimeMs > 700 && none.throttleTimeMs <= 1_000)
    await clock.sleep(2_000)
    const later = await other.ask('fetch', 11, toFetch('t', 0))
    assert.ok((later.responses[0]?.partitions[0]?.records?.length ?? 0) > 0)
  }))

test('Describe- and AlterClientQuotas: set, changed, removed, filtered, only validated; durable when answered', () =>
  served(async (_, broker, connect) => {
    const client = await connect()
    const user = (entityName: string | null) => ({ entityType: 'user', entityName })
    const id = (entityName: string | null) => ({ entityType: 'client-id', entityName })
    const set = (key: string, value: number) => ({ key, value, remove: false })
    const gone = (key: string) => ({ key, value: 0, remove: true })
    const describe = async (version: number, components: readonly object[], strict = false) => {
      const answer = await client.ask('describeClientQuotas', version, { components: components as never, strict })
      if (answer.errorCode !== 0) return answer.errorCode
      return answer.entries?.map(({ entity, values }) => [
        entity.map(({ entityType, entityName }) => `${entityType}=${entityName ?? '<default>'}`).join(','),
        ...values.map(({ key, value }) => `${key}=${value}`),
      ])
    }
    for (const version of [0, 1]) {
      const alter = (entries: readonly object[], validateOnly = false) =>
        client.ask('alterClientQuotas', version, { entries: entries as never, validateOnly })
      const altered = await alter([
        { entity: [user('a')], ops: [set('producer_byte_rate', 100), set('request_percentage', 12.5)] },
        { entity: [id(null), user('a')], ops: [set('consumer_byte_rate', 5)] },
        { entity: [user(null)], ops: [set('controller_mutation_rate', 0.5)] },
        { entity: [user('a')], ops: [set('producer_byte_rate', 200)] },
        { entity: [user('a')], ops: [set('nonsense', 1)] },
        { entity: [], ops: [] },
        { entity: [{ entityType: 'ip', entityName: '1.2.3.4' }], ops: [] },
        { entity: [user('')], ops: [] },
        { entity: [user('b'), user('c')], ops: [] },
        ...[0, -1, Number.NaN, 1.5].map((value) => ({ entity: [user('b')], ops: [set('producer_byte_rate', value)] })),
      ])
      assert.deepEqual(
        altered.entries.map(({ errorCode }) => errorCode),
        [0, 0, 0, 0, 42, 42, 42, 42, 42, 42, 42, 42, 42],
      )
      await alter([{ entity: [user('b')], ops: [set('producer_byte_rate', 1)] }], true)
      const a = ['user=a', 'producer_byte_rate=200', 'request_percentage=12.5']
      const both = ['user=a,client-id=<default>', 'consumer_byte_rate=5']
      const others = ['user=<default>', 'controller_mutation_rate=0.5']
      const exactly = { entityType: 'user', matchType: 0, match: 'a' }
      const byDefault = { entityType: 'user', matchType: 1, match: null }
      const any = { entityType: 'client-id', matchType: 2, match: null }
      assert.deepEqual(await describe(version, []), [a, both, others])
      assert.deepEqual(await describe(version, [exactly]), [a, both])
      assert.deepEqual(await describe(version, [exactly], true), [a])
      assert.deepEqual(await describe(version, [byDefault]), [others])
      assert.deepEqual(await describe(version, [any]), [both])
      assert.deepEqual(await describe(version, [exactly, any], true), [both])
      assert.equal(await describe(version, [exactly, byDefault]), 42)
      assert.equal(await describe(version, [{ ...any, match: 'x' }]), 42)
      assert.equal(await describe(version, [{ ...any, matchType: 9 }]), 42)
      assert.equal(await describe(version, [{ ...any, entityType: 'ip' }]), 35)
      assert.equal(broker.settings.all().length, 3)
      await Promise.all([
        alter([{ entity: [user('a')], ops: [gone('producer_byte_rate'), gone('request_percentage')] }]),
        alter([{ entity: [user('a'), id(null)], ops: [gone('consumer_byte_rate'), gone('producer_byte_rate')] }]),
        alter([{ entity: [user(null)], ops: [gone('controller_mutation_rate')] }]),
      ])
      assert.deepEqual(await describe(version, []), [])
    }
  }))

test('over the wire: changes of partitions beyond their rate are refused by name, or waited for by old clients', () =>
  served(async ({ clock }, broker, connect) => {
    await broker.settings.set([quotaSetting({ user: null }, { controller_mutation_rate: 1 })])
    const client = await connect()
    const create = async (version: number, name: string, numPartitions: number, validateOnly = false) => {
      const topic = { name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }
      const { topics, throttleTimeMs } = await client.ask('createTopics', version, {
        topics: [topic],
        timeoutMs: 1,
        validateOnly,
      })
      return [topics[0]?.errorCode, throttleTimeMs > 0]
    }
    assert.deepEqual(await create(7, 'a', 10), [0, false])
    assert.deepEqual(await create(7, 'b', 3), [0, true], 'what is left is lent')
    assert.deepEqual(await create(5, 'c', 1), [0, true], 'it knows no such error, and has waited already')
    const added = { topics: [{ name: 'a', count: 40, assignments: null }], timeoutMs: 1, validateOnly: false }
    assert.equal((await client.ask('createPartitions', 3, added)).results[0]?.errorCode, 0)
    const other = await connect()
    const topic = { name: 'd', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
    const refused = await other.ask('createTopics', 7, { topics: [topic], timeoutMs: 1, validateOnly: false })
    assert.equal(refused.topics[0]?.errorCode, 89)
    assert.ok(refused.throttleTimeMs > 20_000)
    assert.equal(broker.topic('d'), null)
    const third = await connect()
    const deleted = await third.ask('deleteTopics', 6, {
      topics: [{ name: 'a', topicId: new Uint8Array(16) }],
      timeoutMs: 1,
    })
    assert.equal(deleted.responses[0]?.errorCode, 89)
    await clock.sleep(45_000)
    const later = await connect()
    const gone = { topicNames: ['a'], timeoutMs: 1 }
    assert.equal((await later.ask('deleteTopics', 5, gone)).responses[0]?.errorCode, 0)
  }))
