// What a payment looks like to fraud scoring: figures between 0 and 1, each with the values behind it and what is known of
// it before any label has come (domain knowledge as a weight).
import type { ReactionValue } from '../../query/reaction.ts'
import { peek } from '../../std/recent.ts'
import { accountsOf, type FraudMemory, faded, type PaymentFacts, type Used } from './fraud-memory.ts'

export type Values = { readonly [column: string]: ReactionValue }

export interface Feature {
  readonly name: string
  /** Weight before labels have come, in nats at a figure of 1. */
  readonly prior: number
  /** As a reason, for people. */
  readonly text: string
}
export interface Figure {
  /** 0 to 1. */
  readonly x: number
  /** What it was made of. */
  readonly values: Readonly<Record<string, number | string>>
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** A mean of fewer payments says little. */
const KNOWN_PAYMENTS_MIN = 3
/** Payments that a seller's risk starts with, and how many of them were taken back. */
const SELLER_PRIOR = 20
const SELLER_PRIOR_BACK = 0.1
const SMALL = 10
/** So long after it was first used a device, card or address is new to its buyer. */
const NEW_MS = 3 * DAY_MS

export const paymentFeatures: readonly Feature[] = Object.freeze([
  { name: 'amount', prior: 0.6, text: 'a high amount' },
  { name: 'amount_above_mean', prior: 0.3, text: 'far above what this buyer pays' },
  { name: 'night', prior: 0.3, text: 'at night' },
  { name: 'weekend', prior: 0, text: 'on a weekend' },
  { name: 'declined', prior: 0, text: 'the payment was declined' },
  { name: 'new_device', prior: 2, text: 'a device this buyer has not used before' },
  { name: 'new_card', prior: 1.2, text: 'a card this buyer has not used before' },
  { name: 'new_address', prior: 1, text: 'an address this buyer has not used before' },
  {
    name: 'takeover',
    prior: 2,
    text: 'new device, and far away or far above the usual: the account may be taken over',
  },
  { name: 'country_mismatch', prior: 1.4, text: 'card, parcel and computer are in different countries' },
  { name: 'user_velocity', prior: 0.1, text: 'many payments of one buyer' },
  { name: 'card_velocity', prior: 0.6, text: 'many payments with one card' },
  { name: 'card_users', prior: 1.5, text: 'one card, several accounts' },
  { name: 'small_burst', prior: 3.5, text: 'many small charges: a card is being tested' },
  { name: 'ladder', prior: 5, text: 'small charges or declines, then a big one' },
  { name: 'declines', prior: 0.5, text: 'declined several times in an hour' },
  { name: 'device_cards', prior: 2, text: 'one device, many cards' },
  { name: 'device_users', prior: 5, text: 'one device, many accounts' },
  { name: 'address_users', prior: 5, text: 'one address, many accounts' },
  { name: 'ip_crowd', prior: 0.8, text: 'one network address, many accounts or cards' },
  { name: 'seller_risk', prior: 4.5, text: 'payments to this seller are taken back often' },
  { name: 'known_bad', prior: 1, text: 'payments of this buyer, device, card or address were taken back before' },
  { name: 'refunds', prior: 2.2, text: 'this buyer sends back far more than others' },
  { name: 'claims', prior: 5.5, text: 'this buyer says again and again that nothing came' },
  { name: 'dear_abroad', prior: 1.8, text: 'a high amount from another country' },
  { name: 'new_everything', prior: 2.5, text: 'a device and an address this buyer has not used before' },
  { name: 'new_device_dear', prior: 1.4, text: 'a high amount with a device this buyer has not used before' },
  { name: 'small_and_new', prior: 4, text: 'a small charge with a device or card this buyer has not used before' },
  { name: 'seller_and_device', prior: 3.4, text: 'a new device at a seller whose payments are taken back' },
  { name: 'new_account', prior: 1, text: 'an account of less than a day with a high amount' },
])
export const paymentIntercept = -7.2

export const clip = (value: number): number => (value > 0 ? Math.min(1, value) : 0)
/** 0 at `from` and below, 1 at `to` and above, even in between by logarithm. */
export const rising = (value: number, from: number, to: number): number =>
  value <= from ? 0 : clip(Math.log(value / from) / Math.log(to / from))

export interface Payment extends PaymentFacts {
  readonly id: string
  /** In units, not cents. */
  readonly amount: number
}
export function paymentOf(values: Values): Payment {
  const text = (name: string): string | null => {
    const value = values[name]
    return typeof value === 'string' && value !== '' ? value : null
  }
  const street = text('street')
  return {
    id: text('transaction_id') ?? '',
    atMs: Number(values.timestamp),
    amount: Number(values.total_amount) / 100,
    user: text('user_id') ?? '',
    device: text('device_id'),
    card: text('card_fingerprint'),
    address: street === null ? null : `${street}/${text('zip') ?? ''}`,
    seller: text('seller'),
    isApproved: text('status') !== 'declined',
  }
}

/** The figures of a payment, in the order of `paymentFeatures`, by its row and by what is remembered of before. */
export function paymentFigures(payment: Payment, values: Values, memory: FraudMemory): readonly Figure[] {
  const { atMs, amount, user, device, card, address, seller } = payment
  const n = (name: string): number => Number(values[name] ?? 0)
  const buyer = peek(memory.buyers, user)
  const earlier = Math.max(0, n('user_paid_30d') - 1)
  const mean = earlier < KNOWN_PAYMENTS_MIN ? null : (n('user_spent_30d') - amount) / earlier
  const ratio = mean === null || mean <= 0 ? 1 : amount / mean
  const date = new Date(atMs)
  const hour = date.getUTCHours()
  const isKnown = (buyer?.payments ?? 0) >= 2
  const isNew = (list: readonly Used[] | undefined, name: string | null): boolean => {
    if (!isKnown || name === null || list === undefined || list.length === 0) return false
    const found = list.find(([known]) => known === name)
    return found === undefined || (atMs - found[1] < NEW_MS && found[1] > (buyer?.firstMs ?? 0))
  }
  const newDevice = isNew(buyer?.devices, device)
  const newCard = isNew(buyer?.cards, card)
  const newAddress = isNew(buyer?.addresses, address)
  const countries = ['billing_country', 'shipping_country', 'ip_country'].flatMap((name) => {
    const value = values[name]
    return typeof value === 'string' ? [value] : []
  })
  const differing = new Set(countries).size - 1
  const isAbroad = differing > 0
  const ofCard = (name: string): number => (card === null ? 0 : n(name))
  const ofDevice = (name: string): number => (device === null ? 0 : n(name))
  const ofIp = (name: string): number => (values.ip_address === null ? 0 : n(name))
  const small = Math.max(ofCard('card_small_1h'), ofDevice('device_small_1h')) - (amount <= SMALL ? 1 : 0)
  const declines = Math.max(ofCard('card_declined_1h'), n('user_declined_1h')) - (payment.isApproved ? 0 : 1)
  const deviceUsers = Math.max(ofDevice('device_users_24h'), accountsOf(memory.devices, device, user))
  const addressUsers = Math.max(
    address === null ? 0 : n('address_users_24h'),
    accountsOf(memory.addresses, address, user),
  )
  const cardUsers = Math.max(ofCard('card_users_1h'), accountsOf(memory.cards, card, user))
  const deviceCards = Math.max(ofDevice('device_cards_1h'), ofDevice('device_cards_24h'))
  const ipCrowd = Math.max(ofIp('ip_users_1h'), ofIp('ip_cards_1h'))
  const back = (kind: FraudMemory['devices'], name: string | null): number =>
    name === null ? 0 : (peek(kind, name)?.takenBack ?? 0)
  const userBack = buyer === undefined ? 0 : faded(buyer.takenBack, atMs)
  const knownBad = userBack + back(memory.devices, device) + back(memory.cards, card) + back(memory.addresses, address)
  const sold = seller === null ? undefined : peek(memory.sellers, seller)
  const risk =
    sold === undefined
      ? SELLER_PRIOR_BACK / SELLER_PRIOR
      : (faded(sold.takenBack, atMs) + SELLER_PRIOR_BACK) / (faded(sold.paid, atMs) + SELLER_PRIOR)
  const [returned, bought] = buyer === undefined ? [0, 0] : [faded(buyer.returned, atMs), faded(buyer.bought, atMs)]
  const claimed = buyer === undefined ? 0 : faded(buyer.claimed, atMs)
  const ageMs = buyer === undefined ? 0 : atMs - buyer.firstMs
  const figure = (x: number, of: Figure['values']): Figure => ({ x: Math.round(clip(x) * 1_000) / 1_000, values: of })
  return [
    figure(rising(amount, 100, 2_000), { amount }),
    figure(rising(ratio, 1.5, 8), { amount, mean_30d: mean ?? 0 }),
    figure(hour <= 6 ? 1 : 0, { hour }),
    figure([0, 6].includes(date.getUTCDay()) ? 1 : 0, { day: date.getUTCDay() }),
    figure(payment.isApproved ? 0 : 1, {}),
    figure(newDevice ? 1 : 0, { devices: buyer?.devices.length ?? 0 }),
    figure(newCard ? 1 : 0, { cards: buyer?.cards.length ?? 0 }),
    figure(newAddress ? 1 : 0, { addresses: buyer?.addresses.length ?? 0 }),
    figure(
      newDevice && (isAbroad || newAddress || ratio > 2.5)
        ? 0.4 + 0.3 * Number(isAbroad) + 0.3 * Number(newAddress)
        : 0,
      {
        countries: countries.join('/'),
        ratio: Math.round(ratio * 100) / 100,
      },
    ),
    figure(differing / 2, { countries: countries.join('/') }),
    figure(
      Math.max(rising(n('user_count_1m'), 1, 4), rising(n('user_count_1h'), 2, 10), rising(n('user_count_24h'), 4, 20)),
      {
        count_1m: n('user_count_1m'),
        count_1h: n('user_count_1h'),
        count_24h: n('user_count_24h'),
        sum_24h: n('user_sum_24h') / 100,
      },
    ),
    figure(rising(ofCard('card_count_1h'), 2, 10), { count_1h: ofCard('card_count_1h') }),
    figure(rising(cardUsers, 1, 4), { accounts: cardUsers }),
    figure(amount <= SMALL ? rising(small, 1, 6) : 0, { small_1h: small }),
    figure(
      amount > 5 * SMALL ? Math.max(rising(small, 1.5, 6), (deviceCards > 1 ? 1 : 0.3) * rising(declines, 1.5, 6)) : 0,
      {
        small_1h: small,
        declined_1h: declines,
        amount,
      },
    ),
    figure(rising(declines, 1, 6), { declined_1h: declines }),
    figure(rising(deviceCards, 1.5, 5), { cards_24h: deviceCards }),
    figure(rising(deviceUsers, 1, 5), { accounts: deviceUsers }),
    figure(rising(addressUsers, 1, 5), { accounts: addressUsers }),
    figure(rising(ipCrowd, 2, 8), { accounts_or_cards_1h: ipCrowd }),
    figure(rising(risk, 0.006, 0.06), { taken_back_share: Math.round(risk * 10_000) / 10_000 }),
    figure(rising(1 + knownBad, 1, 4), { taken_back: Math.round(knownBad * 100) / 100 }),
    figure(bought < 2 ? 0 : rising(returned / bought, 0.15, 0.8) * clip(returned / 4), {
      returned: Math.round(returned * 100) / 100,
      bought: Math.round(bought * 100) / 100,
    }),
    figure(rising(1 + claimed, 1.4, 4), { claimed: Math.round(claimed * 100) / 100 }),
    figure(isAbroad ? rising(amount, 200, 1_500) : 0, { countries: countries.join('/'), amount }),
    figure(newDevice && newAddress ? 1 : 0, {}),
    figure(newDevice ? rising(amount, 100, 1_000) : 0, { amount }),
    figure(amount <= SMALL && (newDevice || newCard) ? 0.5 + 0.5 * Number(newDevice && newCard) : 0, { amount }),
    figure(newDevice ? rising(risk, 0.006, 0.06) : 0, { taken_back_share: Math.round(risk * 10_000) / 10_000 }),
    figure(ageMs < DAY_MS && !isKnown ? rising(amount, 200, 2_000) : 0, { hours: Math.round(ageMs / HOUR_MS), amount }),
  ]
}
