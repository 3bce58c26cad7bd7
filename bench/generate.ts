// Section `generate`: how fast records are made, and what the generator holds while it does; nobody takes them.
import { type Profile, salesTraffic, scenarios, type Traffic } from '../src/generate/generate.ts'
import type { RecordSink } from '../src/generate/sink.ts'
import type { Measured } from './report.ts'
import type { Section } from './section.ts'

const startMs = Date.UTC(2026, 0, 5, 15)
/** Of the whole shop: a busy one. */
const shopRate = 1_000

export const generate: Section = async ({ options, say }) => {
  const records = options.quick ? 20_000 : Math.max(200_000, options.events)
  const shop = scenarios.get('shop')
  const made: readonly (readonly [what: string, records: number, make: () => Traffic])[] = [
    ['sales', records, () => salesTraffic('bench', { ratePerSecond: 100_000, startMs, steady: true })],
    [
      'sales, with anomalies',
      records,
      () => salesTraffic('bench', { ratePerSecond: 100_000, startMs, steady: true, anomalies: true }),
    ],
    ...(['documents', 'realistic'] as const).map((profile: Profile): [string, number, () => Traffic] => [
      `the whole shop, profile ${profile}`,
      Math.ceil(records / 4),
      () => shop!.traffic('bench', { ratePerSecond: shopRate, startMs, steady: true, profile }),
    ]),
  ]
  const measured: Measured[] = []
  for (const [what, count, make] of made) {
    say(`generating ${count.toLocaleString('en-US')} records: ${what}`)
    const perSecond: number[] = []
    let bytes = 0
    const sink: RecordSink = {
      record(_topic, _key, value) {
        bytes += value.length
      },
    }
    // One traffic that goes on, as in real life; its beginning warms it up.
    const traffic = make()
    traffic.produceUntil(Number.POSITIVE_INFINITY, sink, Math.ceil(count / 10))
    for (let run = 0; run < options.runs; run++) {
      const before = process.cpuUsage()
      const done = traffic.produceUntil(Number.POSITIVE_INFINITY, sink, count)
      const { user, system } = process.cpuUsage(before)
      perSecond.push(done / ((user + system) / 1e6))
    }
    if (bytes === 0) throw new Error(`${what}: nothing was made`)
    measured.push({ what, unit: 'records/s', ours: perSecond, peer: null })
  }
  return {
    title: 'Generate: records made a second of CPU time of one core',
    measured,
    notes: ['every record is written as bytes and counted; CPU time of the whole process, garbage collection included'],
    skipped: [],
  }
}
