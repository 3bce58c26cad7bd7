// Settling on a real disk, by a thread of its own: a thousand partitions, appends that go on meanwhile, a start afterwards.
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { offset, partitionId } from '../std/units.ts'
import { nodeWorld } from '../world/node.ts'
import { batchOf, valuesOf } from './broker.suite.ts'
import { openBroker } from './broker.ts'

test('a thousand partitions are settled while appends go on, and read back after a start', async () => {
  const dataDir = mkdtempSync(`${tmpdir()}/millrace-settling-`)
  try {
    const settings = {
      dataDir,
      durability: 'process',
      freeBytesMin: 0,
      segmentBytes: 1 << 20,
      cacheBytes: 0,
      retention: { logBytesMax: 2 ** 40, checkEveryMs: 50, tiers: { openFilesMax: 16 } },
    } as const
    let broker = await openBroker(nodeWorld(), settings)
    await broker.createTopic({ name: 'wide', partitions: 1000 })
    const value = (partition: number, round: number): string => `${partition}/${round} ${'x'.repeat(partition % 900)}`
    const rounds = 6
    for (let round = 0; round < rounds; round++) {
      const appends = []
      for (let id = 0; id < 1000; id++) {
        appends.push(broker.append('wide', partitionId(id), batchOf([value(id, round)])))
        if (appends.length === 100) await Promise.all(appends.splice(0))
      }
    }
    for (let i = 0; i < 12_000 && broker.stats().journal.segments > 1; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    assert.equal(broker.trouble(), null)
    const { settledFiles, settledLsn } = broker.stats().retention
    assert.ok(settledFiles >= 900 && settledLsn > 3000, `${settledFiles} files up to ${settledLsn}`)
    await broker.close()
    broker = await openBroker(nodeWorld(), settings)
    assert.equal(broker.stats().retention.settledLsn, settledLsn)
    for (let id = 0; id < 1000; id += 13) {
      const batches = await broker.read('wide', partitionId(id), offset(0), 1 << 20)
      assert.deepEqual(
        batches.flatMap(valuesOf),
        Array.from({ length: rounds }, (_, round) => value(id, round)),
      )
    }
    const follower = broker.follow({ job: 'job', topics: ['wide'], from: broker.origin() })
    let followed = 0
    let last = 0
    for (let entries = follower.poll(1 << 20); entries.length > 0; entries = follower.poll(1 << 20)) {
      for (const entry of entries) {
        assert.ok(entry.lsn > last)
        last = entry.lsn
        followed++
      }
    }
    assert.equal(followed, 1000 * rounds)
    follower.close()
    const files = readdirSync(`${dataDir}/settled`).filter((name) => name.endsWith('.settled'))
    assert.equal(files.length, settledFiles)
    await broker.close()
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
})
