// Section `latency`: how long a single record takes through the broker, and a sale until its figure is on the screen.
import { z } from 'zod'
import { durabilities } from './broker.ts'
import { measureInChild } from './child.ts'
import { KafkaConnection } from './kafka-wire.ts'
import type { Measured } from './report.ts'
import type { Bench, Section } from './section.ts'
import { startServer, withDataDir } from './server.ts'

const ratePerSecond = 1_000
/** With so many, the plain producer sends what is due each millisecond as one batch. */
const highRatePerSecond = 50_000
const recordBytes = 300
const ways = ['plain', 'client'] as const

const percentiles = z.object({ p50: z.number(), p99: z.number() })
const answered = z.object({ ack: percentiles, endToEnd: percentiles, late: percentiles, collectedMsMax: z.number() })
type Answered = z.infer<typeof answered>
type Percentiles = z.infer<typeof percentiles>

export const latency: Section = async (bench) => {
  const { options, say } = bench
  const seconds = options.quick ? 2 : 4
  const liveSeconds = options.quick ? 4 : 7
  const found = new Map<string, Answered[]>()
  const figures: Percentiles[] = []
  const high: [who: string, answered: Answered][] = []
  const ofHigh = (): ReadonlyMap<string, readonly Answered[]> =>
    new Map([...Map.groupBy(high, ([who]) => `${who} plain`)].map(([key, all]) => [key, all.map(([, one]) => one)]))
  const measure = async (who: string, kafka: string, through: (typeof ways)[number], topic: string): Promise<void> => {
    const answer = await once(kafka, through, topic)
    const key = `${who} ${through}`
    found.set(key, [...(found.get(key) ?? []), answer])
  }
  const once = async (
    kafka: string,
    through: (typeof ways)[number],
    topic: string,
    rate = ratePerSecond,
  ): Promise<Answered> => {
    const connection = await KafkaConnection.open(kafka)
    await connection.createTopic(topic, 1)
    connection.close()
    const given = { kafka, topic, through, ratePerSecond: rate, seconds, recordBytes }
    return measureInChild('./latency-child.ts', given, answered)
  }
  for (let round = 1; round <= options.runs; round++) {
    for (const durability of durabilities) {
      say(`latency, durability ${durability}, run ${round} of ${options.runs}`)
      await withDataDir(options.dir, async (dataDir) => {
        const server = await startServer(
          'broker',
          '--kafka-port',
          '0',
          '--durability',
          durability,
          '--data-dir',
          dataDir,
        )
        try {
          for (const way of ways) await measure(durability, server.kafka, way, `latency-${way}`)
          high.push([durability, await once(server.kafka, 'plain', 'latency-high', highRatePerSecond)])
        } finally {
          await server.stop()
        }
      })
    }
    if (options.kafka !== null) {
      if (round === 1) {
        // Its compiler needs some work to get going; ours starts cold in every round.
        say(`latency, Apache Kafka at ${options.kafka}, warming up`)
        for (const way of ways) await once(options.kafka, way, `millrace-bench-${way}-${Date.now()}`)
      }
      say(`latency, Apache Kafka at ${options.kafka}, run ${round} of ${options.runs}`)
      for (const way of ways) await measure('kafka', options.kafka, way, `millrace-bench-${way}-${Date.now()}`)
      high.push(['kafka', await once(options.kafka, 'plain', `millrace-bench-high-${Date.now()}`, highRatePerSecond)])
    }
    say(`latency, sale to live figure, run ${round} of ${options.runs}`)
    figures.push(await saleToFigure(bench, liveSeconds))
  }
  return {
    title: `Latency at ${ratePerSecond.toLocaleString('en-US')} records/s, one record at a time`,
    measured: [
      ...rows(found, 'client', 'producer -> broker -> consumer, @platformatic/kafka', (one) => one.endToEnd),
      ...rows(found, 'plain', 'the same, plain connections', (one) => one.endToEnd),
      ...rows(found, 'plain', 'acknowledgement, plain connection', (one) => one.ack),
      ...rows(ofHigh(), 'plain', 'at 50,000/s: acknowledgement, plain connection', (one) => one.ack),
      ...rows(ofHigh(), 'plain', 'at 50,000/s: end to end, plain connections', (one) => one.endToEnd),
      ...rows(ofHigh(), 'plain', 'at 50,000/s: the loader itself, from due to sent', (one) => one.late),
      ...both(`sale -> figure on the live channel`, figures, null),
    ],
    notes: [
      `${seconds} s a run after 1,000 records sent one by one to warm up; producer and consumer are one process (one clock), the broker another`,
      'at 50,000/s the producer sends what is due each millisecond as one batch, after a second of the same to warm up; each record is timed from when it was due, so its wait for the batch is counted, and so is a loader that is late itself (its own line; it collects nothing but its small change: its longest collection was ' +
        `${Math.max(0, ...high.map(([, { collectedMsMax }]) => collectedMsMax)).toFixed(1)} ms)`,
      'synced: acknowledged and visible after fdatasync (--durability power, the default); the peers in those rows do not wait for the disk',
      'the client sends one request at a time, as it does whenever it is idempotent: an acknowledgement slower than 1 ms makes the next records wait in line',
      `sale -> figure: running values are computed at the job's tick (once a second) and sent at most four times a second, so about half a second is waiting, not work; probes among ${ratePerSecond.toLocaleString('en-US')} sales/s over ${liveSeconds} s a run`,
    ],
    skipped: options.kafka === null ? ['Apache Kafka: --peers puts one on this machine'] : [],
  }
}

async function saleToFigure({ options }: Bench, seconds: number): Promise<Percentiles> {
  return withDataDir(options.dir, async (dataDir) => {
    const flags = ['--no-generate', '--no-open', '--port', '0', '--kafka-port', '0', '--data-dir', dataDir]
    const server = await startServer('start', ...flags)
    try {
      const { kafka, url } = server
      return await measureInChild('./live-child.ts', { kafka, url, ratePerSecond, seconds }, percentiles)
    } finally {
      await server.stop()
    }
  })
}

function rows(
  found: ReadonlyMap<string, readonly Answered[]>,
  way: (typeof ways)[number],
  what: string,
  pick: (one: Answered) => Percentiles,
): Measured[] {
  const of = (who: string): Percentiles[] => (found.get(`${who} ${way}`) ?? []).map(pick)
  const own = both(`${what}, synced`, of('power'), { name: 'ours, not synced', values: of('process') })
  if (of('kafka').length === 0) return own
  const kafka = { name: 'Apache Kafka', values: of('kafka') }
  return [...own, ...both(`${what}, synced`, of('power'), kafka), ...both(`${what}, not synced`, of('process'), kafka)]
}

/** A line for the median and one for the slowest percent. */
function both(
  what: string,
  ours: readonly Percentiles[],
  peer: { readonly name: string; readonly values: readonly Percentiles[] } | null,
): Measured[] {
  return (['p50', 'p99'] as const).map((share) => ({
    what: `${what}, ${share}`,
    unit: 'ms',
    ours: ours.map((one) => one[share]),
    peer: peer === null ? null : { name: peer.name, values: peer.values.map((one) => one[share]) },
  }))
}
