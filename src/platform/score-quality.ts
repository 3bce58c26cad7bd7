// Scores the checks of the data's quality against what the generator did on purpose: faults that a contract names (exactly),
// price spikes and missing volume (well enough).
import { contracts, pipelines, qualityMonitor, qualityTopics } from '../commerce/commerce.ts'
import { openJob, type SourceBatch } from '../engine/engine.ts'
import { generators, labelledStream, withFaults } from '../generate/generate.ts'
import { from, hours } from '../query/query.ts'
import { assert } from '../std/assert.ts'

export interface QualityScore {
  readonly what: string
  /** Done on purpose, of this kind. */
  readonly made: number
  readonly found: number
  readonly wrong: number
  readonly precision: number
  readonly recall: number
}

interface Made {
  readonly value: Uint8Array
  readonly arrivalMs: number
  /** What the generator says should become of it; null: nothing. */
  expected: string | null
}

const startMs = Date.UTC(2026, 0, 5, 12)
const batchRecords = 1_000
const decoder = new TextDecoder()

function scoreOf(what: string, made: number, found: number, wrong: number): QualityScore {
  const precision = found + wrong === 0 ? 1 : found / (found + wrong)
  return { what, made, found, wrong, precision, recall: made === 0 ? 1 : found / made }
}

function recordsOf(
  topic: string,
  seed: string,
  minutes: number,
  rate: number,
  shares: Parameters<typeof withFaults>[2],
): Made[] {
  const generate = generators.get(topic)
  assert(generate !== undefined, `there is a generator of ${topic}`)
  const traffic = withFaults(seed, generate(seed, { ratePerSecond: rate, startMs, steady: true }), shares)
  const made: Made[] = []
  traffic.produceUntil(startMs + minutes * 60_000, {
    record(of, _key, value, arrivalMs) {
      if (of === topic) made.push({ value: value.slice(), arrivalMs, expected: null })
      else {
        // A label follows what it labels.
        const last = made.at(-1)
        assert(last !== undefined, 'a label comes after its record')
        last.expected = String(JSON.parse(decoder.decode(value)).expected_outcome)
      }
    },
  })
  return made
}
/** Of a contract that is not known when this is compiled: its columns are checked when the plan is made. */
function identityOf(contract: { readonly identity?: string }): never {
  return contract.identity as never
}
function batchesOf(topic: string, made: readonly Made[]): SourceBatch[] {
  const batches: SourceBatch[] = []
  for (let first = 0; first < made.length; first += batchRecords) {
    const some = made.slice(first, first + batchRecords)
    const bytes = new Uint8Array(some.reduce((sum, { value }) => sum + value.length, 0))
    const [starts, ends] = [new Int32Array(some.length), new Int32Array(some.length)]
    let at = 0
    for (const [i, { value }] of some.entries()) {
      starts[i] = at
      bytes.set(value, at)
      at += value.length
      ends[i] = at
    }
    batches.push({
      ...{ topic, partition: 0, bytes, count: some.length, starts, ends },
      offsets: Float64Array.from(some, (_, i) => first + i),
      arrivals: Float64Array.from(some, ({ arrivalMs }) => arrivalMs),
    })
  }
  return batches
}

/** Dead letters by reason, and duplicates: what is found must be what was made, record by record. */
export function scoreFaults(topic: string, seed: string, minutes: number, rate: number): QualityScore[] {
  const contract = contracts.get(topic)
  assert(contract?.identity !== undefined, `records of ${topic} have an identity`)
  const times = 10
  const shares = { duplicate: 0.005 * times, missing: 0.002 * times, malformed: 0.0005 * times }
  const more = { 'wrong-type': 0.001 * times, 'out-of-range': 0.001 * times, 'unknown-enum': 0.0005 * times }
  const made = recordsOf(topic, seed, minutes, rate, {
    shares: { ...shares, ...more, 'duplicate-under-new-id': 0, zone: 0 },
  })
  const plan = from(contract, { with: ['_offset'] })
    .deduplicate({ identity: [identityOf(contract)], horizonMs: hours(2) })
    .select('_offset')
    .named('once')
  const job = openJob([plan], { bounded: false, partitions: { [topic]: 1 } })
  const outcome: (string | null)[] = made.map(() => 'duplicate')
  for (const batch of batchesOf(topic, made)) {
    job.push(batch)
    const { results, deadLetters } = job.take()
    for (const { offset, reason } of deadLetters) outcome[offset] = `dead-letter:${reason}`
    for (const result of results) {
      const column = result.columns.find(({ name }) => name === '_offset')
      assert(column?.kind === 'number', 'offsets are numbers')
      for (let row = 0; row < result.count; row++) outcome[column.values[row] ?? -1] = null
    }
  }
  const kinds = [...new Set([...made.map(({ expected }) => expected), ...outcome])].filter((kind) => kind !== null)
  return kinds.sort().map((kind) => {
    const of = made.filter(({ expected }) => expected === kind).length
    const found = made.filter(({ expected }, i) => expected === kind && outcome[i] === kind).length
    const wrong = outcome.filter((one, i) => one === kind && made[i]?.expected !== kind).length
    return scoreOf(`${topic} ${kind}`, of, found, wrong)
  })
}

/** Prices of five to twenty times the usual among an hour and more of sales. */
export function scorePriceSpikes(seed: string, minutes: number, rate: number): QualityScore {
  const topic = 'sales'
  const none = { duplicate: 0, 'duplicate-under-new-id': 0, malformed: 0, missing: 0, 'wrong-type': 0, zone: 0 }
  const made = recordsOf(topic, seed, minutes, rate, {
    shares: { ...none, 'out-of-range': 0, 'unknown-enum': 0, future: 0, 'price-spike': 0.002 },
  })
  const plans = ['quality-prices', 'quality-sales'].map((name) => {
    const found = pipelines.get(name)
    assert(found !== undefined, `there is a pipeline ${name}`)
    return found.plan
  })
  const monitor = qualityMonitor({
    ...{ name: 'quality', minutes: { [topic]: 'quality-sales' }, beside: ['quality-prices'], versions: {} },
  })
  const job = openJob(plans, { bounded: false, partitions: { [topic]: 1 } }, [monitor])
  const told: { readonly product: string; readonly minuteMs: number; readonly price: number }[] = []
  const listen = (): void => {
    for (const { topic: to, value } of job.take().emitted) {
      if (to !== qualityTopics.alerts || value === null) continue
      const { kind, entity, status, updated_at, value: price } = JSON.parse(value)
      if (kind !== 'price-spike' || status !== 'firing') continue
      told.push({ product: entity, minuteMs: Date.parse(updated_at), price })
    }
  }
  for (const batch of batchesOf(topic, made)) {
    job.push(batch)
    listen()
  }
  job.finish()
  listen()
  // The first minutes are there to learn from.
  const learnedMs = startMs + (minutes / 4) * 60_000
  const wanted: typeof told = []
  for (const { value, expected } of made) {
    if (expected === null) continue
    const { id_product, sale_date, price } = JSON.parse(decoder.decode(value))
    wanted.push({ product: id_product, minuteMs: Math.floor(Date.parse(sale_date) / 60_000) * 60_000, price })
  }
  // A price may be told later: what a product costs is not known before a second sale of it.
  const isOf = (alert: (typeof told)[number], spike: (typeof told)[number]): boolean =>
    alert.product === spike.product && alert.price === spike.price && alert.minuteMs >= spike.minuteMs
  const made_ = wanted.filter(({ minuteMs }) => minuteMs >= learnedMs)
  return scoreOf(
    'price spikes of 5 times and more',
    made_.length,
    made_.filter((spike) => told.some((alert) => isOf(alert, spike))).length,
    told.filter((alert) => alert.minuteMs >= learnedMs && !wanted.some((spike) => isOf(alert, spike))).length,
  )
}

/** Everything: faults of each topic, prices of half an hour, some streams of volume. */
export function scoreQuality(seed: string, streams: number): QualityScore[] {
  const topics = [...generators.keys()].filter((topic) => contracts.get(topic)?.identity !== undefined)
  return [
    ...topics.flatMap((topic) => scoreFaults(topic, seed, 5, 20)),
    scorePriceSpikes(seed, 30, 30),
    scoreVolumeDrops(seed, streams),
  ]
}

const graceMs = 15 * 60_000
/** Minutes of shops that lose half of their volume and more for a quarter of an hour and longer, a week after a week. */
export function scoreVolumeDrops(seed: string, streams: number): QualityScore {
  let [made, found, wrong] = [0, 0, 0]
  for (let number = 0; number < streams; number++) {
    const stream = labelledStream(seed, 'easy', number)
    const drops = stream.labels.filter(({ direction }) => direction === 'down')
    made += drops.length
    const seen = new Set<number>()
    const monitor = qualityMonitor({ name: 'quality', minutes: { sales: 'minutes' }, beside: [], versions: {} })
    const state = monitor.initial()
    const listen = (_topic: string, _key: string, value: Readonly<Record<string, unknown>> | null): void => {
      if (value === null || value.kind !== 'volume' || value.status !== 'firing' || value.entity !== 'down') return
      const atMs = Date.parse(String(value.updated_at))
      if (atMs < stream.scoredFromMs) return
      const hit = drops.findIndex(({ startMs: since, endMs }) => atMs >= since && atMs <= endMs + graceMs)
      if (hit < 0) wrong++
      else seen.add(hit)
    }
    for (const { atMs, sales } of stream.minutes()) {
      if (sales === 0) continue
      const values = { window_start: atMs, window_end: atMs + 60_000, records: sales }
      monitor.step(
        state,
        { kind: 'row', plan: 'minutes', values, timing: 'on-time', final: true, weight: 1, evidence: [] },
        listen,
      )
    }
    found += seen.size
  }
  return scoreOf('volume drops of half and more, 15 minutes and longer', made, found, wrong)
}
