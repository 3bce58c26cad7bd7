// Traffic of the `orders` topic: a hundred users, five products, amounts from 10 to 500.
import { orderProducts, orders } from '../commerce/commerce.ts'
import { randomStream } from '../std/random.ts'
import { arrivals, jitterMs } from './arrivals.ts'
import { fragment, LineWriter } from './line-writer.ts'
import { arriving, type Traffic, type TrafficSettings } from './traffic.ts'

const users = 100
const amountMinMinor = 10_00
const amountMaxMinor = 500_00

const opening = fragment('{"order_id":"')
const userOpening = fragment('","user_id":"user-')
const amountOpening = fragment(',"amount":')
const timeOpening = fragment(',"timestamp":"')
const closing = fragment('"}')
const idOpening = fragment('order-')

/** The same seed and settings give the same bytes, however `produceUntil` is called. */
export function ordersTraffic(seed: string, settings: TrafficSettings): Traffic {
  const random = randomStream(seed).fork(`orders/${settings.startMs}`)
  const draw = random.fork('records')
  const products = Object.keys(orderProducts).map((id) => fragment(`","product_id":"${id}"`))
  const key = new LineWriter()
  const line = new LineWriter()
  let lastId = 0
  return arriving(
    arrivals(random.fork('arrivals'), { ...settings, steady: settings.steady ?? false }),
    (arrivalMs, sink) => {
      const user = draw.below(users) + 1
      const product = draw.below(products.length)
      const amountMinor = amountMinMinor + draw.below(amountMaxMinor - amountMinMinor + 1)
      const eventMs = arrivalMs - jitterMs(draw)
      // The millisecond of arrival, or the next number when that one is taken: ids stay unique above 1,000 a second.
      lastId = Math.max(lastId + 1, arrivalMs)
      key.start()
      key.bytes(idOpening)
      key.integer(lastId)
      line.start()
      line.bytes(opening)
      line.bytes(key.line())
      line.bytes(userOpening)
      line.integer(user)
      line.bytes(products[product]!)
      line.bytes(amountOpening)
      line.hundredths(amountMinor)
      line.bytes(timeOpening)
      line.time(eventMs)
      line.bytes(closing)
      sink.record(orders.topic, key.line(), line.line(), arrivalMs)
    },
  )
}
