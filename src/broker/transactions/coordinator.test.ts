// What surrounds transactions: ids that nobody uses go, limits hold, deleted topics and deleted records end their part,
// and what lost its owner to damage does not hang.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../../sim/world.ts'
import { offset } from '../../std/units.ts'
import type { World } from '../../world/world.ts'
import { batchOf, dataDir, machine, p0, p1, refused } from '../broker.suite.ts'
import { type Broker, type BrokerSettings, openBroker } from '../broker.ts'
import type { ProducerClaim } from './judging.ts'
import { shownState } from './transaction.ts'
import { followed, readCommitted, transactional } from './transactions.suite.ts'

async function begin(broker: Broker, id: string): Promise<ProducerClaim> {
  const answer = await broker.transactions.init(id, 60_000, null)
  assert.equal(answer.error, 'NONE')
  return answer
}
const write = (
  broker: Broker,
  id: string,
  claim: ProducerClaim,
  value: string,
  sequence: number,
  to = p0,
  topic = 't',
) => broker.appendWithin(topic, to, transactional([value], claim, sequence), { transactionalId: id, joins: true })
const end = async (broker: Broker, id: string, claim: ProducerClaim, commit: boolean): Promise<string> =>
  (await broker.transactions.end(id, { ...claim, commit, raises: true })).error
const valuesIn = async (broker: Broker, partition = 0): Promise<string[]> =>
  (await readCommitted(broker, 't', partition)).map(({ value }) => value)
/** In memory, with two partitions. */
async function opened(settings: Partial<BrokerSettings> = {}): Promise<Broker> {
  const broker = await machine().open(settings)
  await broker.createTopic({ name: 't', partitions: 2 })
  return broker
}

test('an id that nobody used for long is forgotten, durably; one with an open transaction is not', async () => {
  const simulation = simulate({ seed: 'expiry' })
  const settings = { dataDir, durability: 'power', freeBytesMin: 0 } as const
  const hourMs = 3_600_000
  const rules = { idExpirationMs: 10 * hourMs, timeoutMsMax: 100 * hourMs }
  const claims = new Map<string, ProducerClaim>()
  const live = async (run: (world: World, broker: Broker) => Promise<void>): Promise<void> => {
    const ended = await simulation.run(async (world) => {
      const broker = await openBroker(world, { ...settings, transactions: rules })
      await run(world, broker)
      await broker.close()
    })
    if (ended.end === 'threw') throw ended.error
    assert.equal(ended.end, 'returned')
  }
  await live(async (world, broker) => {
    await broker.createTopic({ name: 't', partitions: 1 })
    for (const id of ['idle', 'used', 'open']) {
      const answer = await broker.transactions.init(id, 90 * hourMs, null)
      claims.set(id, answer)
    }
    await write(broker, 'open', claims.get('open')!, 'x', 0)
    await world.clock.sleep(8 * hourMs)
    assert.equal(await end(broker, 'used', claims.get('used')!, false), 'NONE')
    await world.clock.sleep(4 * hourMs)
    assert.deepEqual([...broker.transactions.table.all()].map(({ id }) => id).sort(), ['open', 'used'])
  })
  await live(async (_, broker) => {
    assert.deepEqual([...broker.transactions.table.all()].map(({ id }) => id).sort(), ['open', 'used'])
    assert.equal(await end(broker, 'idle', claims.get('idle')!, false), 'INVALID_PRODUCER_ID_MAPPING')
    const again = await broker.transactions.init('idle', 60_000, claims.get('idle')!)
    assert.equal(again.error, 'NONE')
    assert.notEqual(again.producerId, claims.get('idle')!.producerId, 'an id that is new again has a new producer')
    assert.equal(await end(broker, 'open', claims.get('open')!, true), 'NONE')
    assert.deepEqual(await valuesIn(broker), ['x'])
  })
})

test('limits: partitions in open transactions, and the offsets of one and of all', async () => {
  const broker = await opened({ transactions: { placesMax: 3, stagedBytesMax: 1_000, allStagedBytesMax: 1_500 } })
  const places = [0, 1].map((partition) => broker.transactions.placeOf('t', partition)!)
  const [one, two] = [await begin(broker, 'one'), await begin(broker, 'two')]
  assert.equal(await broker.transactions.addPartitions('one', one, places), 'NONE')
  assert.equal(await broker.transactions.addPartitions('two', two, places), 'TRANSACTION_ABORTABLE')
  await write(broker, 'two', two, 'third', 0)
  await assert.rejects(write(broker, 'two', two, 'fourth', 0, p1), refused('TRANSACTION_ABORTABLE'))
  const stage = (id: string, claim: ProducerClaim, group: string, length: number) => {
    const [key, partition] = places[0]!
    const offsets = [[key, partition, 5, -1, 'x'.repeat(length)]] as const
    return broker.transactions.stage(id, claim, { group, protocolType: '', joins: true }, offsets)
  }
  assert.equal(await stage('one', one, 'g', 401), 'INVALID_COMMIT_OFFSET_SIZE')
  assert.equal(await stage('one', one, 'g', 400), 'NONE')
  assert.equal(await stage('one', one, 'h', 0), 'INVALID_COMMIT_OFFSET_SIZE')
  assert.equal(await stage('two', two, 'g', 151), 'INVALID_COMMIT_OFFSET_SIZE', 'of all together')
  assert.equal(await stage('two', two, 'g', 150), 'NONE')
  assert.equal(await end(broker, 'one', one, true), 'NONE')
  assert.deepEqual([broker.transactions.table.places, broker.transactions.table.stagedBytes], [1, 500])
  assert.equal(await stage('two', two, 'h', 0), 'NONE', 'there is room again')
  assert.equal(await end(broker, 'two', two, false), 'NONE')
  assert.deepEqual([broker.transactions.table.places, broker.transactions.table.stagedBytes], [0, 0])
  await broker.close()
})

test('a deleted topic ends its part of a transaction; the rest commits', async () => {
  const here = machine()
  let broker = await here.open()
  for (const name of ['t', 'gone']) await broker.createTopic({ name, partitions: 2 })
  const claim = await begin(broker, 'x')
  await write(broker, 'x', claim, 'stays', 0)
  await write(broker, 'x', claim, 'goes', 0, p0, 'gone')
  const place = broker.transactions.placeOf('gone', 0)!
  const staged = [[...place, 3, -1, ''] as const, [...broker.transactions.placeOf('t', 0)!, 4, -1, ''] as const]
  const group = { group: 'g', protocolType: '', joins: true }
  assert.equal(await broker.transactions.stage('x', claim, group, staged), 'NONE')
  await broker.deleteTopic('gone')
  await broker.createTopic({ name: 'gone', partitions: 2 })
  assert.equal(await end(broker, 'x', claim, true), 'NONE')
  for (let start = 0; start < 2; start++) {
    assert.deepEqual(await valuesIn(broker), ['stays'])
    assert.deepEqual(followed(broker, ['t', 'gone'], 1, 1), ['stays'])
    assert.equal(broker.offsets('gone', p0).end, 0)
    assert.equal(broker.groupOffsets.committed('g', { topic: 't', partition: 0 })?.offset, 4)
    assert.equal(broker.groupOffsets.committed('g', { topic: 'gone', partition: 0 }), null)
    await broker.close()
    broker = await here.open()
  }
  await broker.close()
})

test('deleted records: the stable end stays behind the start, what was aborted before it is forgotten', async () => {
  const here = machine()
  let broker = await here.open()
  await broker.createTopic({ name: 't', partitions: 1 })
  const [aborted, open] = [await begin(broker, 'aborted'), await begin(broker, 'open')]
  await write(broker, 'aborted', aborted, 'no', 0)
  assert.equal(await end(broker, 'aborted', aborted, false), 'NONE')
  await write(broker, 'open', open, 'early', 0)
  await broker.append('t', p0, batchOf(['plain']))
  await write(broker, 'open', open, 'late', 1)
  assert.equal(broker.stable.abortedIn('t', p0, offset(0), offset(9)).length, 1)
  await broker.deleteRecords('t', p0, offset(3))
  assert.deepEqual(broker.stable.abortedIn('t', p0, offset(0), offset(9)), [])
  assert.equal(broker.stable.end('t', p0), 3, 'nothing before the start is stable, and nothing after it')
  assert.equal(await end(broker, 'open', open, true), 'NONE')
  for (let start = 0; start < 2; start++) {
    assert.deepEqual(await valuesIn(broker), ['plain', 'late'])
    assert.deepEqual(await broker.readCommitted('t', p0, offset(0), 1).catch((error: Error) => error.name), 'LogError')
    assert.ok(followed(broker, ['t'], 1, 1).includes('late'))
    await broker.close()
    broker = await here.open()
  }
  await broker.close()
})

test('a batch of no transaction is not taken from a producer that has one open there', async () => {
  const broker = await opened()
  const claim = await begin(broker, 'x')
  await write(broker, 'x', claim, 'a', 0)
  const producer = { producerId: BigInt(claim.producerId), producerEpoch: claim.epoch, baseSequence: 1 }
  const plain = batchOf(['b'], { producer })
  await assert.rejects(broker.append('t', p0, plain), refused('INVALID_TXN_STATE'))
  await assert.rejects(broker.append('t', p0, transactional(['b'], claim, 1)), refused('INVALID_TXN_STATE'))
  const job = await broker.takeJob('job')
  const appends = [{ topic: 't', partition: p0, batch: transactional(['b'], claim, 1) }]
  const commit = { job: 'job', epoch: job.epoch, previous: job.cursor, cursor: broker.now(), appends }
  await assert.rejects(broker.commit(commit), refused('INVALID_TXN_STATE'))
  assert.equal(await end(broker, 'x', claim, true), 'NONE')
  await broker.close()
})

test('entries of the coordinator are lost to damage: what hangs without an owner is aborted at the start', async () => {
  const here = machine()
  let broker = await here.open()
  await broker.createTopic({ name: 't', partitions: 1 })
  const claim = await begin(broker, 'x')
  await write(broker, 'x', claim, 'hangs', 0)
  await broker.append('t', p0, batchOf(['plain']))
  await broker.close()
  const [name] = here.fs.list(`${dataDir}/journal`).filter((each) => each.endsWith('.journal'))
  const file = here.fs.open(`${dataDir}/journal/${name}`, 'write')
  const bytes = new Uint8Array(file.sizeBytes())
  file.read(bytes, 0)
  const at = Buffer.from(bytes).indexOf('"what":"identity"')
  assert.ok(at > 0)
  file.write(Uint8Array.of(bytes[at]! ^ 1), at)
  file.close()
  broker = await here.open()
  assert.match(broker.trouble()!.message, /transactions/)
  for (let waited = 0; waited < 100 && broker.stable.end('t', p0) < broker.offsets('t', p0).end; waited++) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.equal(broker.stable.end('t', p0), broker.offsets('t', p0).end)
  assert.deepEqual(await valuesIn(broker), ['plain'])
  assert.equal(await end(broker, 'x', claim, true), 'INVALID_PRODUCER_ID_MAPPING')
  await broker.close()
})

test('until the decision is durable nothing of it is seen, and nothing else is done with the id', async () => {
  const broker = await opened()
  const claim = await begin(broker, 'x')
  await write(broker, 'x', claim, 'a', 0)
  const place = broker.transactions.placeOf('t', 0)!
  const group = { group: 'g', protocolType: '', joins: true }
  assert.equal(await broker.transactions.stage('x', claim, group, [[...place, 7, -1, '']]), 'NONE')
  const ending = end(broker, 'x', claim, true)
  const others = Promise.all([
    broker.transactions.init('x', 60_000, null),
    broker.transactions.addPartitions('x', claim, [place]),
    end(broker, 'x', claim, true),
    assert.rejects(write(broker, 'x', claim, 'b', 1), refused('CONCURRENT_TRANSACTIONS')),
  ])
  assert.equal(broker.stable.end('t', p0), 0)
  assert.deepEqual(await valuesIn(broker), [])
  assert.ok(broker.transactions.isUnstable('g', { topic: 't', partition: 0 }))
  assert.equal(shownState(broker.transactions.table.get('x')!), 'PrepareCommit')
  const [init, added, again] = await others
  assert.deepEqual([init.error, added, again], Array(3).fill('CONCURRENT_TRANSACTIONS'))
  assert.equal(await ending, 'NONE')
  assert.deepEqual(await valuesIn(broker), ['a'])
  assert.equal(broker.groupOffsets.committed('g', { topic: 't', partition: 0 })?.offset, 7)
  assert.equal(shownState(broker.transactions.table.get('x')!), 'CompleteCommit')
  await broker.close()
})

test('a segment ends while a decision, an identity and a transaction are on their way: the next start knows them', async () => {
  const here = machine()
  const small = { segmentBytes: 6_000, retention: { settles: false } } as const
  let broker = await here.open(small)
  await broker.createTopic({ name: 't', partitions: 2 })
  const [one, two] = [await begin(broker, 'one'), await begin(broker, 'two')]
  await write(broker, 'one', one, 'a', 0)
  const under = [
    broker.transactions.end('one', { ...one, commit: false, raises: true }),
    broker.transactions.init('three', 60_000, null),
    write(broker, 'two', two, 'b', 0),
    // The segment is full by now, and sealed with all of that on its way.
    broker.append('t', p1, batchOf(['x'.repeat(5_000)])),
  ] as const
  const [ended, three] = await Promise.all(under)
  await broker.close()
  broker = await here.open(small)
  const stateOf = (id: string) => {
    const { state, identity } = broker.transactions.table.get(id)!
    return [state, identity.producerId, identity.epoch]
  }
  assert.deepEqual(stateOf('one'), ['CompleteAbort', ended.producerId, ended.epoch])
  assert.deepEqual(stateOf('two'), ['Ongoing', two.producerId, two.epoch])
  assert.deepEqual(stateOf('three'), ['Empty', three.producerId, three.epoch])
  assert.equal(await end(broker, 'two', two, true), 'NONE')
  assert.deepEqual(await valuesIn(broker), ['b'])
  await broker.close()
})
