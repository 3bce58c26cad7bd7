// Traffic of the `sales` topic: sellers by share, products by popularity, prices near the catalogue's, written as bytes.
import { sales } from '../commerce/commerce.ts'
import type { RandomStream } from '../std/random.ts'
import { randomStream } from '../std/random.ts'
import { arrivals, jitterMs } from './arrivals.ts'
import { type Catalogue, catalogue } from './catalogue.ts'
import { weightedChoice } from './distributions.ts'
import { fragment, jsonInside, LineWriter } from './line-writer.ts'
import { sellers } from './sellers.ts'
import type { RecordSink } from './sink.ts'
import { arriving, type Traffic, type TrafficSettings } from './traffic.ts'

const payments = ['Credit Card', 'Pix', 'Boleto', 'Debit Card']
const paymentShares = [0.46, 0.34, 0.11, 0.09]
/** Shares of 1, 2, 3 … pieces. */
const quantityShares = [0.815, 0.115, 0.038, 0.017, 0.008, 0.004, 0.002, 0.001]

const opening = fragment('{"id_sale":"')
const closing = fragment('"}')
const priceOpening = fragment('","price":')

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

/** The same seed and settings give the same bytes, however `produceUntil` is called. */
export function salesTraffic(seed: string, settings: TrafficSettings): Traffic {
  const shop = settings.catalogue ?? catalogue(seed)
  const random = randomStream(seed).fork(`sales/${settings.startMs}`)
  return arriving(
    arrivals(random.fork('arrivals'), { ...settings, steady: settings.steady ?? false }),
    writer(random, shop),
  )
}

function writer(random: RandomStream, shop: Catalogue): (arrivalMs: number, sink: RecordSink) => void {
  const draw = random.fork('records')
  const ids = random.fork('ids')
  const chooseProduct = weightedChoice(shop.products.map((_, rank) => popularity(rank)))
  const chooseSeller = weightedChoice(sellers.map((seller) => seller.share))
  const chooseQuantity = weightedChoice(quantityShares)
  const choosePayment = weightedChoice(paymentShares)
  const sellerNames = sellers.map((seller) => fragment(jsonInside(seller.name)))
  const sellerKeys = sellers.map((seller) => fragment(seller.name))
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
    const eventMs = arrivalMs - jitterMs(draw)
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
    line.hundredths(offerMinor(shop.products[product]!.priceMinor, product, seller))
    line.bytes(endings[quantity]![payment]!)
    line.time(eventMs)
    line.bytes(closing)
    sink.record(sales.topic, sellerKeys[seller]!, line.line(), arrivalMs)
  }
}
