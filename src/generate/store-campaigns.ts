// How thieves go about it: for each kind of fraud a plan of payments, with whose account, card and device, from where and
// when. Pure: a seed and a beginning in, the plan out.
import { unreachable } from '../std/assert.ts'
import type { RandomStream } from '../std/random.ts'
import { weightedChoice } from './distributions.ts'
import { anyCard, issuers, type StoreUser, storeProducts, storeProductWeights, storeSellers } from './store-data.ts'
import { homeCountry, strangePlace } from './store-places.ts'
import { giftCredit, type Payment, type Place } from './store-records.ts'

export const fraudKinds = Object.freeze([
  'card-testing',
  'account-takeover',
  'ring',
  'compromised-seller',
  'refund-abuse',
] as const)
export type FraudKind = (typeof fraudKinds)[number]

export interface Charge {
  readonly atMs: number
  readonly user: number
  /** Without a price: what it costs then. */
  readonly items: readonly { readonly product: number; readonly quantity: number; readonly priceMinor?: number }[]
  readonly payment: Payment
  readonly userAgent: string
  /** Of refund abuse: when the money is claimed back. */
  readonly claimAfterMs: number
}
export interface Campaign {
  readonly kind: FraudKind
  readonly charges: readonly Charge[]
  /** Devices, cards, sellers that its payments share. */
  readonly entities: readonly string[]
  readonly severity: 'medium' | 'high' | 'critical'
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** `[from, to]`, uniform, whole. */
type Range = readonly [number, number]
const pick = (random: RandomStream, [from, to]: Range): number => from + random.below(to - from + 1)
const meanOf = ([from, to]: Range): number => (from + to) / 2

const testCharges: Range = [8, 30]
const takeoverCharges: Range = [1, 4]
const ringAccounts: Range = [3, 12]
const ringBursts: Range = [2, 4]
const ringJoinShare = 0.7
const sellerCharges: Range = [10, 40]
const refundCharges: Range = [4, 9]
/** Payments of one campaign, in the mean. */
export const paymentsPerCampaign: Readonly<Record<FraudKind, number>> = {
  'card-testing': meanOf(testCharges) + 1,
  'account-takeover': meanOf(takeoverCharges),
  ring: meanOf(ringAccounts) * meanOf(ringBursts) * ringJoinShare,
  'compromised-seller': meanOf(sellerCharges),
  'refund-abuse': meanOf(refundCharges),
}

/** What is worth stealing. */
const dear = storeProducts.flatMap(({ priceMinor }, i) => (priceMinor >= 400_00 ? [i] : []))
const anyProduct = weightedChoice(storeProductWeights)
const anySeller = weightedChoice(storeSellers.map(({ share }) => share))
const dropStreets = ['Freight Way', 'Terminal Road', 'Storage Lane', 'Dock Street']
const dropAddress = (random: RandomStream): string =>
  JSON.stringify({
    street: `${random.below(90) + 10} ${dropStreets[random.below(dropStreets.length)]}`,
    city: 'Newark',
    state: 'NJ',
    zip: `071${String(random.below(15)).padStart(2, '0')}`,
    country: homeCountry,
  })

export function drawCampaign(
  kind: FraudKind,
  random: RandomStream,
  users: readonly StoreUser[],
  startMs: number,
): Campaign {
  switch (kind) {
    case 'card-testing':
      return cardTesting(random, users, startMs)
    case 'account-takeover':
      return accountTakeover(random, users, startMs)
    case 'ring':
      return ring(random, users, startMs)
    case 'compromised-seller':
      return compromisedSeller(random, users, startMs)
    case 'refund-abuse':
      return refundAbuse(random, users, startMs)
    default:
      return unreachable(kind)
  }
}

function paymentFrom(random: RandomStream, user: StoreUser, place: Place, with_: Partial<Payment>): Payment {
  return {
    method: 'credit_card',
    sessionId: null,
    ipAddress: place.ipAddress,
    deviceId: place.deviceId,
    card: user.card ?? anyCard(random),
    status: 'approved',
    billingCountry: homeCountry,
    shippingCountry: homeCountry,
    ipCountry: place.ipCountry,
    seller: storeSellers[anySeller.pick(random)]!.name,
    address: user.address,
    ...with_,
  }
}

/** A list of stolen cards of one issuer is tried out with charges of 1 to 5; the first good one then pays for something dear. */
function cardTesting(random: RandomStream, users: readonly StoreUser[], startMs: number): Campaign {
  const user = random.below(users.length)
  const place = strangePlace(random, 0.6, users[user]!.userAgent)
  const issuer = issuers[random.below(issuers.length)]!
  const count = pick(random, testCharges)
  const lengthMs = (6 + 12 * random.float()) * minuteMs
  const charges: Charge[] = []
  let good = anyCard(random, issuer)
  for (let i = 0; i < count; i++) {
    const card = anyCard(random, issuer)
    const isGood = random.float() < 0.3
    if (isGood) good = card
    charges.push({
      atMs: startMs + (lengthMs * (i + random.float())) / count,
      user,
      items: [{ product: giftCredit, quantity: 1, priceMinor: 1_00 + random.below(4_01) }],
      payment: paymentFrom(random, users[user]!, place, { card, status: isGood ? 'approved' : 'declined' }),
      userAgent: users[user]!.userAgent,
      claimAfterMs: 0,
    })
  }
  charges.push({
    atMs: startMs + lengthMs + (0.5 + random.float()) * minuteMs,
    user,
    items: [{ product: dear[random.below(dear.length)]!, quantity: 1 + random.below(2) }],
    payment: paymentFrom(random, users[user]!, place, { card: good, address: dropAddress(random) }),
    userAgent: users[user]!.userAgent,
    claimAfterMs: 0,
  })
  return { kind: 'card-testing', charges, entities: [place.deviceId, issuer], severity: 'high' }
}

/** Somebody else in a user's account: a new device, far away, dear things to another address, with the user's own card. */
function accountTakeover(random: RandomStream, users: readonly StoreUser[], startMs: number): Campaign {
  const user = random.below(users.length)
  const place = strangePlace(random, 0.8, users[user]!.userAgent)
  const address = dropAddress(random)
  const lengthMs = (10 + 80 * random.float()) * minuteMs
  const count = pick(random, takeoverCharges)
  const charges = Array.from(
    { length: count },
    (_, i): Charge => ({
      atMs: startMs + (lengthMs * (i + random.float())) / count,
      user,
      items: [{ product: dear[random.below(dear.length)]!, quantity: 1 + random.below(3) }],
      payment: paymentFrom(random, users[user]!, place, { address }),
      userAgent: users[user]!.userAgent,
      claimAfterMs: 0,
    }),
  )
  return { kind: 'account-takeover', charges, entities: [place.deviceId], severity: 'critical' }
}

/** Accounts that share a device, an address or cards of one list, and buy together in bursts over some days. */
function ring(random: RandomStream, users: readonly StoreUser[], startMs: number): Campaign {
  const accounts = Array.from({ length: pick(random, ringAccounts) }, () => random.below(users.length))
  const shared = 1 + random.below(3)
  const one = strangePlace(random, 0.3, users[accounts[0]!]!.userAgent)
  const issuer = issuers[random.below(issuers.length)]!
  const home = dropAddress(random)
  const places = accounts.map((user) => {
    const own = strangePlace(random, 0.3, users[user]!.userAgent)
    return shared === 1 || random.float() < 0.3 ? one : own
  })
  const cards = accounts.map(() => anyCard(random, shared === 2 || random.float() < 0.3 ? issuer : undefined))
  const addresses = accounts.map((user) => (shared === 3 || random.float() < 0.5 ? home : users[user]!.address))
  const bursts = pick(random, ringBursts)
  const lengthMs = (2 + 5 * random.float()) * dayMs
  const charges: Charge[] = []
  for (let burst = 0; burst < bursts; burst++) {
    const burstMs = startMs + (lengthMs * (burst + random.float())) / bursts
    accounts.forEach((user, i) => {
      if (random.float() >= ringJoinShare) return
      charges.push({
        atMs: burstMs + random.float() * 40 * minuteMs,
        user,
        items: [
          { product: random.float() < 0.7 ? dear[random.below(dear.length)]! : anyProduct.pick(random), quantity: 1 },
        ],
        payment: paymentFrom(random, users[user]!, places[i]!, { card: cards[i]!, address: addresses[i]! }),
        userAgent: users[user]!.userAgent,
        claimAfterMs: 0,
      })
    })
  }
  charges.sort((a, b) => a.atMs - b.atMs)
  return { kind: 'ring', charges, entities: [one.deviceId, issuer], severity: 'critical' }
}

/** A seller's records were stolen: the cards of its customers are charged there again, by others, over up to 28 days. */
function compromisedSeller(random: RandomStream, users: readonly StoreUser[], startMs: number): Campaign {
  const seller = storeSellers[random.below(storeSellers.length)]!.name
  const count = pick(random, sellerCharges)
  const charges = Array.from({ length: count }, (_, i): Charge => {
    const user = random.below(users.length)
    const place = strangePlace(random, 0.4, users[user]!.userAgent)
    return {
      atMs: startMs + (28 * dayMs * (i + random.float())) / count,
      user,
      items: [{ product: anyProduct.pick(random), quantity: 1 + random.below(3) }],
      payment: paymentFrom(random, users[user]!, place, { seller }),
      userAgent: users[user]!.userAgent,
      claimAfterMs: 0,
    }
  })
  return { kind: 'compromised-seller', charges, entities: [seller], severity: 'high' }
}

/** A user who buys dear things and says each time that they never came. */
function refundAbuse(random: RandomStream, users: readonly StoreUser[], startMs: number): Campaign {
  const user = random.below(users.length)
  const { ipAddress, userAgent, deviceId, paymentMethod, card } = users[user]!
  const place: Place = { ipAddress, ipCountry: homeCountry, userAgent, deviceId }
  const count = pick(random, refundCharges)
  const lengthMs = 14 * dayMs
  const charges = Array.from(
    { length: count },
    (_, i): Charge => ({
      atMs: startMs + (lengthMs * (i + random.float())) / count,
      user,
      items: [
        { product: random.float() < 0.6 ? dear[random.below(dear.length)]! : anyProduct.pick(random), quantity: 1 },
      ],
      payment: paymentFrom(random, users[user]!, place, { method: paymentMethod, card }),
      userAgent,
      claimAfterMs: Math.floor((0.5 + 2.5 * random.float()) * dayMs),
    }),
  )
  return { kind: 'refund-abuse', charges, entities: [], severity: 'medium' }
}
