// From a sale that is produced to the figure on the live channel: a background of sales, and now and then one that is
// dearer than all before, which shows as the biggest sale of the window.
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { salesTraffic } from '../src/generate/generate.ts'
import { kpisFrame } from '../src/serve/contract.ts'
import { givenToChild, tellParent } from './child.ts'
import { producerOf } from './client.ts'
import { percentile } from './statistics.ts'

const given = givenToChild(
  z.object({ kafka: z.string(), url: z.string(), ratePerSecond: z.int(), seconds: z.number() }),
)
/** Dearer than anything the catalogue has. */
const firstProbeMinor = 1_000_000_00
/** Not a divisor of a second, so that the probes fall anywhere between two ticks of the job. */
const probeEveryMs = 137
/** What comes due in this time goes out in one request, as busy producers do. */
const lingerMs = 10
const lastProbeMsMax = 10_000

// The probes do not queue behind the others: a client sends a few requests at a time on its connection.
const shop = producerOf(given.kafka)
const prober = producerOf(given.kafka)
/** By rising price: when it was sent. */
const probes: { readonly priceMinor: number; readonly sentMs: number }[] = []
const latencyMs: number[] = []

function seen(biggestMinor: number): void {
  const nowMs = performance.now()
  for (let next = probes[latencyMs.length]; next !== undefined && next.priceMinor <= biggestMinor; ) {
    latencyMs.push(nowMs - next.sentMs)
    next = probes[latencyMs.length]
  }
}

const stream = await fetch(`${given.url}/api/v1/live?channels=kpis`, { headers: { accept: 'text/event-stream' } })
if (!stream.ok || stream.body === null) throw new Error(`the live channel answered ${stream.status}`)
const body = stream.body
const watching = (async () => {
  const decoder = new TextDecoder()
  let text = ''
  for await (const bytes of body) {
    text += decoder.decode(bytes, { stream: true })
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const event = text.slice(0, end)
      text = text.slice(end + 2)
      const data = event.split('\n').find((line) => line.startsWith('data:'))
      if (!event.includes('event: kpis') || data === undefined) continue
      const { current } = kpisFrame.parse(JSON.parse(data.slice(5)))
      if (current !== null) seen(current.biggestSaleMinor)
    }
  }
})()
// The stream is cut at the end: by us, or too early, which the probes then show.
watching.catch(() => {})

const startMs = Date.now()
const background = salesTraffic('bench', { ratePerSecond: given.ratePerSecond, startMs, steady: true })
const sending: Promise<unknown>[] = []
const failures: unknown[] = []
interface Sale {
  readonly topic: 'sales'
  readonly key: Buffer
  readonly value: Buffer
  readonly timestamp: bigint
}
const saleOf = (key: Uint8Array, value: Uint8Array, timeMs: number): Sale => ({
  topic: 'sales',
  key: Buffer.from(key),
  value: Buffer.from(value),
  timestamp: BigInt(timeMs),
})
const send = (through: typeof shop, messages: Sale[]): void => {
  sending.push(through.send({ messages }).catch((error: unknown) => failures.push(error)))
}
let nextBackgroundMs = startMs
let nextProbeMs = startMs + 2_000
while (Date.now() < startMs + given.seconds * 1000) {
  const nowMs = Date.now()
  if (nowMs >= nextBackgroundMs) {
    nextBackgroundMs = nowMs + lingerMs
    const due: Sale[] = []
    background.produceUntil(nowMs, { record: (_topic, key, value, timeMs) => due.push(saleOf(key, value, timeMs)) })
    if (due.length > 0) send(shop, due)
  }
  if (nowMs >= nextProbeMs) {
    nextProbeMs += probeEveryMs
    const priceMinor = firstProbeMinor + probes.length
    const sale = {
      id_sale: randomUUID(),
      id_product: 'PROBE',
      seller: 'Probe',
      price: priceMinor / 100,
      sale_date: new Date(nowMs).toISOString(),
    }
    probes.push({ priceMinor, sentMs: performance.now() })
    send(prober, [saleOf(Buffer.from('Probe'), Buffer.from(JSON.stringify(sale)), nowMs)])
  }
  await new Promise((resolve) => setTimeout(resolve, 1))
}
await Promise.all(sending)
for (const failure of failures) throw failure
const waitedFromMs = performance.now()
while (latencyMs.length < probes.length) {
  if (performance.now() - waitedFromMs > lastProbeMsMax)
    throw new Error(`${latencyMs.length} of ${probes.length} sales were seen on the live channel`)
  await new Promise((resolve) => setTimeout(resolve, 5))
}
await shop.close()
await prober.close()
tellParent({ p50: percentile(latencyMs, 0.5), p99: percentile(latencyMs, 0.99), probes: probes.length })
// The live stream would keep the process.
process.exit(0)
