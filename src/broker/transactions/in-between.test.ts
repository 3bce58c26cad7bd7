// What meets what is not durable yet: batches while an administrator's marker is on its way, a transaction that begins in
// the moment in which the last one ended, a seal while an id turns; and hangs that could not be ended at once.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../../sim/world.ts'
import { LogError } from '../../log/log.ts'
import { machine, p0, readValues, refused } from '../broker.suite.ts'
import { type Broker, openBroker } from '../broker.ts'
import { blankState } from '../replay.ts'
import { emptyManifest } from '../settled/manifest.ts'
import { captureState, restoreState } from '../snapshot.ts'
import { TransactionCoordinator, type TransactionLog } from './coordinator.ts'
import type { ProducerClaim } from './judging.ts'
import { TransactionTable } from './table.ts'
import { readCommitted, transactional } from './transactions.suite.ts'

const within = { transactionalId: 'shop', joins: true }
const write = (broker: Broker, claim: ProducerClaim, value: string, sequence: number) =>
  broker.appendWithin('t', p0, transactional([value], claim, sequence), within)

test('a batch that comes while a marker of WriteTxnMarkers is on its way is not swallowed by it', async () => {
  const broker = await machine().open()
  await broker.createTopic({ name: 't', partitions: 1 })
  const claim = await broker.transactions.init('shop', 60_000, null)
  await write(broker, claim, 'marked', 0)
  const marking = broker.transactions.mark(claim, false, [broker.transactions.placeOf('t', 0)!])
  await assert.rejects(write(broker, claim, 'late', 1), refused('CONCURRENT_TRANSACTIONS'))
  assert.equal(await marking, 'NONE')
  await write(broker, claim, 'late', 1)
  assert.equal(broker.stable.end('t', p0), 2, 'the transaction goes on')
  assert.equal((await broker.transactions.end('shop', { ...claim, commit: false, raises: true })).error, 'NONE')
  assert.deepEqual(await readCommitted(broker, 't', 0), [])
  await broker.close()
})

test('WriteTxnMarkers that names a partition twice writes one marker', async () => {
  const computer = machine()
  const broker = await computer.open()
  await broker.createTopic({ name: 't', partitions: 1 })
  const claim = await broker.transactions.init('shop', 60_000, null)
  await write(broker, claim, 'marked', 0)
  const place = broker.transactions.placeOf('t', 0)!
  assert.equal(await broker.transactions.mark(claim, false, [place, [...place]]), 'NONE')
  assert.equal(broker.offsets('t', p0).end, 2)
  await broker.close()
  const again = await computer.open()
  assert.equal(again.offsets('t', p0).end, 2)
  assert.equal((await readValues(again, 't')).length, 2)
  await again.close()
})

test('a transaction that begins as the last one ends has its time, too', async () => {
  const ended = await simulate({ seed: 'at once' }).run(async (world) => {
    const broker = await openBroker(world, { dataDir: '/data', durability: 'power', freeBytesMin: 0 })
    await broker.createTopic({ name: 't', partitions: 1 })
    const claim = await broker.transactions.init('shop', 10_000, null)
    const place = broker.transactions.placeOf('t', 0)!
    await broker.transactions.addPartitions('shop', claim, [place])
    let again: Promise<string> | null = null
    broker.onAdvance(() => {
      again ??= broker.transactions.addPartitions('shop', claim, [place])
    })
    assert.equal((await broker.transactions.end('shop', { ...claim, commit: true, raises: false })).error, 'NONE')
    assert.equal(await again, 'NONE')
    await world.clock.sleep(20_000)
    assert.equal(broker.transactions.table.get('shop')?.state, 'CompleteAbort')
    await broker.close()
  })
  if (ended.end === 'threw') throw ended.error
  assert.equal(ended.end, 'returned')
})

test('what hangs at the start and cannot be ended then is ended later', async () => {
  const ended = await simulate({ seed: 'hanging' }).run(async (world) => {
    let tries = 0
    const unused = (): never => assert.fail('nobody asks for that')
    const log: TransactionLog = {
      table: new TransactionTable(),
      newProducerId: unused,
      placeOf: unused,
      nameOf: unused,
      durable: unused,
      join: unused,
      turn: unused,
      end: unused,
      mark: unused,
      abortHanging: async () => {
        if (++tries < 3) throw new LogError('KAFKA_STORAGE_ERROR', 'no room')
      },
    }
    const coordinator = new TransactionCoordinator(world, log)
    coordinator.start()
    await world.clock.sleep(10_000)
    assert.equal(tries, 3)
    coordinator.close()
  })
  if (ended.end === 'threw') throw ended.error
  assert.equal(ended.end, 'returned')
})

test('a seal that is written while an id turns knows the epoch that fences', () => {
  const logId = new Uint8Array(16)
  const before = blankState(logId, 10)
  const identity = { producerId: before.producers.take(), epoch: 7, lastProducerId: -1, lastEpoch: -1 }
  before.transactions.await({ what: 'identity', id: 'shop', ...identity, timeoutMs: 1_000 }, 5)
  const after = blankState(logId, 10)
  restoreState(after, [{ segment: 1, payload: captureState(before, 1) }], emptyManifest)
  assert.equal(after.transactions.get('shop')?.identity.epoch, 7)
  assert.equal(after.producers.epoch(identity.producerId), 7)
})
