// Rules across records, in cents: a line is price x quantity, a payment is its lines and tax and shipping, an order is its
// items.

interface Rule {
  readonly topic: string
  readonly name: string
  readonly says: string
}
export interface Inconsistent {
  readonly rule: Rule
  readonly id: string
  readonly atMs: number
  readonly expected: number
  readonly found: number
}
interface Payment {
  readonly id: string
  readonly atMs: number
  readonly total: number
  readonly beside: number
  sum: number
}
interface Order {
  /** Null: its head has not come. */
  subtotal: number | null
  atMs: number
  sum: number
}
export interface ConsistencyState {
  /** Lines of one payment come one after the other. */
  payment: Payment | null
  readonly orders: { [id: string]: Order }
  /** The newest order by event time, and the newest item: the slower of the two says how far both have come. */
  headMs: number
  itemMs: number
  heldMs: number
}

const line: Rule = { topic: 'transactions', name: 'item-total', says: 'item_total is price x quantity' }
const payment: Rule = {
  topic: 'transactions',
  name: 'total-amount',
  says: 'total_amount is its items, tax and shipping',
}
const item: Rule = {
  topic: 'ecommerce_order_items',
  name: 'item-total',
  says: 'item_total is unit_price x quantity - discount',
}
const head: Rule = {
  topic: 'ecommerce_orders',
  name: 'total-amount',
  says: 'total_amount is subtotal - discount + shipping_cost + tax_amount',
}
const order: Rule = { topic: 'ecommerce_orders', name: 'items', says: 'the subtotal of an order is that of its items' }

/** An order and its items are held together when others are so much newer. */
const togetherMs = 5 * 60_000
const ordersMax = 20_000

export function newConsistency(): ConsistencyState {
  return { payment: null, orders: {}, headMs: 0, itemMs: 0, heldMs: 0 }
}

export function takeLine(
  state: ConsistencyState,
  plan: string,
  values: Readonly<Record<string, unknown>>,
): readonly Inconsistent[] {
  const at = (name: string): number => Number(values[name])
  switch (plan) {
    case 'quality-payment-lines': {
      const [id, atMs] = [String(values.transaction_id), at('timestamp')]
      const found: Inconsistent[] = []
      const [expected, total] = [at('price') * at('quantity'), at('item_total')]
      if (expected !== total) found.push({ rule: line, id, atMs, expected, found: total })
      if (state.payment !== null && state.payment.id !== id) found.push(...closed(state.payment))
      if (state.payment === null || state.payment.id !== id)
        state.payment = { id, atMs, total: at('total_amount'), beside: at('tax_amount') + at('shipping_cost'), sum: 0 }
      state.payment.sum += total
      return found
    }
    case 'quality-order-heads': {
      const [id, atMs] = [String(values.order_id), at('order_date')]
      const of = orderOf(state, id, atMs)
      of.subtotal = at('subtotal')
      state.headMs = Math.max(state.headMs, atMs)
      const expected = at('subtotal') - at('discount') + at('shipping_cost') + at('tax_amount')
      const found: Inconsistent[] =
        expected === at('total_amount') ? [] : [{ rule: head, id, atMs, expected, found: at('total_amount') }]
      return [...found, ...together(state)]
    }
    case 'quality-order-items': {
      const [id, atMs] = [String(values.order_id), at('order_date')]
      const of = orderOf(state, id, atMs)
      of.sum += at('item_total')
      state.itemMs = Math.max(state.itemMs, atMs)
      const expected = at('unit_price') * at('quantity') - at('discount')
      const found: Inconsistent[] =
        expected === at('item_total') ? [] : [{ rule: item, id, atMs, expected, found: at('item_total') }]
      return [...found, ...together(state)]
    }
    default:
      return []
  }
}

function closed({ id, atMs, total, beside, sum }: Payment): Inconsistent[] {
  return sum + beside === total ? [] : [{ rule: payment, id, atMs, expected: sum + beside, found: total }]
}
function orderOf(state: ConsistencyState, id: string, atMs: number): Order {
  const known = state.orders[id]
  if (known !== undefined) return known
  const fresh = { subtotal: null, atMs, sum: 0 }
  state.orders[id] = fresh
  return fresh
}
/** Orders that are old enough by now, of both topics. */
function together(state: ConsistencyState): Inconsistent[] {
  const toMs = Math.min(state.headMs, state.itemMs) - togetherMs
  const ids = Object.keys(state.orders)
  if (toMs <= state.heldMs && ids.length <= ordersMax) return []
  state.heldMs = Math.max(toMs, state.heldMs)
  const found: Inconsistent[] = []
  for (const [i, id] of ids.entries()) {
    const of = state.orders[id]
    const tooMany = ids.length - i > ordersMax
    if (of === undefined || (of.atMs > toMs && !tooMany)) continue
    delete state.orders[id]
    if (of.subtotal !== null && !tooMany && of.subtotal !== of.sum)
      found.push({ rule: order, id, atMs: of.atMs, expected: of.sum, found: of.subtotal })
  }
  return found
}
