// A disk that fills up under a job and its producer: records are refused and tried again, reads go on, and when there is
// room again everything goes on by itself, with nothing lost, doubled or computed twice.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { simulate } from '../../sim/world.ts'
import { type Broker, openBroker } from '../../src/broker/broker.ts'
import { pipelines, sales } from '../../src/commerce/commerce.ts'
import { batchProducer } from '../../src/connect/batch-producer.ts'
import { type LogJob, lastRows, startLogJob } from '../../src/connect/connect.ts'
import type { RecordProducer } from '../../src/connect/record-producer.ts'
import { salesTraffic } from '../../src/generate/generate.ts'
import { LogError } from '../../src/log/log.ts'
import { partitionId } from '../../src/std/units.ts'
import { BatchWriter } from '../../src/wire/batch-writer.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { FsError, type World } from '../../src/world/world.ts'

const resultTopic = 'sales-per-second'
const plan = pipelines.get(resultTopic)!.plan
const limits = { durability: 'power', segmentBytes: 300_000, freeBytesMin: 600_000, cacheBytes: 0 } as const

interface Shop {
  readonly broker: Broker
  readonly job: LogJob
  readonly producer: RecordProducer
  /** Makes sales up for so long; returns how many were recorded since the begin. */
  sell(ms: number): Promise<number>
  close(): Promise<void>
}

async function openShop(world: World, dataDir: string, seed: string): Promise<Shop> {
  const broker = await openBroker(world, { ...limits, dataDir })
  const job = await startLogJob(world, broker, {
    name: 'figures',
    plans: [plan],
    inHouse: new Set(),
    snapshotFolder: `${dataDir}/jobs/figures`,
    logIdentity: broker.clusterId,
    tickMs: 1_000,
    onOutput: () => {},
  })
  const producer = batchProducer(
    world,
    {
      partitions: (topic) => broker.topic(topic)?.partitions ?? null,
      append: (topic, partition, batch) => broker.append(topic, partition, batch),
    },
    { producer: await broker.newProducerId(), compression: 'none' },
  )
  const traffic = salesTraffic(seed, { ratePerSecond: 200, startMs: world.clock.nowMs(), steady: true })
  return {
    broker,
    job,
    producer,
    async sell(ms) {
      for (let left = ms; left > 0; left -= 100) {
        await world.clock.sleep(Math.min(100, left))
        if (producer.room() === null) traffic.produceUntil(world.clock.nowMs(), producer, 1_000)
      }
      return producer.counts().records
    },
    async close() {
      if (producer.trouble() === null) await producer.close()
      await job.stop()
      await broker.close()
    },
  }
}

/** Takes all the room that the disk has but a little. */
function fillUp(world: World, path: string, leaveBytes: number): void {
  const file = world.fs.open(path, 'create')
  try {
    const piece = new Uint8Array(65_536).fill(7)
    for (let at = 0; world.fs.space(path).freeBytes > leaveBytes; ) {
      const wanted = Math.min(piece.length, world.fs.space(path).freeBytes - leaveBytes)
      at += file.write(piece.subarray(0, Math.max(1, wanted)), at)
    }
  } catch (error) {
    if (!(error instanceof FsError) || error.code !== 'ENOSPC') throw error
  } finally {
    file.close()
  }
}

async function idsIn(broker: Broker): Promise<string[]> {
  return (await lastRows(broker, sales.topic, Number.MAX_SAFE_INTEGER)).map((row) => String(row.id_sale))
}
function ends(broker: Broker, topic: string): number {
  const partitions = broker.topic(topic)?.partitions ?? 0
  return Array.from({ length: partitions }, (_, id) => broker.offsets(topic, partitionId(id)).end).reduce(
    (sum, end) => sum + end,
    0,
  )
}
const oneRecord = (): Uint8Array => {
  const writer = new BatchWriter()
  writer.append(null, new Uint8Array([123, 125]), 1)
  return writer.finish()
}

/** The whole story on one world; `leaveBytes` of room are left by the one who fills the disk. */
async function story(world: World, folder: string, seed: string, leaveBytes: number): Promise<void> {
  const shop = await openShop(world, `${folder}/data`, seed)
  const { broker, job, producer } = shop
  await shop.sell(3_000)
  await producer.flush()
  await job.settled()
  assert.equal(broker.trouble(), null)
  const before = ends(broker, sales.topic)

  fillUp(world, `${folder}/others`, leaveBytes)
  await world.clock.sleep(1_100)
  await shop.sell(5_000)
  assert.ok(broker.isPaused(), 'the broker says so')
  assert.match(broker.trouble()?.message ?? '', /no room.*by themselves/)
  assert.ok(producer.trouble() !== null, 'the producer waits')
  assert.equal(ends(broker, sales.topic), before, 'no record was taken')
  await assert.rejects(broker.append(sales.topic, partitionId(0), oneRecord()), (error) => {
    return error instanceof LogError && error.code === 'KAFKA_STORAGE_ERROR' && error.isTransient
  })
  assert.equal((await idsIn(broker)).length, before, 'reads go on')

  world.fs.unlink(`${folder}/others`)
  const recorded = await shop.sell(3_000)
  await producer.flush()
  await job.settled()
  assert.equal(broker.trouble(), null)
  assert.equal(job.trouble(), null)
  assert.equal(producer.trouble(), null)
  const ids = await idsIn(broker)
  assert.equal(ids.length, recorded, 'every sale is there')
  assert.equal(new Set(ids).size, recorded, 'once')
  const counted = job.ledger().reduce((sum, line) => sum + line.processed + line.duplicates + line.late, 0)
  assert.equal(counted, recorded, 'and has gone through the job')
  await shop.close()

  // Nothing is left that a start would trip over.
  const again = await openShop(world, `${folder}/data`, `${seed} again`)
  await again.job.settled()
  assert.equal((await idsIn(again.broker)).length, recorded)
  await again.close()
}

test('on a simulated disk with a quota, 8 seeds', async () => {
  for (let seed = 0; seed < 8; seed++) {
    const simulation = simulate({ seed: `full ${seed}`, capacityBytes: 12_000_000 })
    const end = await simulation.run(async (world) => {
      world.fs.mkdir('/here')
      // From just below what must be free to nothing at all.
      await story(world, '/here', `full ${seed}`, [590_000, 100_000, 20_000, 0][seed % 4]!)
    })
    if (end.end === 'threw') throw new Error(`seed ${seed}`, { cause: end.error })
    assert.equal(end.end, 'returned', `seed ${seed}`)
  }
})

test('killed or cut off while the disk is full: what was acknowledged stays, and a start finds its way', async () => {
  for (let seed = 0; seed < 8; seed++) {
    const simulation = simulate({ seed: `full crash ${seed}`, capacityBytes: 12_000_000, faults: { survival: 0.5 } })
    let acknowledged = 0
    const first = await simulation.run(async (world, process) => {
      world.fs.mkdir('/here')
      await world.fs.syncFolder('/')
      const shop = await openShop(world, '/here/data', `crash ${seed}`)
      await shop.sell(2_000)
      fillUp(world, '/here/others', [100_000, 0][seed % 2]!)
      simulation.machine.plan({ at: 40 + seed * 10, crash: seed % 3 === 0 ? 'kill' : 'power' })
      for (let i = 0; i < 60; i++) {
        await shop.sell(1_000)
        if (process.alive) acknowledged = shop.producer.counts().acknowledged
      }
    })
    if (first.end === 'threw') throw new Error(`seed ${seed}`, { cause: first.error })
    simulation.machine.plan(null)
    const next = await simulation.run(async (world) => {
      if (world.fs.stat('/here/others') !== null) world.fs.unlink('/here/others')
      const shop = await openShop(world, '/here/data', `crash ${seed} again`)
      assert.equal(shop.broker.trouble(), null)
      await shop.job.settled()
      const ids = await idsIn(shop.broker)
      assert.ok(ids.length >= acknowledged, `${ids.length} of ${acknowledged}`)
      assert.equal(new Set(ids).size, ids.length)
      const counted = shop.job.ledger().reduce((sum, line) => sum + line.processed, 0)
      assert.equal(counted, ids.length)
      await shop.close()
    })
    if (next.end === 'threw') throw new Error(`seed ${seed}`, { cause: next.error })
    assert.equal(next.end, 'returned', `seed ${seed}`)
  }
})

test('on a small real file system', { timeout: 120_000 }, async (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-full-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'millrace-test', folder])
  try {
    if (mounted.status !== 0) {
      t.skip('a small file system cannot be mounted here (that needs root)')
      return
    }
    await story(nodeWorld(), folder, 'tmpfs', 50_000)
  } finally {
    if (mounted.status === 0) spawnSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true, force: true })
  }
})

test('where files may not grow (ulimit -f), each is followed by a new one; nothing that was taken is lost', (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-limited-'))
  try {
    const child = fileURLToPath(new URL('limited-child.ts', import.meta.url))
    const command = `ulimit -f 400 && exec "${process.execPath}" "${child}" "${folder}/data" 40`
    const ended = spawnSync('bash', ['-c', command], { encoding: 'utf8' })
    if (ended.error !== undefined) {
      t.skip('there is no bash to set a limit with')
      return
    }
    assert.equal(ended.status, 0, ended.stderr)
    const told = JSON.parse(ended.stdout) as Record<string, number> & { messages: string[] }
    assert.deepEqual(told.messages, ['EFBIG'])
    assert.ok(told.refused! >= 3 && told.taken! >= 20, ended.stdout)
    assert.deepEqual([told.taken! + told.refused!, told.read, told.readAgain], [40, told.taken, told.taken])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
