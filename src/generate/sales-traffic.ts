// Traffic of the `sales` topic: sellers by share, products by popularity, prices near the catalogue's, written as bytes. With
// anomalies its figures go wrong now and then, each time with a label.
import { groundTruth, sales } from '../commerce/commerce.ts'
import { instantText } from '../std/instant.ts'
import { murmur2 } from '../std/murmur2.ts'
import type { RandomStream } from '../std/random.ts'
import { randomStream } from '../std/random.ts'
import { Agenda } from './agenda.ts'
import { type Anomaly, type AnomalyPlan, anomalyPlan } from './anomalies.ts'
import { arrivals, jitterMs } from './arrivals.ts'
import { type Catalogue, catalogue } from './catalogue.ts'
import { weightedChoice } from './distributions.ts'
import { fragment, jsonInside, LineWriter } from './line-writer.ts'
import { sellers } from './sellers.ts'
import type { RecordSink } from './sink.ts'
import { merged, type Traffic, type TrafficSettings, traffic } from './traffic.ts'

export interface SalesSettings extends TrafficSettings {
  /** True: figures go wrong now and then, labelled on `ground-truth`. By default in the realistic profile. */
  readonly anomalies?: boolean
}

const payments = ['Credit Card', 'Pix', 'Boleto', 'Debit Card']
const paymentShares = [0.46, 0.34, 0.11, 0.09]
/** Shares of 1, 2, 3 … pieces. */
const quantityShares = [0.815, 0.115, 0.038, 0.017, 0.008, 0.004, 0.002, 0.001]

const opening = fragment('{"id_sale":"')
const closing = fragment('"}')
const priceOpening = fragment('","price":')
const minuteMs = 60_000
const dayMs = 86_400_000

/** Demand falls with the rank of popularity: the first percent of the products makes about 38 % of the sales. */
export function popularity(rank: number): number {
  return (rank + 10) ** -1.05
}

/** What the seller asks for the product, cents: the same every time, within some percent of the catalogue's price. */
export function offerMinor(priceMinor: number, product: number, seller: number): number {
  const mixed = Math.imul(Math.imul(product + 1, 0x9e3779b1) ^ (seller + 1), 0x85ebca6b) >>> 16
  const variation = ((mixed & 0xffff) / 0xffff - 0.5) * 0.06
  return Math.max(1, Math.round(priceMinor * (sellers[seller]!.priceLevel + variation)))
}

/** The plan of what goes wrong with the sales of a seed. */
export function salesAnomalies(seed: string, startMs: number): AnomalyPlan {
  return anomalyPlan(randomStream(seed).fork('sales/anomalies'), startMs, sales.partitions, sellers.length)
}

/** The same seed and settings give the same bytes, however `produceUntil` is called. */
export function salesTraffic(seed: string, settings: SalesSettings): Traffic {
  const { startMs, steady = false } = settings
  const shop = settings.catalogue ?? catalogue(seed)
  const random = randomStream(seed).fork(`sales/${startMs}`)
  const isWrongNowAndThen = settings.anomalies ?? settings.profile === 'realistic'
  const plan = isWrongNowAndThen ? salesAnomalies(seed, startMs) : null
  const due = arrivals(random.fork('arrivals'), { ...settings, steady, ...(plan ? { factor: plan.rate } : {}) })
  const write = writer(random, shop, plan)
  /** The record of a storm that comes again at once. */
  let again: Again | null = null
  const selling = traffic({
    get nextMs() {
      return again?.atMs ?? due.nextMs
    },
    step(sink) {
      if (again !== null) {
        sink.record(sales.topic, again.key, again.value, Math.floor(again.atMs))
        again = null
        return true
      }
      const atMs = due.nextMs
      due.advance()
      const { told, twice } = write(Math.floor(atMs), sink)
      if (twice !== null) again = { ...twice, atMs }
      return told
    },
  })
  return plan === null ? selling : merged([labels(plan, startMs), selling])
}

interface Again {
  readonly key: Uint8Array
  readonly value: Uint8Array
  readonly atMs: number
}
interface Written {
  readonly told: boolean
  readonly twice: { readonly key: Uint8Array; readonly value: Uint8Array } | null
}
const once: Written = { told: true, twice: null }
const lost: Written = { told: false, twice: null }

function writer(
  random: RandomStream,
  shop: Catalogue,
  plan: AnomalyPlan | null,
): (arrivalMs: number, sink: RecordSink) => Written {
  const draw = random.fork('records')
  const ids = random.fork('ids')
  const storms = random.fork('storms')
  const chooseProduct = weightedChoice(shop.products.map((_, rank) => popularity(rank)))
  const chooseSeller = weightedChoice(sellers.map((seller) => seller.share))
  const chooseQuantity = weightedChoice(quantityShares)
  const choosePayment = weightedChoice(paymentShares)
  const sellerNames = sellers.map((seller) => fragment(jsonInside(seller.name)))
  const sellerKeys = sellers.map((seller) => fragment(seller.name))
  const partitions = sellerKeys.map((key) => (murmur2(key) & 0x7fffffff) % sales.partitions)
  const endings = quantityShares.map((_, more) =>
    payments.map((payment) => fragment(`,"quantity":${more + 1},"tp_payment":"${payment}","sale_date":"`)),
  )
  // Encoded when first sold: most traffic is a few hundred products, and a start does not wait for the other nine thousand.
  const productParts: (Uint8Array | undefined)[] = new Array(shop.products.length).fill(undefined)
  const partOf = (index: number): Uint8Array => {
    const { id, title, category, brand } = shop.products[index]!
    return fragment(
      `","id_product":"${id}","nm_product":"${jsonInside(title)}","nm_category":"${jsonInside(category)}",` +
        `"nm_brand":"${jsonInside(brand)}","seller":"`,
    )
  }
  const line = new LineWriter()

  return (arrivalMs, sink) => {
    const product = chooseProduct.pick(draw)
    const seller = chooseSeller.pick(draw)
    const quantity = chooseQuantity.pick(draw)
    const payment = choosePayment.pick(draw)
    let eventMs = arrivalMs - jitterMs(draw)
    let priceMinor = offerMinor(shop.products[product]!.priceMinor, product, seller)
    let twice = false
    if (plan !== null)
      for (const one of plan.at(Math.floor(arrivalMs / minuteMs) * minuteMs)) {
        if (one.kind === 'missing-partition' && partitions[seller] === one.part) return lost
        if (one.kind === 'price-error' && seller === one.part)
          priceMinor = Math.max(1, Math.round(priceMinor * one.factor))
        if (one.kind === 'clock-skew' && seller === one.part) eventMs += one.skewMs
        if (one.kind === 'duplicate-storm' && storms.float() < one.factor) twice = true
      }
    line.start()
    line.bytes(opening)
    line.uuid(ids)
    let part = productParts[product]
    if (part === undefined) {
      part = partOf(product)
      productParts[product] = part
    }
    line.bytes(part)
    line.bytes(sellerNames[seller]!)
    line.bytes(priceOpening)
    line.hundredths(priceMinor)
    line.bytes(endings[quantity]![payment]!)
    line.time(eventMs)
    line.bytes(closing)
    const key = sellerKeys[seller]!
    const value = line.line()
    sink.record(sales.topic, key, value, arrivalMs)
    return twice ? { told: true, twice: { key, value: value.slice() } } : once
  }
}

/** Tells of each anomaly when it begins and, whole, when it has ended. */
function labels(plan: AnomalyPlan, startMs: number): Traffic {
  const agenda = new Agenda<RecordSink>()
  const tell = (one: Anomaly, sink: RecordSink, atMs: number): boolean => {
    const time = (ms: number): string => instantText(ms, true)
    const entities =
      one.part === -1 ? [] : [one.kind === 'missing-partition' ? String(one.part) : sellers[one.part]!.name]
    const value = {
      truth_id: one.id,
      kind: 'anomaly',
      scenario: one.kind,
      topic: sales.topic,
      entity_ids: entities,
      event_ids: [],
      field: one.kind === 'price-error' ? 'price' : one.kind === 'clock-skew' ? 'sale_date' : null,
      start: time(one.startMs),
      end: time(one.endMs),
      severity: one.kind === 'slow-trend' ? 'low' : one.kind === 'level-shift' ? 'medium' : 'high',
      injected_at: time(atMs),
      expected_outcome:
        one.kind === 'duplicate-storm' ? 'duplicate' : one.kind === 'clock-skew' && one.skewMs < 0 ? 'late' : 'alert',
    }
    sink.record(groundTruth.topic, fragment(one.id), fragment(JSON.stringify(value)), atMs)
    return true
  }
  const plans = (day: number, fromMs: number): void =>
    agenda.put(fromMs, () => {
      for (const one of plan.ofDay(day)) {
        agenda.put(one.startMs, (sink, atMs) => tell(one, sink, atMs))
        agenda.put(one.endMs, (sink, atMs) => tell(one, sink, atMs))
      }
      plans(day + 1, (day + 1) * dayMs)
      return false
    })
  plans(Math.floor(startMs / dayMs), startMs)
  return traffic(agenda)
}
