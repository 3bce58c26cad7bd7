// Traffic of the `ecommerce_*` topics in cycles: each cycle is one order with its items, one in five brings a customer,
// new or changed, and some bring a suspicion. Orders name only customers that have been told, alerts only such orders.
import {
  customerSegments,
  ecommerceCustomers,
  ecommerceFraudAlerts,
  ecommerceOrderItems,
  ecommerceOrderStatus,
  ecommerceOrders,
  orderStatuses,
} from '../commerce/commerce.ts'
import { instantText } from '../std/instant.ts'
import { type RandomStream, randomStream } from '../std/random.ts'
import { Agenda } from './agenda.ts'
import { arrivals, jitterMs } from './arrivals.ts'
import { weightedChoice } from './distributions.ts'
import { type OrderStep, orderLife } from './order-life.ts'
import type { RecordSink } from './sink.ts'
import { storeProducts, storeProductWeights } from './store-data.ts'
import { type Traffic, type TrafficSettings, traffic } from './traffic.ts'

export const ecommerceTopics = Object.freeze([
  ecommerceOrders.topic,
  ecommerceCustomers.topic,
  ecommerceOrderItems.topic,
  ecommerceFraudAlerts.topic,
])

/** What is told of orders later, in the realistic profile only; not counted in the rate. */
export const ecommerceTopicsBeside: readonly string[] = Object.freeze([ecommerceOrderStatus.topic])

export interface EcommerceSettings extends TrafficSettings {
  /** Only these topics are handed over, and `ratePerSecond` counts the records of the first four; those by default. */
  readonly topics?: readonly string[]
}
export interface BurstSettings {
  /** When all cycles of the burst arrive, whole ms. */
  readonly atMs: number
  /** Orders in it; 20 if not given. */
  readonly cycles?: number
}

const burstCycles = 20
/** One cycle of each five brings a customer. */
const cyclesPerCustomer = 5
/** Of the customers told, so many are changes of known ones. */
const changeShare = 0.3
/** From here on customers change only, so that the world stays of a size. */
const customersMax = 100_000
const itemsMin = 2
const itemsMax = 5
/** A suspicion is as likely as this, in a straight line from an order of nothing to one of `alertFullMinor` and above. */
const alertShareMin = 0.15
const alertShareMax = 0.4
const alertFullMinor = 3_000_00
/** About what a cycle makes of alerts: the mean of the line above over the orders made here (held by a test). */
const alertsPerCycle = 0.306
const recordsPerCycle = [1, 1 / cyclesPerCustomer, (itemsMin + itemsMax) / 2, alertsPerCycle]

const statusWeights = [0.3, 0.34, 0.2, 0.14, 0.02]
const payments = ['credit_card', 'paypal', 'debit_card', 'bank_transfer', 'gift_card']
const paymentWeights = [0.5, 0.24, 0.14, 0.08, 0.04]
const quantityShares = [0.8, 0.14, 0.06]
const homes = [
  ['US', 'CA', 14],
  ['US', 'NY', 12],
  ['US', 'TX', 10],
  ['US', 'WA', 6],
  ['CA', 'ON', 6],
  ['DE', 'BY', 5],
  ['BR', 'SP', 5],
  ['GB', 'ENG', 6],
] as const
const abroadShare = 0.06
const firstNames = 'Ana Ben Carla David Elena Felix Grace Hugo Iris Jonas Karin Liam Maria Noah Olga Paul'.split(' ')
const lastNames = 'Almeida Becker Costa Dietrich Evans Ferreira Garcia Hoffmann Ito Jansen Keller Lopes Meyer'.split(
  ' ',
)

interface Customer {
  readonly id: string
  readonly number: number
  readonly name: string
  readonly home: number
  readonly registeredMs: number
  segment: string
  orders: number
}
interface Order {
  readonly id: string
  readonly customerId: string
  readonly orderedMs: number
}
interface Due {
  readonly topic: string
  readonly key: string
  readonly value: unknown
}
/** Cents as the number in the JSON. */
const amount = (minor: number): number => minor / 100
const percentOf = (minor: number, percent: number): number => Math.floor((minor * percent + 50) / 100)
const time = (ms: number): string => instantText(ms, true)

/** The same seed and settings give the same bytes, however `produceUntil` is called. */
export function ecommerceTraffic(seed: string, settings: EcommerceSettings): Traffic {
  const { startMs, topics = ecommerceTopics } = settings
  const random = randomStream(seed).fork(`ecommerce/${startMs}`)
  const perCycle = ecommerceTopics.reduce(
    (sum, topic, i) => sum + (topics.includes(topic) ? recordsPerCycle[i]! : 0),
    0,
  )
  const ratePerSecond = settings.ratePerSecond / perCycle
  const due = arrivals(random.fork('arrivals'), { startMs, ratePerSecond, steady: settings.steady ?? false })
  const isAlive = settings.profile === 'realistic' && topics.includes(ecommerceOrderStatus.topic)
  const lives = random.fork('lives')
  const later = new Agenda<RecordSink>()
  const cycle = cycles(random, settings.profile === 'realistic', (order) => {
    if (!isAlive) return
    orderLife(lives, order.orderedMs).forEach((step, i) => {
      later.put(step.atMs, (sink, nowMs) => {
        hand(sink, statusDue(order, step, i + 1), Math.floor(nowMs))
        return true
      })
    })
  })
  let atMs = 0
  let waiting: Due[] = []
  return traffic({
    get nextMs() {
      return Math.min(waiting.length > 0 ? atMs : due.nextMs, later.nextMs)
    },
    step(sink) {
      if (later.nextMs < (waiting.length > 0 ? atMs : due.nextMs)) return later.step(sink)
      if (waiting.length === 0) {
        atMs = Math.floor(due.nextMs)
        due.advance()
        waiting = cycle(atMs)
      }
      const next = waiting.shift()
      if (next === undefined || !topics.includes(next.topic)) return false
      hand(sink, next, atMs)
      return true
    },
  })
}

/** Hands over some cycles at once. */
export function ecommerceBurst(seed: string, settings: BurstSettings, sink: RecordSink): void {
  const cycle = cycles(randomStream(seed).fork(`ecommerce-burst/${settings.atMs}`), false, () => {})
  for (let i = 0; i < (settings.cycles ?? burstCycles); i++) {
    for (const due of cycle(settings.atMs)) hand(sink, due, settings.atMs)
  }
}

const encoder = new TextEncoder()
function hand(sink: RecordSink, { topic, key, value }: Due, atMs: number): void {
  sink.record(topic, encoder.encode(key), encoder.encode(JSON.stringify(value)), atMs)
}

function statusDue(order: Order, step: OrderStep, number: number): Due {
  const value = {
    status_change_id: `${order.id}/${number}`,
    order_id: order.id,
    customer_id: order.customerId,
    previous_status: step.from,
    status: step.to,
    reason: step.reason,
    promised_at: step.promisedMs === null ? null : time(step.promisedMs),
    changed_at: time(step.atMs),
  }
  return { topic: ecommerceOrderStatus.topic, key: order.id, value }
}

/** Each call is one cycle, arriving at the given time: the customer first, then the order, its items, its alert. */
function cycles(random: RandomStream, isPending: boolean, onOrder: (order: Order) => void): (atMs: number) => Due[] {
  const draw = random.fork('records')
  const run = random.fork('run').u32().toString(36).padStart(7, '0')
  const chooseStatus = weightedChoice(statusWeights)
  const choosePayment = weightedChoice(paymentWeights)
  const chooseProduct = weightedChoice(storeProductWeights)
  const chooseQuantity = weightedChoice(quantityShares)
  const chooseHome = weightedChoice(homes.map(([, , weight]) => weight))
  const customers: Customer[] = []
  let count = 0
  let customerCycle = 0
  // Where the sum of the probabilities last crossed a whole number: even alerts, so that a burst of 20 has 3 to 8.
  let alertsDue = draw.float()

  const tellCustomer = (atMs: number): Due => {
    const isChange = draw.float() < changeShare || customers.length >= customersMax
    const known = customers.length > 0 && isChange ? customers[draw.below(customers.length)]! : null
    const customer = known ?? newCustomer(atMs)
    if (known) customer.segment = customerSegments[1 + draw.below(customerSegments.length - 1)]!
    const [country, state] = homes[customer.home]!
    const mail = customer.name.toLowerCase().replace(' ', '.')
    return {
      topic: ecommerceCustomers.topic,
      key: customer.id,
      value: {
        customer_id: customer.id,
        name: customer.name,
        email: `${mail}.${customer.number}@example.com`,
        phone: `+1-555-01${String(draw.below(100)).padStart(2, '0')}`,
        country,
        state,
        segment: customer.segment,
        registered_at: time(customer.registeredMs),
        updated_at: time(atMs),
      },
    }
  }
  const newCustomer = (atMs: number): Customer => {
    const number = customers.length + 1
    const customer: Customer = {
      id: `cust-${run}-${number}`,
      number,
      name: `${firstNames[draw.below(firstNames.length)]} ${lastNames[draw.below(lastNames.length)]}`,
      home: chooseHome.pick(draw),
      registeredMs: atMs,
      segment: 'new',
      orders: 0,
    }
    customers.push(customer)
    return customer
  }

  return (atMs) => {
    const made: Due[] = []
    const place = count % cyclesPerCustomer
    // The first cycle tells the first customer; later ones come anywhere in their five.
    if (place === 0) customerCycle = count === 0 ? 0 : draw.below(cyclesPerCustomer)
    if (place === customerCycle) made.push(tellCustomer(atMs))
    count++
    const customer = customers[draw.below(customers.length)]!
    const orderId = `ord-${run}-${count}`
    // Not before what the same cycle says of the customer, nor of one who registered a moment ago.
    const orderedMs = Math.max(customer.registeredMs, atMs - jitterMs(draw))
    const lines = Array.from({ length: itemsMin + draw.below(itemsMax - itemsMin + 1) }, (_, i) => {
      const product = storeProducts[chooseProduct.pick(draw)]!
      const quantity = chooseQuantity.pick(draw) + 1
      const grossMinor = product.priceMinor * quantity
      const discountMinor = draw.float() < 0.15 ? percentOf(grossMinor, 10) : 0
      const totalMinor = grossMinor - discountMinor
      return { id: `${orderId}-${i + 1}`, product, quantity, discountMinor, totalMinor }
    })
    const subtotalMinor = lines.reduce((sum, { totalMinor }) => sum + totalMinor, 0)
    const discountMinor = customer.segment === 'loyal' ? percentOf(subtotalMinor, 5) : 0
    const shippingMinor = subtotalMinor >= 100_00 ? 0 : 7_90
    const taxMinor = percentOf(subtotalMinor - discountMinor, 8)
    const totalMinor = subtotalMinor - discountMinor + shippingMinor + taxMinor
    const isAbroad = draw.float() < abroadShare
    const [country, state] = homes[isAbroad ? chooseHome.pick(draw) : customer.home]!
    made.push({
      topic: ecommerceOrders.topic,
      key: orderId,
      value: {
        order_id: orderId,
        customer_id: customer.id,
        order_date: time(orderedMs),
        // As it stands when it is told; where orders live on, that is the beginning.
        status: isPending ? 'pending' : orderStatuses[chooseStatus.pick(draw)],
        payment_method: payments[choosePayment.pick(draw)],
        currency: 'USD',
        subtotal: amount(subtotalMinor),
        discount: amount(discountMinor),
        shipping_cost: amount(shippingMinor),
        tax_amount: amount(taxMinor),
        total_amount: amount(totalMinor),
        shipping_country: country,
        shipping_state: state,
      },
    })
    for (const line of lines) {
      made.push({
        topic: ecommerceOrderItems.topic,
        key: orderId,
        value: {
          order_item_id: line.id,
          order_id: orderId,
          order_date: time(orderedMs),
          product_id: line.product.id,
          product_name: line.product.name,
          category: line.product.category,
          unit_price: amount(line.product.priceMinor),
          quantity: line.quantity,
          discount: amount(line.discountMinor),
          item_total: amount(line.totalMinor),
        },
      })
    }
    onOrder({ id: orderId, customerId: customer.id, orderedMs: Math.max(orderedMs, atMs) })
    const reasons: string[] = []
    if (totalMinor >= 1_500_00) reasons.push('high_value')
    if (country !== homes[customer.home]![0]) reasons.push('shipping_country_differs')
    if (customer.orders === 0) reasons.push('first_order')
    if (lines.some(({ quantity }) => quantity >= 3)) reasons.push('unusual_quantity')
    if (reasons.length === 0) reasons.push('random_check')
    customer.orders++
    const worth = Math.min(1, totalMinor / alertFullMinor)
    alertsDue += alertShareMin + (alertShareMax - alertShareMin) * worth
    if (alertsDue >= 1) {
      alertsDue -= 1
      const percent = Math.round(35 + 40 * worth + 20 * draw.float())
      made.push({
        topic: ecommerceFraudAlerts.topic,
        key: orderId,
        value: {
          alert_id: `alert-${orderId}`,
          order_id: orderId,
          customer_id: customer.id,
          score: percent / 100,
          severity: percent >= 85 ? 'critical' : percent >= 70 ? 'high' : percent >= 50 ? 'medium' : 'low',
          reasons,
          detected_at: time(atMs),
        },
      })
    }
    return made
  }
}
