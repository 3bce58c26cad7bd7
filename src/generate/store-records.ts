// The records of the store as bytes: `user-events`, `transactions` and `inventory-updates`, from fragments encoded before.
import { inventoryUpdates, transactions, userEvents } from '../commerce/commerce.ts'
import { assert } from '../std/assert.ts'
import type { RandomStream } from '../std/random.ts'
import { fragment, jsonInside, LineWriter } from './line-writer.ts'
import { storeProducts, warehouses } from './store-data.ts'

export const storeTopics = Object.freeze([userEvents.topic, transactions.topic, inventoryUpdates.topic])

export interface Item {
  /** Index in `storeProducts`, or `giftCredit`. */
  readonly product: number
  readonly quantity: number
  /** Price of one piece when it was paid, cents. */
  readonly priceMinor: number
}
/** Credit to give away, of any amount: nothing to send, no tax, no stock. */
export const giftCredit = storeProducts.length
export const giftCreditId = 'G001'

/** What a payment has besides its buyer, its items and its time. Null: the record lacks it. */
export interface Payment {
  readonly method: string
  readonly sessionId: string | null
  readonly ipAddress: string
  readonly deviceId: string
  readonly card: string | null
  readonly status: 'approved' | 'declined'
  readonly billingCountry: string
  readonly shippingCountry: string
  readonly ipCountry: string
  readonly seller: string
  /** JSON text of the address. */
  readonly address: string
}

const taxPercent = 8
const shippingMinor = 5_99
const freeShippingFromMinor = 50_00

/** What a purchase costs, in cents. Tax is rounded half up, as the till does. */
export function bill(items: readonly Item[]): {
  readonly subtotalMinor: number
  readonly taxMinor: number
  readonly shippingMinor: number
} {
  let subtotalMinor = 0
  let goodsMinor = 0
  for (const item of items) {
    subtotalMinor += lineMinor(item)
    if (item.product !== giftCredit) goodsMinor += lineMinor(item)
  }
  return {
    subtotalMinor,
    taxMinor: Math.floor((goodsMinor * taxPercent + 50) / 100),
    shippingMinor: goodsMinor === 0 || goodsMinor >= freeShippingFromMinor ? 0 : shippingMinor,
  }
}
/** What the buyer gets back for some pieces: their price and its tax. */
export function refundMinor(item: Item, quantity: number): number {
  const minor = item.priceMinor * quantity
  return minor + Math.floor((minor * taxPercent + 50) / 100)
}
const lineMinor = ({ priceMinor, quantity }: Item): number => priceMinor * quantity

const eventOpening = fragment('{"event_id":"')
const comma = fragment(',')
const closing = fragment('"}')
const quote = fragment('"')
const minus = fragment('-')
const timeOpening = fragment('"timestamp":"')
const searchOpening = fragment('","search_query":"')
const transactionOpening = fragment('{"transaction_id":"')
const userOpening = fragment('","user_id":"')
const paymentOpening = fragment('","payment_method":"')
const itemsOpening = fragment('","items":[')
const itemTotal = fragment(',"item_total":')
const itemClosing = fragment('}')
const totalOpening = fragment('],"total_amount":')
const taxOpening = fragment(',"tax_amount":')
const shippingOpening = fragment(',"shipping_cost":')
const addressOpening = fragment(',"shipping_address":')
const priceOpening = fragment(',"price":')
const quantityOpening = fragment(',"quantity":')
const stockOpening = fragment(',"current_stock":')
const warehouseOpening = fragment(',"warehouse_location":"')

const kinds = {
  view: fragment('","event_type":"product_view",'),
  cart: fragment('","event_type":"add_to_cart",'),
  search: fragment('","event_type":"search",'),
  login: fragment('","event_type":"login",'),
  login_failed: fragment('","event_type":"login_failed",'),
  purchase: fragment('","event_type":"purchase",'),
}
const names = [...storeProducts, { id: giftCreditId, name: 'Gift Credit' }].map(
  ({ id, name }) => `"product_id":"${id}","product_name":"${jsonInside(name)}"`,
)
const eventProducts = storeProducts.map(({ category }, i) =>
  fragment(`","${names[i]!.slice(1)},"category":"${jsonInside(category)}","price":`),
)
const itemOpenings = names.map((name) => fragment(`{${name}`))
const stockChanges = storeProducts.map((_, i) =>
  fragment(`","event_type":"inventory_update",${names[i]},"stock_change":`),
)
const warehouseParts = warehouses.map((name) => fragment(name))
export const productKeys: readonly Uint8Array[] = storeProducts.map(({ id }) => fragment(id))

/** From where a visit is made. */
export interface Place {
  readonly ipAddress: string
  readonly ipCountry: string
  readonly userAgent: string
  readonly deviceId: string
}
/** Encodes the end of every event of a session. */
export function sessionTail(sessionId: string, place: Place): Uint8Array {
  const { ipAddress, userAgent, deviceId } = place
  const rest = { session_id: sessionId, ip_address: ipAddress, user_agent: userAgent, device_id: deviceId }
  return fragment(`,${JSON.stringify(rest).slice(1)}`)
}

const decoder = new TextDecoder()
const uuidLength = 36
/** The id of a record of `StoreRecords`: it stands first. */
export function idOf(line: Uint8Array): string {
  const from = line.indexOf(58) + 2
  assert(line[from - 1] === 34, 'a record begins with its id')
  return decoder.decode(line.subarray(from, from + uuidLength))
}

/** Each method writes one record and returns its bytes, valid until the next. */
export class StoreRecords {
  readonly #line = new LineWriter()
  readonly #ids: RandomStream
  constructor(ids: RandomStream) {
    this.#ids = ids
  }

  productEvent(
    kind: 'view' | 'cart',
    user: Uint8Array,
    product: number,
    priceMinor: number,
    tail: Uint8Array,
    atMs: number,
  ): Uint8Array {
    this.#eventHead(user, kinds[kind], atMs)
    this.#line.bytes(eventProducts[product]!)
    this.#line.hundredths(priceMinor)
    this.#line.bytes(tail)
    return this.#line.line()
  }

  loginEvent(kind: 'login' | 'login_failed', user: Uint8Array, tail: Uint8Array, atMs: number): Uint8Array {
    this.#eventHead(user, kinds[kind], atMs)
    this.#line.bytes(quote)
    this.#line.bytes(tail)
    return this.#line.line()
  }

  searchEvent(user: Uint8Array, query: string, tail: Uint8Array, atMs: number): Uint8Array {
    this.#eventHead(user, kinds.search, atMs)
    this.#line.bytes(searchOpening)
    this.#line.bytes(fragment(jsonInside(query)))
    this.#line.bytes(quote)
    this.#line.bytes(tail)
    return this.#line.line()
  }

  transaction(user: Uint8Array, items: readonly Item[], payment: Payment, atMs: number): Uint8Array {
    const line = this.#line
    line.start()
    line.bytes(transactionOpening)
    line.uuid(this.#ids)
    line.bytes(userOpening)
    line.bytes(user)
    line.bytes(kinds.purchase)
    line.bytes(timeOpening)
    line.time(atMs)
    line.bytes(paymentOpening)
    line.bytes(fragment(payment.method))
    line.bytes(itemsOpening)
    items.forEach((item, i) => {
      if (i > 0) line.bytes(comma)
      line.bytes(itemOpenings[item.product]!)
      line.bytes(priceOpening)
      line.hundredths(item.priceMinor)
      line.bytes(quantityOpening)
      line.integer(item.quantity)
      line.bytes(itemTotal)
      line.hundredths(lineMinor(item))
      line.bytes(itemClosing)
    })
    const { subtotalMinor, taxMinor, shippingMinor } = bill(items)
    line.bytes(totalOpening)
    line.hundredths(subtotalMinor + taxMinor + shippingMinor)
    line.bytes(taxOpening)
    line.hundredths(taxMinor)
    line.bytes(shippingOpening)
    line.hundredths(shippingMinor)
    line.bytes(addressOpening)
    line.bytes(fragment(payment.address))
    line.bytes(comma)
    line.bytes(fragment(JSON.stringify(aboutPayment(payment)).slice(1)))
    return line.line()
  }

  /** `change` < 0: sold; > 0: received. `stock` is what is there afterwards. */
  stockChange(product: number, warehouse: number, change: number, stock: number, atMs: number): Uint8Array {
    const line = this.#line
    line.start()
    line.bytes(eventOpening)
    line.uuid(this.#ids)
    line.bytes(stockChanges[product]!)
    if (change < 0) line.bytes(minus)
    line.integer(Math.abs(change))
    line.bytes(stockOpening)
    line.integer(stock)
    line.bytes(warehouseOpening)
    line.bytes(warehouseParts[warehouse]!)
    line.bytes(quote)
    line.bytes(comma)
    line.bytes(timeOpening)
    line.time(atMs)
    line.bytes(closing)
    return line.line()
  }

  #eventHead(user: Uint8Array, kind: Uint8Array, atMs: number): void {
    const line = this.#line
    line.start()
    line.bytes(eventOpening)
    line.uuid(this.#ids)
    line.bytes(userOpening)
    line.bytes(user)
    line.bytes(kind)
    line.bytes(timeOpening)
    line.time(atMs)
  }
}

/** The last fields of a payment. */
function aboutPayment(payment: Payment): object {
  return {
    ...(payment.sessionId === null ? {} : { session_id: payment.sessionId }),
    ip_address: payment.ipAddress,
    device_id: payment.deviceId,
    ...(payment.card === null ? {} : { card_fingerprint: payment.card }),
    status: payment.status,
    billing_country: payment.billingCountry,
    shipping_country: payment.shippingCountry,
    ip_country: payment.ipCountry,
    seller: payment.seller,
  }
}
