// Is it like a real shop? A week of the realistic profile by the figures that real shops were measured by, and what must be
// true of every run whatever the seed.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { parseInstant } from '../std/instant.ts'
import { hourWeights, localOffsetMs } from './arrivals.ts'
import { catalogue, marketplaceTraffic, salesTraffic, scenarios, storeTraffic, withFaults } from './generate.ts'

const startMs = Date.UTC(2026, 0, 5, 3)
const hourMs = 3_600_000
const dayMs = 24 * hourMs
const seed = process.env.MILLRACE_SEED ?? 'realism-1'
const replay = `seed ${seed}; replay: MILLRACE_SEED=${seed} npm test -- src/generate/realism`
const decoder = new TextDecoder()

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (of: readonly number[]): number => of.reduce((sum, one) => sum + one, 0) / of.length
  const [ma, mb] = [mean(a), mean(b)]
  let [ab, aa, bb] = [0, 0, 0]
  a.forEach((one, i) => {
    ab += (one - ma) * (b[i]! - mb)
    aa += (one - ma) ** 2
    bb += (b[i]! - mb) ** 2
  })
  return ab / Math.sqrt(aa * bb)
}

test('W1: a week of sales follows the hours of a real marketplace, its minutes are overdispersed, its products Zipf-like', () => {
  const shop = catalogue(seed)
  const rankOf = new Map(shop.products.map(({ id }, rank) => [id, rank]))
  const hours = new Array<number>(24).fill(0)
  const minutes = new Array<number>(7 * 24 * 60).fill(0)
  const ranks = new Array<number>(shop.products.length).fill(0)
  salesTraffic(seed, {
    ratePerSecond: 0.5,
    startMs,
    profile: 'realistic',
    catalogue: shop,
    anomalies: false,
  }).produceUntil(startMs + 7 * dayMs, {
    record(_topic, _key, value, atMs) {
      hours[Math.floor((atMs + localOffsetMs) / hourMs) % 24]!++
      minutes[Math.floor((atMs - startMs) / 60_000)]!++
      ranks[rankOf.get(decoder.decode(value.subarray(64, 74)))!]!++
    },
  })
  const like = correlation(hours, hourWeights)
  assert.ok(like >= 0.98, `correlation with the hours ${like}; ${replay}`)
  // Within one hour of the day, so that the season is not taken for dispersion.
  const noons = Array.from({ length: 5 }, (_, day) => minutes.slice((day * 24 + 11) * 60, (day * 24 + 12) * 60)).flat()
  const mean = noons.reduce((sum, one) => sum + one, 0) / noons.length
  const variance = noons.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (noons.length - 1)
  assert.ok(variance / mean > 1.3, `dispersion ${variance / mean}; ${replay}`)
  // Slope of ln(sales) over ln(rank + 10), weighted by the sales of ranks 1 to 1,000 taken in tens.
  let [w, x, y, xx, xy] = [0, 0, 0, 0, 0]
  for (let from = 0; from < 1_000; from += 10) {
    const sold = ranks.slice(from, from + 10).reduce((sum, one) => sum + one, 0)
    if (sold === 0) continue
    const lx = Math.log(from + 4.5 + 10)
    const ly = Math.log(sold)
    w += sold
    x += sold * lx
    y += sold * ly
    xx += sold * lx * lx
    xy += sold * lx * ly
  }
  const slope = (w * xy - x * y) / (w * xx - x * x)
  assert.ok(Math.abs(slope + 1.05) < 0.1, `Zipf slope ${slope}; ${replay}`)
})

test('D7: two weeks of delays are 40/30/20/10 to half a point, by the hours that sales really come at', () => {
  const bands = [0, 0, 0, 0]
  let all = 0
  marketplaceTraffic(seed, { ratePerSecond: 0.15, startMs }).produceUntil(startMs + 14 * dayMs, {
    record(_topic, _key, value, atMs) {
      const hours = (atMs - parseInstant(JSON.parse(decoder.decode(value)).transaction_time)) / hourMs
      bands[hours < 1 ? 0 : hours < 6 ? 1 : hours < 24 ? 2 : 3]!++
      all++
    },
  })
  const shares = bands.map((count) => (100 * count) / all)
  for (const [i, asked] of [40, 30, 20, 10].entries())
    assert.ok(Math.abs(shares[i]! - asked) <= 0.5, `${shares.map((share) => share.toFixed(2)).join('/')}; ${replay}`)
})

test('E1: people of the realistic profile come as customers do: half of them rarely, one of ten several times as often', () => {
  const purchases = new Map<string, number>()
  storeTraffic(seed, {
    ratePerSecond: 0.01,
    startMs,
    profile: 'realistic',
    topics: ['transactions'],
    fraudShare: 0,
  }).produceUntil(startMs + 4 * dayMs, {
    record: (_topic, key) => purchases.set(decoder.decode(key), (purchases.get(decoder.decode(key)) ?? 0) + 1),
  })
  const counts = [...purchases.values()].sort((a, b) => a - b)
  const [median, often] = [counts[counts.length >> 1]!, counts[Math.floor(counts.length * 0.9)]!]
  assert.ok(often / median >= 3 && often / median <= 6, `median ${median}, p90 ${often}; ${replay}`)
  const repeated = counts.filter((count) => count > 1).length / counts.length
  assert.ok(repeated > 0.55 && repeated < 0.85, `${repeated} come again; ${replay}`)
})

test('the same seed has the same SHA-256 over all topics, another seed another one', () => {
  const shop = scenarios.get('shop')!
  const digest = (of: string): string => {
    const hash = createHash('sha256')
    const settings = { ratePerSecond: shop.ratePerSecond, startMs, profile: 'realistic' as const }
    shop.traffic(of, settings).produceUntil(startMs + 10 * 60_000, {
      record: (topic, key, value, atMs) => hash.update(topic).update(key).update(value).update(String(atMs)),
    })
    return hash.digest('hex')
  }
  assert.equal(digest(seed), digest(seed))
  assert.notEqual(digest(seed), digest(`${seed}x`))
})

test('without the labelled duplicates every topic has as many records as it had without faults', () => {
  const shop = scenarios.get('shop')!
  const settings = { ratePerSecond: shop.ratePerSecond, startMs: startMs + 12 * hourMs, steady: true }
  const counts = (faulty: boolean): Map<string, number> => {
    const seen = new Map<string, number>()
    const clean = shop.traffic(seed, settings)
    const shares = { duplicate: 0.02, 'duplicate-under-new-id': 0.01 }
    const traffic = faulty ? withFaults(seed, clean, { shares }) : clean
    // The retries of the last seconds come later: theirs is a whole run.
    traffic.produceUntil(settings.startMs + 10 * 60_000, {
      record(topic, key, value) {
        if (topic !== 'ground-truth') seen.set(topic, (seen.get(topic) ?? 0) + 1)
        else if (decoder.decode(key).includes('/duplicate')) {
          const { topic: of } = JSON.parse(decoder.decode(value))
          seen.set(of, (seen.get(of) ?? 0) - 1)
        }
      },
    })
    return seen
  }
  assert.deepEqual(new Map([...counts(true)].sort()), new Map([...counts(false)].sort()), replay)
})
