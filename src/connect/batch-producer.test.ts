// Records to batches: what comes out is what went in, in order, where Java would put it, bounded, and errors are told.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Appended } from '../log/log.ts'
import { randomStream } from '../std/random.ts'
import { lsn, offset } from '../std/units.ts'
import { partitionOfKey } from '../wire/partitioner.ts'
import * as wire from '../wire/record-batch.ts'
import { nodeWorld } from '../world/node.ts'
import type { Clock, World } from '../world/world.ts'
import { type BatchProducerSettings, type BatchReceiver, batchProducer } from './batch-producer.ts'
import { ProduceError } from './record-producer.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const acknowledged: Appended = { baseOffset: offset(0), lsn: lsn(1), appendedMs: 0 }

/** A clock that stands still until told. */
function standingClock(): { readonly world: World; advance(ms: number): void } {
  let nowMs = 0
  const timers = new Map<number, { readonly dueMs: number; readonly run: () => void }>()
  let ids = 0
  const clock: Clock = {
    nowMs: () => nowMs,
    monoMs: () => nowMs,
    timer(delayMs, run) {
      const id = ids++
      timers.set(id, { dueMs: nowMs + delayMs, run })
      return { cancel: () => void timers.delete(id) }
    },
    sleep: () => Promise.reject(new Error('nobody sleeps here')),
    soon: (run) => run(),
  }
  return {
    world: { ...nodeWorld({ seed: 'x' }), clock },
    advance(ms) {
      nowMs += ms
      for (const [id, { dueMs, run }] of [...timers]) {
        if (dueMs > nowMs) continue
        timers.delete(id)
        run()
      }
    },
  }
}

interface Landed {
  readonly topic: string
  readonly partition: number
  readonly batch: Uint8Array
  readonly acknowledge: () => void
  readonly refuse: (error: Error) => void
}
function receiver(partitions: number, auto: boolean): BatchReceiver & { readonly landed: Landed[] } {
  const landed: Landed[] = []
  return {
    landed,
    partitions: (topic) => (topic === 'none' ? null : partitions),
    append: (topic, partition, batch) => {
      const { promise, resolve, reject } = Promise.withResolvers<Appended>()
      landed.push({ topic, partition, batch, acknowledge: () => resolve(acknowledged), refuse: reject })
      if (auto) resolve(acknowledged)
      return promise
    },
  }
}
interface Carried {
  readonly key: string | null
  readonly value: string | null
  readonly timeMs: number
}
function carried(batch: Uint8Array): Carried[] {
  assert.equal(wire.checkBatch(batch), null)
  assert.equal(wire.checkRecords(batch), null)
  const { bytes, start, end } = wire.recordsOf(batch)
  const slots = wire.recordSlots(wire.recordCount(batch))
  wire.walkRecords(bytes, start, end, slots)
  const text = (from: number, to: number): string | null =>
    from === -1 ? null : decoder.decode(bytes.subarray(from, to))
  return Array.from({ length: slots.count }, (_, i) => ({
    key: text(slots.keyStart[i]!, slots.keyEnd[i]!),
    value: text(slots.valueStart[i]!, slots.valueEnd[i]!),
    timeMs: wire.baseTimestampMs(batch) + slots.timestampDelta[i]!,
  }))
}
const open = (to: BatchReceiver, settings: BatchProducerSettings = {}) => {
  const { world, advance } = standingClock()
  return { producer: batchProducer(world, to, settings), advance }
}

test('what goes in comes out, per partition in order, sequences without gaps, batches near their size', async () => {
  for (const compression of ['none', 'snappy'] as const) {
    const to = receiver(6, true)
    const { producer } = open(to, { compression, batchBytes: 4_096, producer: { producerId: 77n, epoch: 3 } })
    const random = randomStream(`batches/${compression}`)
    const expected = Array.from({ length: 6 }, (): Carried[] => [])
    for (let i = 0; i < 5_000; i++) {
      const key = `key-${random.below(40)}`
      const value = random.below(50) === 0 ? null : `${i}:${'v'.repeat(random.below(400))}`
      const timeMs = 1_700_000_000_000 + i - random.below(5_000)
      const keyBytes = encoder.encode(key)
      const valueBytes = value === null ? null : encoder.encode(value)
      producer.record('t', keyBytes, valueBytes, timeMs)
      expected[partitionOfKey(keyBytes, 6)]!.push({ key, value, timeMs })
      keyBytes.fill(0)
      valueBytes?.fill(0)
    }
    await producer.close()
    const nextSequence = new Array<number>(6).fill(0)
    const got = Array.from({ length: 6 }, (): Carried[] => [])
    for (const { topic, partition, batch } of to.landed) {
      assert.equal(topic, 't')
      assert.equal(wire.producerId(batch), 77n)
      assert.equal(wire.producerEpoch(batch), 3)
      assert.equal(wire.baseSequence(batch), nextSequence[partition])
      nextSequence[partition]! += wire.recordCount(batch)
      const { bytes, start, end } = wire.recordsOf(batch)
      assert.ok(bytes.subarray(start, end).length <= 4_096)
      got[partition]!.push(...carried(batch))
    }
    assert.deepEqual(got, expected)
    const counts = producer.counts()
    assert.equal(counts.records, 5_000)
    assert.equal(counts.acknowledged, 5_000)
    assert.equal(counts.waitingBytes, 0)
    assert.equal(counts.sends, to.landed.length)
    assert.equal(
      counts.sentBytes,
      to.landed.reduce((sum, { batch }) => sum + batch.length, 0),
    )
  }
})

test('a batch leaves when it lingered, or when flushed, and not before', async () => {
  const to = receiver(1, true)
  const { producer, advance } = open(to, { lingerMs: 10 })
  producer.record('t', null, encoder.encode('1'), 0)
  advance(9)
  producer.record('t', null, encoder.encode('2'), 0)
  assert.equal(to.landed.length, 0)
  advance(1)
  assert.equal(to.landed.length, 1)
  producer.record('t', null, encoder.encode('3'), 0)
  await producer.flush()
  assert.deepEqual(
    to.landed.map(({ batch }) => carried(batch).map(({ value }) => value)),
    [['1', '2'], ['3']],
  )
  advance(100)
  assert.equal(to.landed.length, 2)
  await producer.flush()
})

test('records without a key go round the partitions, a batch each', async () => {
  const to = receiver(3, true)
  const { producer } = open(to, { batchBytes: 1_000, lingerMs: 0 })
  for (let i = 0; i < 70; i++) producer.record('t', null, encoder.encode(`${i}`.padEnd(90, '.')), 0)
  await producer.flush()
  assert.deepEqual(
    to.landed.slice(0, 6).map(({ partition }) => partition),
    [0, 1, 2, 0, 1, 2],
  )
  assert.equal(to.landed.flatMap(({ batch }) => carried(batch)).length, 70)
})

test('a record larger than a batch makes one of its own', async () => {
  const to = receiver(1, true)
  const { producer } = open(to, { batchBytes: 1_000, lingerMs: 0 })
  for (const size of [10, 5_000, 10]) producer.record('t', encoder.encode('k'), encoder.encode('x'.repeat(size)), 0)
  await producer.flush()
  assert.deepEqual(
    to.landed.map(({ batch }) => carried(batch).map(({ value }) => value?.length)),
    [[10], [5_000], [10]],
  )
})

test('at most five batches of a partition are under way; above the limit of bytes callers wait', async () => {
  const to = receiver(1, false)
  const { producer } = open(to, { batchBytes: 1_000, lingerMs: 0, compression: 'none', waitingBytesMax: 7_000 })
  const put = (): void => producer.record('t', encoder.encode('k'), encoder.encode('x'.repeat(1_000)), 0)
  for (let i = 0; i < 6; i++) put()
  assert.equal(producer.room(), null)
  assert.equal(to.landed.length, 5)
  put()
  const room = producer.room()
  assert.ok(room !== null)
  to.landed[0]!.acknowledge()
  await room
  assert.equal(producer.room(), null)
  assert.equal(to.landed.length, 6)
  const flushed = producer.flush()
  for (let i = 1; i < 7; i++) {
    to.landed[i]!.acknowledge()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await flushed
  assert.equal(producer.counts().acknowledged, 7)
})

test('a refused batch is told to everyone: those who wait, those who flush, those who go on', async () => {
  const to = receiver(1, false)
  const { producer } = open(to, { batchBytes: 1_000, lingerMs: 0, waitingBytesMax: 100, compression: 'none' })
  producer.record('t', encoder.encode('k'), encoder.encode('x'.repeat(1_000)), 0)
  const room = producer.room()!
  const flushed = producer.flush()
  to.landed[0]!.refuse(new Error('disk full'))
  const told = (error: unknown): boolean =>
    error instanceof ProduceError && error.topic === 't' && /disk full/.test(error.message)
  await assert.rejects(room, told)
  await assert.rejects(flushed, told)
  assert.throws(() => producer.record('t', null, null, 0), told)
  await assert.rejects(producer.flush(), told)
  await assert.rejects(producer.room()!, told)
  assert.throws(() => open(to).producer.record('none', null, null, 0), /topic 'none': there is no such topic/)
})
