// The records of the store as bytes: `user-events`, `transactions` and `inventory-updates`, from fragments encoded before.
import { inventoryUpdates, transactions, userEvents } from '../commerce/commerce.ts'
import type { RandomStream } from '../std/random.ts'
import { fragment, jsonInside, LineWriter } from './line-writer.ts'
import { type StoreUser, storeProducts, warehouses } from './store-data.ts'

export const storeTopics = Object.freeze([userEvents.topic, transactions.topic, inventoryUpdates.topic])

export interface Item {
  readonly product: number
  readonly quantity: number
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
  const subtotalMinor = items.reduce((sum, { product, quantity }) => sum + lineMinor(product, quantity), 0)
  return {
    subtotalMinor,
    taxMinor: Math.floor((subtotalMinor * taxPercent + 50) / 100),
    shippingMinor: subtotalMinor >= freeShippingFromMinor ? 0 : shippingMinor,
  }
}
const lineMinor = (product: number, quantity: number): number => storeProducts[product]!.priceMinor * quantity

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
const stockOpening = fragment(',"current_stock":')
const warehouseOpening = fragment(',"warehouse_location":"')

const kinds = {
  view: fragment('","event_type":"product_view",'),
  cart: fragment('","event_type":"add_to_cart",'),
  search: fragment('","event_type":"search",'),
  purchase: fragment('","event_type":"purchase",'),
}
const names = storeProducts.map(({ id, name }) => `"product_id":"${id}","product_name":"${jsonInside(name)}"`)
const price = (product: number): string => String(storeProducts[product]!.priceMinor / 100)
const eventProducts = storeProducts.map(({ category }, i) =>
  fragment(`","${names[i]!.slice(1)},"category":"${jsonInside(category)}","price":${price(i)}`),
)
const itemOpenings = storeProducts.map((_, i) => fragment(`{${names[i]},"price":${price(i)},"quantity":`))
const stockChanges = storeProducts.map((_, i) =>
  fragment(`","event_type":"inventory_update",${names[i]},"stock_change":`),
)
const warehouseParts = warehouses.map((name) => fragment(name))
export const productKeys: readonly Uint8Array[] = storeProducts.map(({ id }) => fragment(id))

/** Encodes the end of every event of a session. */
export function sessionTail(sessionId: string, user: StoreUser): Uint8Array {
  const rest = JSON.stringify({ session_id: sessionId, ip_address: user.ipAddress, user_agent: user.userAgent })
  return fragment(`,${rest.slice(1)}`)
}
/** What a user's transactions have that does not change. */
export interface UserParts {
  readonly key: Uint8Array
  readonly payment: Uint8Array
  readonly address: Uint8Array
}
export function userParts(user: StoreUser): UserParts {
  return { key: fragment(user.id), payment: fragment(user.paymentMethod), address: fragment(user.address) }
}

/** Each method writes one record and returns its bytes, valid until the next. */
export class StoreRecords {
  readonly #line = new LineWriter()
  readonly #ids: RandomStream
  constructor(ids: RandomStream) {
    this.#ids = ids
  }

  productEvent(kind: 'view' | 'cart', user: UserParts, product: number, tail: Uint8Array, atMs: number): Uint8Array {
    this.#eventHead(user, kinds[kind], atMs)
    this.#line.bytes(eventProducts[product]!)
    this.#line.bytes(tail)
    return this.#line.line()
  }

  searchEvent(user: UserParts, query: string, tail: Uint8Array, atMs: number): Uint8Array {
    this.#eventHead(user, kinds.search, atMs)
    this.#line.bytes(searchOpening)
    this.#line.bytes(fragment(jsonInside(query)))
    this.#line.bytes(quote)
    this.#line.bytes(tail)
    return this.#line.line()
  }

  transaction(user: UserParts, items: readonly Item[], atMs: number): Uint8Array {
    const line = this.#line
    line.start()
    line.bytes(transactionOpening)
    line.uuid(this.#ids)
    line.bytes(userOpening)
    line.bytes(user.key)
    line.bytes(kinds.purchase)
    line.bytes(timeOpening)
    line.time(atMs)
    line.bytes(paymentOpening)
    line.bytes(user.payment)
    line.bytes(itemsOpening)
    items.forEach(({ product, quantity }, i) => {
      if (i > 0) line.bytes(comma)
      line.bytes(itemOpenings[product]!)
      line.integer(quantity)
      line.bytes(itemTotal)
      line.hundredths(lineMinor(product, quantity))
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
    line.bytes(user.address)
    line.bytes(itemClosing)
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

  #eventHead(user: UserParts, kind: Uint8Array, atMs: number): void {
    const line = this.#line
    line.start()
    line.bytes(eventOpening)
    line.uuid(this.#ids)
    line.bytes(userOpening)
    line.bytes(user.key)
    line.bytes(kind)
    line.bytes(timeOpening)
    line.time(atMs)
  }
}
