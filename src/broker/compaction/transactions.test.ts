// Compacted topics with transactions: who reads committed records sees the newest of each key, aborted ones never hide any.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../../sim/world.ts'
import { partitionId } from '../../std/units.ts'
import { batchOf } from '../broker.suite.ts'
import { openBroker } from '../broker.ts'
import type { ProducerClaim } from '../transactions/judging.ts'
import { followed, readCommitted, transactional } from '../transactions/transactions.suite.ts'

const settings = {
  dataDir: '/data',
  durability: 'power',
  freeBytesMin: 0,
  segmentBytes: 4_000,
  cacheBytes: 0,
  retention: { checkEveryMs: 50, fileBytesMax: 3_000, settleAfterMs: 500 },
} as const
const eager = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.1', 'delete.retention.ms': '300' }
const p0 = partitionId(0)

test('random transactions on a compacted topic, read with read_committed and followed, before and after a restart', async () => {
  let runs = 0
  for (let seed = 0; seed < 12; seed++) {
    const simulation = simulate({ seed: `compacted transactions ${seed}` })
    const random = simulation.random
    const end = await simulation.run(async (world) => {
      const broker = await openBroker(world, settings)
      await broker.createTopic({ name: 't', partitions: 1, configs: eager })
      // The batches of the suite have keys k0, k1 … by their place; a value is unique.
      const committed: string[][] = []
      const claims: { readonly id: string; readonly claim: ProducerClaim; sequence: number }[] = []
      for (const id of ['a', 'b']) {
        const { error, producerId, epoch } = await broker.transactions.init(id, 60_000, null)
        assert.equal(error, 'NONE')
        claims.push({ id, claim: { producerId, epoch }, sequence: 0 })
      }
      for (let i = 0; i < 80; i++) {
        const rows = Array.from(
          { length: 1 + random.below(4) },
          (_, at) => `${i}.${at} ${'x'.repeat(random.below(150))}`,
        )
        const who = random.below(3)
        if (who === 2) {
          await broker.append('t', p0, batchOf(rows))
          committed.push(rows)
        } else {
          const writer = claims[who]!
          const place = broker.transactions.placeOf('t', 0)!
          assert.equal(await broker.transactions.addPartitions(writer.id, writer.claim, [place]), 'NONE')
          const batch = transactional(rows, writer.claim, writer.sequence)
          await broker.appendWithin('t', p0, batch, { transactionalId: writer.id, joins: false })
          writer.sequence += rows.length
          const commits = random.below(2) === 0
          const ended = await broker.transactions.end(writer.id, { ...writer.claim, commit: commits, raises: false })
          assert.equal(ended.error, 'NONE')
          if (commits) committed.push(rows)
        }
        if (random.below(8) === 0) await world.clock.sleep(200)
      }
      await world.clock.sleep(2_000)
      runs += broker.stats().compaction.runs
      const newest = new Map<number, string>()
      for (const rows of committed) for (const [at, value] of rows.entries()) newest.set(at, value)
      const all = new Set(committed.flat())
      const check = (values: readonly string[], what: string): void => {
        for (const value of values) assert.ok(all.has(value), `seed ${seed}, ${what}: ${value} was aborted`)
        for (const value of newest.values())
          assert.ok(values.includes(value), `seed ${seed}, ${what}: ${value} is gone`)
      }
      check(
        (await readCommitted(broker, 't', 0)).map(({ value }) => value),
        'read committed',
      )
      check(followed(broker, ['t'], 500, 3), 'followed')
      await broker.close()
      const again = await openBroker(world, settings)
      assert.equal(again.trouble(), null)
      check(
        (await readCommitted(again, 't', 0)).map(({ value }) => value),
        'after a restart',
      )
      await again.close()
    })
    if (end.end === 'threw') throw new Error(`seed ${seed}`, { cause: end.error })
    assert.equal(end.end, 'returned', `seed ${seed}`)
  }
  assert.ok(runs > 12, `${runs} compactions`)
})
