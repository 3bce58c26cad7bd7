// Carts that nobody paid for within half an hour of the last thing put into them (E4). Rows come in the order of event time,
// so a cart is left once the time of a later row, or the clock, says so.
import type { Emit, Reaction, ReactionRow } from '../../query/reaction.ts'
import { instantText } from '../../std/instant.ts'
import { cartAbandonments } from '../contracts/cart-abandonments.ts'
import { advance, type EventClock, newEventClock } from './event-clock.ts'
import { actsPlan } from './funnel.ts'

export const abandonedAfterMs = 1_800_000
/** One more drops the oldest, untold. */
export const cartsMax = 50_000
const productsMax = 50

interface Cart {
  readonly session: string
  readonly user: string
  readonly products: string[]
  valueMinor: number
  atMs: number
}
/** Plain data. */
export interface CartsState {
  readonly clock: EventClock
  /** In the order of the last thing put into them. */
  carts: Cart[]
  dropped: number
}

export function abandonedCarts(): Reaction<CartsState> {
  return {
    name: 'abandoned-carts',
    version: 1,
    reads: [actsPlan],
    writes: [{ topic: cartAbandonments.topic, partitions: cartAbandonments.partitions, compacted: false }],
    initial: () => ({ clock: newEventClock(), carts: [], dropped: 0 }),
    step(state, input, emit) {
      const nowMs = advance(state.clock, input, input.kind === 'row' ? Number(input.values.timestamp) : 0)
      if (nowMs === null) return
      leave(state, nowMs, emit)
      if (input.kind === 'row' && input.weight > 0) take(state, input)
    },
  }
}

function take(state: CartsState, { values }: ReactionRow): void {
  const { carts } = state
  const { event_type: type, session_id: session } = values
  const user = String(values.user_id)
  if (type === 'purchase') {
    // Who pays has not left the cart, in whatever visit.
    const rest = carts.filter((cart) => cart.session !== session && cart.user !== user)
    if (rest.length < carts.length) state.carts = rest
    return
  }
  if (type !== 'add_to_cart' || typeof session !== 'string') return
  const at = carts.findIndex((cart) => cart.session === session)
  const [known] = at < 0 ? [] : carts.splice(at, 1)
  const cart = known ?? { session, user, products: [], valueMinor: 0, atMs: 0 }
  const product = String(values.product_id ?? '')
  if (!cart.products.includes(product) && cart.products.length < productsMax) {
    cart.products.push(product)
    cart.valueMinor += Number(values.price ?? 0)
  }
  cart.atMs = Number(values.timestamp)
  carts.push(cart)
  if (carts.length <= cartsMax) return
  carts.shift()
  state.dropped++
}
function leave(state: CartsState, nowMs: number, emit: Emit): void {
  let over = 0
  while (over < state.carts.length && state.carts[over]!.atMs + abandonedAfterMs < nowMs) over++
  for (const { session, user, products, valueMinor, atMs } of state.carts.splice(0, over))
    emit(cartAbandonments.topic, session, {
      session_id: session,
      user_id: user,
      product_ids: products,
      value: valueMinor / 100,
      last_cart_at: instantText(atMs, true),
      abandoned_at: instantText(atMs + abandonedAfterMs, true),
    })
}
