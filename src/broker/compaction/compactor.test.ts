// Compacted topics in use: producers write, readers and jobs read, segments are settled, files are compacted, processes
// die. The newest record of each key is there, at its offset, whatever happens; what was read in order stays in order.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../../sim/world.ts'
import { crc32c } from '../../std/crc32c.ts'
import { offset, partitionId } from '../../std/units.ts'
import { BatchWriter } from '../../wire/batch-writer.ts'
import { baseOffset, lastOffset, recordSlots, recordsOf, walkRecords } from '../../wire/record-batch.ts'
import type { World } from '../../world/world.ts'
import { p0, produced } from '../broker.suite.ts'
import { type Broker, openBroker } from '../broker.ts'
import { writeU32 } from '../journal/big-endian.ts'

const settings = {
  dataDir: '/data',
  durability: 'power',
  freeBytesMin: 0,
  segmentBytes: 5_000,
  cacheBytes: 0,
  retention: { checkEveryMs: 50, fileBytesMax: 4_000, settleAfterMs: 500 },
} as const
const eager = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.3', 'delete.retention.ms': '1000' }

interface Read {
  readonly offset: number
  readonly key: string
  readonly value: string | null
}
async function readAll(broker: Broker, topic: string, partition = p0): Promise<Read[]> {
  const found: Read[] = []
  const slots = recordSlots(1024)
  const { start, end } = broker.offsets(topic, partition)
  for (let next: number = start; next < end; ) {
    const batches = await broker.read(topic, partition, offset(next), 3_000)
    if (batches.length === 0) break
    for (const batch of batches) {
      assert.ok(lastOffset(batch) >= next, 'reads go on')
      const { bytes, start: from, end: to } = recordsOf(batch)
      walkRecords(bytes, from, to, slots)
      const text = (a: number, b: number): string | null =>
        a < 0 ? null : new TextDecoder().decode(bytes.subarray(a, b))
      for (let i = 0; i < slots.count; i++) {
        const at = baseOffset(batch) + slots.offsetDelta[i]!
        if (at >= next)
          found.push({
            offset: at,
            key: text(slots.keyStart[i]!, slots.keyEnd[i]!)!,
            value: text(slots.valueStart[i]!, slots.valueEnd[i]!),
          })
      }
      next = lastOffset(batch) + 1
    }
  }
  return found
}
function batch(rows: readonly { readonly key: string; readonly value: string | null }[]): Uint8Array {
  const writer = new BatchWriter({ compression: 'lz4' })
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
  for (const { key, value } of rows) writer.append(encode(key), value === null ? null : encode(value), 1)
  return writer.finish()
}

test('superseded records go, the rest stays at its offsets; the sequences of producers are known still', async () => {
  const end = await simulate({ seed: 'compaction' }).run(async (world) => {
    const broker = await openBroker(world, settings)
    await broker.createTopic({ name: 't', partitions: 1, configs: eager })
    const newest = new Map<string, Read>()
    for (let i = 0; i < 400; i++) {
      const rows = [`a${i % 7}`, `a${i % 11}`].map((key) => ({ key, value: `${i} ${'x'.repeat(50)}` }))
      const { baseOffset: base } = await broker.append('t', p0, batch(rows))
      for (const [at, { key, value }] of rows.entries()) newest.set(key, { offset: base + at, key, value })
    }
    await broker.append('t', p0, produced(5, 0, 0, 3))
    await world.clock.sleep(3_000)
    const { compaction } = broker.stats()
    assert.ok(compaction.runs > 0 && compaction.recordsKept < compaction.recordsRead / 2, JSON.stringify(compaction))
    const found = await readAll(broker, 't')
    assert.ok(found.length < 300, `${found.length} of 803 records are left`)
    for (const [i, { offset: at }] of found.entries()) assert.ok(i === 0 || at > found[i - 1]!.offset)
    for (const [key, read] of newest)
      assert.deepEqual(
        found.findLast((each) => each.key === key),
        read,
      )
    assert.equal(broker.offsets('t', p0).end, 803)
    await broker.close()

    const again = await openBroker(world, settings)
    assert.equal(again.trouble(), null)
    assert.deepEqual((await readAll(again, 't')).length, found.length)
    // The last batch of the producer, sent again, is known; the next one fits.
    assert.equal((await again.append('t', p0, produced(5, 0, 0, 3))).baseOffset, 800)
    await again.append('t', p0, produced(5, 0, 3, 1))
    await again.close()
  })
  if (end.end === 'threw') throw end.error
  assert.equal(end.end, 'returned')
})

test('of many new files one is in memory and open at a time', async () => {
  const end = await simulate({ seed: 'compaction of many files' }).run(async (world) => {
    /** Of the thread that compacts: the keeper has a world of its own. */
    const made: string[] = []
    let inARow = 0
    const fs: World['fs'] = Object.create(world.fs)
    fs.open = (path, mode) => {
      const file = world.fs.open(path, mode)
      if (!path.endsWith('.settled')) return file
      if (mode === 'create') inARow = made.push(path) === 0 ? 0 : inARow + 1
      most = Math.max(most, inARow)
      const wrapped: typeof file = Object.create(file)
      for (const name of ['write', 'sizeBytes', 'truncate', 'sync', 'close'] as const)
        Object.assign(wrapped, { [name]: file[name].bind(file) })
      wrapped.read = (into, position) => {
        inARow = 0
        return file.read(into, position)
      }
      return wrapped
    }
    let most = 0
    const broker = await openBroker({ ...world, fs }, { ...settings, segmentBytes: 40_000 })
    await broker.createTopic({ name: 't', partitions: 1, configs: eager })
    for (let i = 0; i < 500; i++)
      await broker.append(
        't',
        p0,
        batch([{ key: `a${i}`, value: `${i * 7919} ${world.random.u32()} ${'x'.repeat(100)}` }]),
      )
    await world.clock.sleep(3_000)
    assert.ok(made.length >= 8, `${made.length} files were made`)
    assert.ok(most <= 2, `${most} files were written one after the other, from memory`)
    await broker.close()
  })
  if (end.end === 'threw') throw end.error
  assert.equal(end.end, 'returned')
})

test('a job that is behind misses nothing; once it has read, its topic is compacted', async () => {
  const end = await simulate({ seed: 'compaction and a job' }).run(async (world) => {
    const broker = await openBroker(world, settings)
    await broker.createTopic({ name: 't', partitions: 1, configs: eager })
    await broker.append('t', p0, batch([{ key: 'a', value: 'first' }]))
    const { epoch, cursor } = await broker.takeJob('job')
    const follower = broker.follow({ job: 'job', topics: ['t'], from: cursor })
    follower.poll(1)
    await broker.commit({ job: 'job', epoch, previous: cursor, cursor: follower.cursor(), appends: [] })
    for (let i = 0; i < 200; i++) await broker.append('t', p0, batch([{ key: 'a', value: `${i} ${'x'.repeat(100)}` }]))
    await world.clock.sleep(3_000)
    let polled = 0
    for (let entries = follower.poll(1 << 20); entries.length > 0; entries = follower.poll(1 << 20))
      polled += entries.length
    assert.equal(polled, 200)
    await broker.commit({ job: 'job', epoch, previous: await cursorOf(broker), cursor: follower.cursor(), appends: [] })
    await world.clock.sleep(3_000)
    assert.ok((await readAll(broker, 't')).length < 100)
    follower.close()
    await broker.close()
  })
  if (end.end === 'threw') throw end.error
  assert.equal(end.end, 'returned')
})
test('a transaction whose marker a job has not met is not compacted before it is', async () => {
  const end = await simulate({ seed: 'compaction and a marker' }).run(async (world) => {
    const broker = await openBroker(world, settings)
    await broker.createTopic({ name: 't', partitions: 1, configs: eager })
    await broker.createTopic({ name: 'u', partitions: 1, configs: eager })
    const claim = await broker.transactions.init('shop', 60_000, null)
    const within = { transactionalId: 'shop', joins: true }
    for (let i = 0; i < 5; i++) {
      const writer = new BatchWriter({ compression: 'none' })
      writer.append(new TextEncoder().encode('a'), new TextEncoder().encode(`in ${i}`), 1)
      const producer = { producerId: BigInt(claim.producerId), producerEpoch: claim.epoch, baseSequence: i }
      const bytes = writer.finish(producer)
      bytes[22]! |= 0x10
      writeU32(bytes, 17, crc32c(bytes, 21))
      await broker.appendWithin('t', p0, bytes, within)
    }
    const put = async (topic: string): Promise<void> => {
      for (let i = 0; i < 60; i++)
        await broker.append(topic, p0, batch([{ key: 'a', value: `${i} ${world.random.u32()} ${'x'.repeat(200)}` }]))
    }
    await put('t')
    const { epoch, cursor } = await broker.takeJob('job')
    let follower = broker.follow({ job: 'job', topics: ['t'], from: broker.origin() })
    while (follower.poll(1 << 20).length > 0) {}
    const place = follower.cursor()
    await broker.commit({ job: 'job', epoch, previous: cursor, cursor: place, appends: [] })
    follower.close()
    assert.equal((await broker.transactions.end('shop', { ...claim, commit: true, raises: true })).error, 'NONE')
    await put('t')
    await put('u')
    await world.clock.sleep(3_000)
    assert.ok((await readAll(broker, 'u')).length < 50, 'others are compacted meanwhile')
    follower = broker.follow({ job: 'job', topics: ['t'], from: place })
    const met: string[] = []
    for (let entries = follower.poll(1); entries.length > 0; entries = follower.poll(1))
      for (const entry of entries) if (entry.kind === 'batch') met.push(new TextDecoder().decode(entry.bytes))
    assert.equal(met.filter((text) => /in \d/.test(text)).length, 5)
    const previous = await cursorOf(broker)
    await broker.commit({ job: 'job', epoch, previous, cursor: follower.cursor(), appends: [] })
    follower.close()
    await world.clock.sleep(3_000)
    assert.ok((await readAll(broker, 't')).length < 50, 'and this one afterwards')
    await broker.close()
  })
  if (end.end === 'threw') throw end.error
  assert.equal(end.end, 'returned')
})
async function cursorOf(broker: Broker) {
  const job = broker.inventory().jobs.find((each) => each.job === 'job')!
  return job.cursor as ReturnType<Broker['now']>
}

test('16 histories with crashes while files are compacted: no newest record is ever lost, no deleted one comes back', async () => {
  let runs = 0
  let crashes = 0
  for (let seed = 0; seed < 16; seed++) {
    const told = `seed ${seed}`
    const simulation = simulate({
      seed: `compaction ${seed}`,
      faults: { survival: [0, 0.5, 1][seed % 3]!, shortOdds: 0.05 },
    })
    const random = simulation.random
    /** By partition and key: what was acknowledged last, and what was sent later. */
    const acked = new Map<string, Read>()
    const sent = new Map<string, Set<string | null>>()
    for (let life = 0; life < 4; life++) {
      const isLast = life === 3
      simulation.machine.plan(
        isLast ? null : { at: 60 + random.below(900), crash: random.below(3) === 0 ? 'kill' : 'power' },
      )
      const end = await simulation.run(async (world, process) => {
        const broker = await openBroker(world, settings)
        if (broker.topic('t') === null) await broker.createTopic({ name: 't', partitions: 2, configs: eager })
        await check(broker, acked, sent, told)
        for (let i = 0; i < 120; i++) {
          const partition = random.below(2)
          const rows = Array.from({ length: 1 + random.below(3) }, () => ({
            key: `k${random.below(6)}`,
            value: random.below(5) === 0 ? null : `${life}.${i}.${random.below(1000)} ${'x'.repeat(random.below(120))}`,
          }))
          for (const { key, value } of rows) {
            const place = `${partition}/${key}`
            sent.set(place, (sent.get(place) ?? new Set()).add(value))
          }
          const { baseOffset: base } = await broker.append('t', partitionId(partition), batch(rows))
          if (!process.alive) return
          for (const [at, { key, value }] of rows.entries()) {
            acked.set(`${partition}/${key}`, { offset: base + at, key, value })
            sent.set(`${partition}/${key}`, new Set())
          }
          if (random.below(10) === 0) await world.clock.sleep(random.below(300))
        }
        await world.clock.sleep(1_500)
        await check(broker, acked, sent, told)
        runs += broker.stats().compaction.runs
        if (isLast) await broker.close()
      })
      if (end.end === 'threw') throw new Error(told, { cause: end.error })
      if (end.end === 'crashed') crashes++
      else assert.equal(end.end, 'returned', told)
    }
  }
  assert.ok(runs > 30, `${runs} compactions`)
  assert.ok(crashes > 20, `${crashes} crashes`)
})

async function check(
  broker: Broker,
  acked: ReadonlyMap<string, Read>,
  sent: ReadonlyMap<string, ReadonlySet<string | null>>,
  told: string,
): Promise<void> {
  assert.equal(broker.trouble(), null, told)
  for (const partition of [0, 1]) {
    const found = await readAll(broker, 't', partitionId(partition))
    for (const [i, { offset: at }] of found.entries()) assert.ok(i === 0 || at > found[i - 1]!.offset, told)
    const last = new Map(found.map((read) => [read.key, read]))
    for (const [place, read] of acked) {
      if (!place.startsWith(`${partition}/`)) continue
      const now = last.get(read.key)
      // Sent after it and not acknowledged: may be there.
      if (now !== undefined && now.offset > read.offset) {
        assert.ok(sent.get(place)!.has(now.value), `${told}: ${place} has a value nobody sent last`)
      } else if (read.value === null) {
        assert.ok(now === undefined || now.value === null, `${told}: ${place} was deleted and is back`)
      } else assert.deepEqual(now, read, `${told}: ${place}`)
    }
  }
}

test('with a disk that fills up in the middle, the old files stay and it goes on later', async () => {
  const simulation = simulate({ seed: 'compaction on a full disk', capacityBytes: 400_000 })
  const end = await simulation.run(async (world: World) => {
    const broker = await openBroker(world, settings)
    await broker.createTopic({ name: 't', partitions: 1, configs: { ...eager, 'min.cleanable.dirty.ratio': '0.9' } })
    for (let i = 0; i < 150; i++) await broker.append('t', p0, batch([{ key: `k${i}`, value: 'x'.repeat(400) + i }]))
    const others = world.fs.open('/others', 'create')
    const free = world.fs.space('/').freeBytes
    others.write(new Uint8Array(free - 20_000), 0)
    others.close()
    await world.clock.sleep(3_000)
    assert.equal((await readAll(broker, 't')).length, 150)
    world.fs.unlink('/others')
    await world.clock.sleep(3_000)
    assert.ok(broker.stats().compaction.runs > 0)
    assert.equal((await readAll(broker, 't')).length, 150)
    await broker.close()
  })
  if (end.end === 'threw') throw end.error
  assert.equal(end.end, 'returned')
})
