// Marketplace sales: the mix of delays, the demonstration's patterns, late batches, ids that never come twice.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { parseInstant } from '../std/instant.ts'
import { lateBatch, type MarketplaceSettings, marketplaceTraffic } from './generate.ts'
import { demoMix, marketplaces, stragglerShare, weekMix } from './marketplace-delays.ts'
import { lateBatchSizeMax } from './marketplace-traffic.ts'

const hourMs = 3_600_000
const startMs = Date.UTC(2026, 0, 5, 3)
const decoder = new TextDecoder()
const bandOf = (delayMs: number): number => [1, 6, 24, 48].findIndex((hours) => delayMs < hours * hourMs)

function run(settings: Omit<MarketplaceSettings, 'startMs'>, ms: number, each: (sale: Sale) => void): number {
  return marketplaceTraffic('11', { startMs, ...settings }).produceUntil(startMs + ms, {
    record: (topic, key, value, arrivalMs) => {
      const line = decoder.decode(value)
      const record = JSON.parse(line)
      assert.equal(topic, 'marketplace-sales')
      assert.equal(decoder.decode(key), record.transaction_id)
      assert.equal(JSON.stringify(record), line)
      each({ record, delayMs: arrivalMs - parseInstant(record.transaction_time) })
    },
  })
}
interface Sale {
  // A parsed record, looked at field by field.
  readonly record: ReturnType<typeof JSON.parse>
  readonly delayMs: number
}
const near = (seen: readonly number[], asked: readonly number[], points: number): void => {
  for (const [band, share] of seen.entries())
    assert.ok(Math.abs(share - asked[band]!) <= points / 100, `band ${band}: ${share}, asked ${asked[band]}`)
}

test('D7: with the weights of the hours a week comes to 40/30/20/10, to half a point', () => {
  near(weekMix(), demoMix, 0.05)
  const counts = [0, 0, 0, 0]
  let stragglers = 0
  const made = run({ ratePerSecond: 0.5 }, 7 * 24 * hourMs, ({ delayMs }) => {
    const band = bandOf(delayMs)
    if (band === -1) stragglers++
    counts[band === -1 ? 3 : band]!++
    assert.ok(delayMs >= 0 && delayMs < 80 * hourMs)
  })
  assert.ok(made > 280_000)
  near(
    counts.map((count) => count / made),
    demoMix,
    0.5,
  )
  assert.ok(Math.abs(stragglers / made / stragglerShare - 1) < 0.2)
})

test('D1, D7: the demonstration names the pattern of each record, and the record has that delay', () => {
  const counts = new Map<string, number>()
  const shares = new Map<string, number>()
  const ids = new Set<string>()
  const patterns = ['immediate', 'short_delay', 'medium_delay', 'long_delay']
  const made = run({ ratePerSecond: 100, steady: true, demo: true }, 1_000_000, ({ record, delayMs }) => {
    const { pattern } = record.demo
    assert.equal(patterns[bandOf(delayMs)], pattern)
    counts.set(pattern, (counts.get(pattern) ?? 0) + 1)
    shares.set(record.marketplace, (shares.get(record.marketplace) ?? 0) + 1)
    assert.match(record.transaction_id, /^TXN-(AMA|EBA|WAL|SHO|ETS)-[0-9A-F]{8}$/)
    assert.equal(record.transaction_id.slice(4, 7), record.marketplace.slice(0, 3).toUpperCase())
    assert.equal(record.batch_id, undefined)
    ids.add(record.transaction_id.slice(8))
  })
  assert.equal(ids.size, made)
  near(
    patterns.map((pattern) => counts.get(pattern)! / made),
    demoMix,
    0.5,
  )
  for (const { name, share } of marketplaces) assert.ok(Math.abs(shares.get(name)! / made - share) < 0.01)
})

test('D8: a late batch has its id, numbers from 1, and delays of 12 hours and more', () => {
  const releaseMs = 1_750_178_375_123
  const records: Sale[] = []
  const hash = (): string => {
    const digest = createHash('sha256')
    lateBatch('5', { releaseMs }, { record: (_topic, _key, value) => digest.update(value) })
    return digest.digest('hex')
  }
  assert.equal(hash(), hash())
  const id = lateBatch(
    '5',
    { releaseMs, size: 1_000 },
    {
      record: (_topic, _key, value, arrivalMs) => {
        const record = JSON.parse(decoder.decode(value))
        records.push({ record, delayMs: arrivalMs - parseInstant(record.transaction_time) })
        assert.equal(arrivalMs, releaseMs)
      },
    },
  )
  assert.equal(id, 'LATE_BATCH_1750178375')
  assert.deepEqual(
    records.map(({ record }) => [record.batch_id, record.record_number]),
    records.map((_, i) => [id, i + 1]),
  )
  assert.ok(records.every(({ delayMs }) => delayMs >= 12 * hourMs && delayMs < 80 * hourMs))
  const beyond = records.filter(({ delayMs }) => delayMs >= 48 * hourMs).length
  assert.ok(beyond > 150 && beyond < 250, `${beyond}`)
  let twenty = 0
  lateBatch('5', { releaseMs }, { record: () => twenty++ })
  assert.equal(twenty, 20)
  for (const size of [0, 1.5, lateBatchSizeMax + 1])
    assert.throws(() => lateBatch('5', { releaseMs, size }, { record: () => {} }), /a late batch of/)
})
