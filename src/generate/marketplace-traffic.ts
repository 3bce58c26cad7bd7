// Traffic of `marketplace-sales`: sales that arrive minutes to days after they were made, as live traffic, as the delay
// demonstration (each record says which delay it was asked to have), or as one late batch.
import { delayPatterns, marketplaceSales } from '../commerce/commerce.ts'
import { assert } from '../std/assert.ts'
import { type RandomStream, randomStream } from '../std/random.ts'
import { arrivals } from './arrivals.ts'
import { weightedChoice } from './distributions.ts'
import { fragment, jsonInside, LineWriter } from './line-writer.ts'
import { delays, marketplaces, within } from './marketplace-delays.ts'
import type { RecordSink } from './sink.ts'
import { storeProducts, storeProductWeights } from './store-data.ts'
import { arriving, type Traffic, type TrafficSettings } from './traffic.ts'

export interface MarketplaceSettings extends TrafficSettings {
  /** The delay demonstration: every marketplace has the mix 40/30/20/10, and every record its pattern. */
  readonly demo?: boolean
}
export interface LateBatchSettings {
  /** When the batch is released, whole ms: all its records arrive then. */
  readonly releaseMs: number
  /** Records in it; 20 if not given. */
  readonly size?: number
}

const lateBatchSize = 20
export const lateBatchSizeMax = 1_000_000
const hourMs = 3_600_000
/** Four of five records of a late batch are 12 to 48 hours late, the others more. */
const lateShare = 0.8
const lateMs: readonly [number, number] = [12 * hourMs, 48 * hourMs]
const laterMs: readonly [number, number] = [48 * hourMs, 80 * hourMs]
const quantityShares = [0.86, 0.1, 0.04]

const opening = fragment('{"transaction_id":"')
const amountOpening = fragment(',"amount":')
const quantityOpening = fragment(',"quantity":')
const timeOpening = fragment(',"transaction_time":"')
const closing = fragment('"}')
const batchOpening = fragment('","batch_id":"LATE_BATCH_')
const numberOpening = fragment('","record_number":')
const brace = fragment('}')
const patternClosings = delayPatterns.map((pattern) => fragment(`","demo":{"pattern":"${pattern}"}}`))
const marketplaceParts = marketplaces.map(({ name }) => fragment(`","marketplace":"${name}",`))
const prefixes = marketplaces.map(({ name }) => `TXN-${name.slice(0, 3).toUpperCase()}-`)
const productParts = storeProducts.map(({ id, name }) =>
  fragment(`"product_id":"${id}","product_name":"${jsonInside(name)}"`),
)

/** The same seed and settings give the same bytes, however `produceUntil` is called. */
export function marketplaceTraffic(seed: string, settings: MarketplaceSettings): Traffic {
  const { startMs, demo = false, steady = false } = settings
  const random = randomStream(seed).fork(`marketplace-sales/${startMs}`)
  const write = saleWriter(random)
  const late = delays(random.fork('delays'), demo ? 'demo' : steady ? 'steady' : 'week')
  return arriving(arrivals(random.fork('arrivals'), { ...settings, steady }), (arrivalMs, sink) => {
    write(sink, arrivalMs, (marketplace) => {
      const { band, ms } = late.draw(marketplace, arrivalMs)
      return { ms, end: demo ? (line) => line.bytes(patternClosings[band]!) : (line) => line.bytes(closing) }
    })
  })
}

/** Hands over one batch that a marketplace held back; returns its id. */
export function lateBatch(seed: string, settings: LateBatchSettings, sink: RecordSink): string {
  const { releaseMs, size = lateBatchSize } = settings
  assert(Number.isSafeInteger(size) && size >= 1 && size <= lateBatchSizeMax, `a late batch of ${size} records`)
  const random = randomStream(seed).fork(`late-batch/${releaseMs}`)
  const write = saleWriter(random)
  const draw = random.fork('delays')
  const epoch = Math.floor(releaseMs / 1_000)
  for (let number = 1; number <= size; number++) {
    write(sink, releaseMs, () => ({
      ms: within(draw, draw.float() < lateShare ? lateMs : laterMs),
      end: (line) => {
        line.bytes(batchOpening)
        line.integer(epoch)
        line.bytes(numberOpening)
        line.integer(number)
        line.bytes(brace)
      },
    }))
  }
  return `LATE_BATCH_${epoch}`
}

/** How late the sale is, and what is written behind the digits of its time. */
interface Lateness {
  readonly ms: number
  readonly end: (line: LineWriter) => void
}

function saleWriter(
  random: RandomStream,
): (sink: RecordSink, arrivalMs: number, late: (marketplace: number) => Lateness) => void {
  const draw = random.fork('records')
  const nextId = ids(random.fork('ids'))
  const chooseMarketplace = weightedChoice(marketplaces.map(({ share }) => share))
  const chooseProduct = weightedChoice(storeProductWeights)
  const chooseQuantity = weightedChoice(quantityShares)
  const line = new LineWriter()
  return (sink, arrivalMs, late) => {
    const marketplace = chooseMarketplace.pick(draw)
    const product = chooseProduct.pick(draw)
    const quantity = chooseQuantity.pick(draw) + 1
    const { ms, end } = late(marketplace)
    const key = fragment(prefixes[marketplace]! + nextId())
    line.start()
    line.bytes(opening)
    line.bytes(key)
    line.bytes(marketplaceParts[marketplace]!)
    line.bytes(productParts[product]!)
    line.bytes(amountOpening)
    line.hundredths(storeProducts[product]!.priceMinor * quantity)
    line.bytes(quantityOpening)
    line.integer(quantity)
    line.bytes(timeOpening)
    line.time(arrivalMs - ms)
    end(line)
    sink.record(marketplaceSales.topic, key, line.line(), arrivalMs)
  }
}

/** Eight hexadecimal digits that look random; none comes twice within 2^32: an odd step walks all of them. */
function ids(random: RandomStream): () => string {
  let count = random.u32()
  const mask = random.u32()
  return () => {
    count = (count + 0x9e3779b1) >>> 0
    let mixed = count ^ mask
    // Each of these can be undone, so different counts stay different.
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    return ((mixed ^ (mixed >>> 16)) >>> 0).toString(16).toUpperCase().padStart(8, '0')
  }
}
