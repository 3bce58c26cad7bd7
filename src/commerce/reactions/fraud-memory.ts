// What fraud scoring remembers beyond a day: who has used which device, card and address, how often a seller's payments and
// a buyer's purchases are taken back. Bounded, plain data.
import { newRecent, peek, type Recent, use } from '../../std/recent.ts'

/** Sums that fade: half as much after `halfLifeMs`. */
export interface Fading {
  value: number
  atMs: number
}
export type Used = [name: string, firstMs: number]
export interface Buyer {
  readonly firstMs: number
  payments: number
  /** Each with when it was first used: what is new stays new for some days, or a thief's second payment looks usual. */
  readonly devices: Used[]
  readonly cards: Used[]
  readonly addresses: Used[]
  /** Purchases, what was sent back, what was taken back; thirty days. */
  readonly bought: Fading
  readonly returned: Fading
  readonly takenBack: Fading
  /** Purchases that the buyer says never came. */
  readonly claimed: Fading
}
export interface Shared {
  /** Accounts, the last used last. */
  readonly users: string[]
  takenBack: number
}
export interface Seller {
  readonly paid: Fading
  readonly takenBack: Fading
}
export interface FraudMemory {
  readonly buyers: Recent<Buyer>
  readonly devices: Recent<Shared>
  readonly cards: Recent<Shared>
  readonly addresses: Recent<Shared>
  readonly sellers: Recent<Seller>
}

/** Of each kind; about 300 bytes a buyer. */
export const rememberedMax = 20_000
const listMax = 12
const halfLifeMs = 20 * 86_400_000

export function newFraudMemory(): FraudMemory {
  return {
    buyers: newRecent(),
    devices: newRecent(),
    cards: newRecent(),
    addresses: newRecent(),
    sellers: newRecent(),
  }
}
export function newFading(atMs: number): Fading {
  return { value: 0, atMs }
}
export function faded({ value, atMs }: Fading, nowMs: number): number {
  return nowMs <= atMs ? value : value * 2 ** ((atMs - nowMs) / halfLifeMs)
}
export function add(fading: Fading, amount: number, nowMs: number): void {
  fading.value = faded(fading, nowMs) + amount
  fading.atMs = Math.max(fading.atMs, nowMs)
}
/** Puts the name last; true if it was there. The first leaves when there are too many. */
export function noted(list: string[], name: string): boolean {
  const at = list.indexOf(name)
  if (at >= 0) list.splice(at, 1)
  list.push(name)
  if (list.length > listMax) list.shift()
  return at >= 0
}

/** Notes that it is used; the last used is last, the first leaves when there are too many. */
function usedBy(list: Used[], name: string, atMs: number): void {
  const at = list.findIndex(([known]) => known === name)
  const [known] = at < 0 ? [] : list.splice(at, 1)
  list.push(known ?? [name, atMs])
  if (list.length > listMax) list.shift()
}
export interface PaymentFacts {
  readonly atMs: number
  readonly user: string
  readonly device: string | null
  readonly card: string | null
  readonly address: string | null
  readonly seller: string | null
  readonly isApproved: boolean
}
export function buyerOf({ buyers }: FraudMemory, user: string, atMs: number): Buyer {
  return use(buyers, user, rememberedMax, () => ({
    firstMs: atMs,
    payments: 0,
    devices: [],
    cards: [],
    addresses: [],
    bought: newFading(atMs),
    returned: newFading(atMs),
    takenBack: newFading(atMs),
    claimed: newFading(atMs),
  }))
}
const sharedOf = (kind: Recent<Shared>, name: string): Shared =>
  use(kind, name, rememberedMax, () => ({ users: [], takenBack: 0 }))
/** The accounts that have used it, with this one. */
export function accountsOf(kind: Recent<Shared>, name: string | null, user: string): number {
  if (name === null) return 0
  const users = peek(kind, name)?.users ?? []
  return users.length + (users.includes(user) ? 0 : 1)
}
export function sellerOf({ sellers }: FraudMemory, seller: string, atMs: number): Seller {
  return use(sellers, seller, rememberedMax, () => ({ paid: newFading(atMs), takenBack: newFading(atMs) }))
}

/** Takes a payment in, after it was scored. */
export function rememberPayment(memory: FraudMemory, facts: PaymentFacts): void {
  const { atMs, user, device, card, address, seller, isApproved } = facts
  const buyer = buyerOf(memory, user, atMs)
  buyer.payments++
  if (device !== null) {
    usedBy(buyer.devices, device, atMs)
    noted(sharedOf(memory.devices, device).users, user)
  }
  if (card !== null) {
    usedBy(buyer.cards, card, atMs)
    noted(sharedOf(memory.cards, card).users, user)
  }
  if (address !== null) {
    usedBy(buyer.addresses, address, atMs)
    noted(sharedOf(memory.addresses, address).users, user)
  }
  if (!isApproved) return
  add(buyer.bought, 1, atMs)
  if (seller !== null) add(sellerOf(memory, seller, atMs).paid, 1, atMs)
}
/** Takes a chargeback in, days after its payment. */
export function rememberChargeback(memory: FraudMemory, facts: Omit<PaymentFacts, 'isApproved'>): void {
  const { atMs, user, device, card, address, seller } = facts
  add(buyerOf(memory, user, atMs).takenBack, 1, atMs)
  if (device !== null) sharedOf(memory.devices, device).takenBack++
  if (card !== null) sharedOf(memory.cards, card).takenBack++
  if (address !== null) sharedOf(memory.addresses, address).takenBack++
  if (seller !== null) add(sellerOf(memory, seller, atMs).takenBack, 1, atMs)
}
