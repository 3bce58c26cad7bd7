// Traffic of the small store: visitors look, search, fill carts and pay; what they buy leaves the stock, and some comes back;
// prices change; thieves and programs are among them. All topics are views of this one world: the same seed, start and
// number of visits give the same facts, whichever of the topics are asked for.
import {
  chargebacks,
  groundTruth,
  inventoryUpdates,
  priceChanges,
  promotions,
  returns,
  transactions,
  userEvents,
} from '../commerce/commerce.ts'
import { assert } from '../std/assert.ts'
import { instantText } from '../std/instant.ts'
import { type RandomStream, randomStream } from '../std/random.ts'
import type { ArrivalSettings } from './arrivals.ts'
import { normal } from './distributions.ts'
import type { RecordSink } from './sink.ts'
import { actsPerBot, botSessionMsMax, letBots } from './store-bots.ts'
import { storeProducts, storeUserCount, storeUsers, storeUsersMax } from './store-data.ts'
import { type Floor, openFloor } from './store-floor.ts'
import { letSteal } from './store-fraud.ts'
import { declinedShare, type Expected, funnel, type Profile } from './store-funnel.ts'
import { movingPrices } from './store-prices.ts'
import { storeTopics } from './store-records.ts'
import { letShrink, openReturns } from './store-returns.ts'
import { holdMsFor, openStock } from './store-stock.ts'
import { letVisit, presence, quantityMean, thinkMeanMs } from './store-visits.ts'
import { type Traffic, type TrafficSettings, traffic } from './traffic.ts'

/** What else the store tells, now and then: these are not counted in the rate. */
export const storeTopicsBeside: readonly string[] = Object.freeze([
  returns.topic,
  chargebacks.topic,
  priceChanges.topic,
  promotions.topic,
  groundTruth.topic,
])

export interface StoreSettings extends TrafficSettings {
  /** Only these topics are handed over, and `ratePerSecond` counts the records of the first three; these three by default. */
  readonly topics?: readonly string[]
  /** Share of the payments that are fraud; 0.005 by default. */
  readonly fraudShare?: number
  /** Share of the sessions that are programs'; 0.08 by default in the realistic profile, else none. */
  readonly botShare?: number
  /** 1,000 by default. */
  readonly users?: number
}

export const fraudShareDefault = 0.005
export const botShareRealistic = 0.08
/** More visitors at once than this share of the users do not fit: the pace is quickened instead. */
const visitorsAtOnceMax = 0.3
/** Inventory updates for one purchase in the `documents` profile: 0.67/s beside 1/s. One update then tells several sales. */
const updatesPerPurchase = 0.67
/** With known customers buying 2.5 times as often, half of all buy twice where one of ten buys nine times. */
const loyaltySigma = 0.5
/** So many of the users, the most frequent ones, are known customers. */
const returningUsers = 0.15

/** Records of each topic for one visit, in the mean. */
export function storeRecordsPerVisit(profile: Profile): ReadonlyMap<string, number> {
  return recordsPerVisit(profile, funnel(profile).expected, profile === 'realistic' ? botShareRealistic : 0)
}
function recordsPerVisit(profile: Profile, expected: Expected, botShare: number): ReadonlyMap<string, number> {
  const { searches, views, carts, purchases, items } = expected
  const updates = profile === 'documents' ? purchases * updatesPerPurchase : items
  const declined = profile === 'documents' ? 0 : (purchases * declinedShare) / (1 - declinedShare)
  const bots = (botShare / (1 - botShare)) * actsPerBot
  // Almost every purchase of the realistic profile begins with a login.
  const logins = profile === 'documents' ? 0 : purchases
  const [events = '', bought = '', stock = ''] = storeTopics
  return new Map([
    [events, searches + views + carts + logins + bots],
    [bought, purchases + declined],
    [stock, updates],
  ])
}

/** How often each user comes, and which are known customers. */
interface Loyalty {
  readonly weights: Float64Array
  readonly isReturning: Uint8Array
  /** Of all visits. */
  readonly returning: number
}
function loyaltyOf(random: RandomStream, users: number): Loyalty {
  const weights = Float64Array.from({ length: users }, () => Math.exp(loyaltySigma * normal(random)))
  const order = Array.from(weights, (_, user) => user).sort((a, b) => weights[b]! - weights[a]!)
  const isReturning = new Uint8Array(users)
  let returning = 0
  for (const user of order.slice(0, Math.round(users * returningUsers))) {
    isReturning[user] = 1
    returning += weights[user]!
  }
  return { weights, isReturning, returning: returning / weights.reduce((sum, weight) => sum + weight, 0) }
}

/** The same seed and settings give the same bytes, however `produceUntil` is called. */
export function storeTraffic(seed: string, settings: StoreSettings): Traffic {
  const { startMs, profile = 'documents', topics = storeTopics, fraudShare = fraudShareDefault } = settings
  const realistic = profile === 'realistic'
  const botShare = settings.botShare ?? (realistic ? botShareRealistic : 0)
  const userCount = settings.users ?? storeUserCount
  assert(fraudShare >= 0 && fraudShare < 1 && botShare >= 0 && botShare < 1, 'shares are below 1')
  assert(userCount >= 1 && userCount <= storeUsersMax, `not a number of users: ${userCount}`)
  const random = randomStream(seed).fork(`store/${startMs}`)
  const users = storeUsers(randomStream(seed).fork('store/users'), userCount)
  const loyalty = realistic ? loyaltyOf(randomStream(seed).fork('store/loyalty'), users.length) : null
  const mobile = users.reduce((sum, user, i) => sum + (user.isMobile ? (loyalty?.weights[i] ?? 1) : 0), 0)
  const all = loyalty?.weights.reduce((sum, weight) => sum + weight, 0) ?? users.length
  const chain = funnel(profile, { returning: loyalty?.returning ?? 0, mobile: mobile / all })
  const { expected } = chain
  const perVisit = recordsPerVisit(profile, expected, botShare)
  const recordsOfVisit = topics.reduce((sum, topic) => sum + (perVisit.get(topic) ?? 0), 0)
  assert(recordsOfVisit > 0, `a rate counts records of ${storeTopics.join(', ')}`)
  const visitsPerSecond = settings.ratePerSecond / recordsOfVisit
  const visitMs = expected.steps * thinkMeanMs
  const pace = Math.min(1, (visitorsAtOnceMax * users.length) / ((visitsPerSecond * visitMs) / 1_000))
  const purchasesPerSecond = visitsPerSecond * expected.purchases
  const itemsPerPurchase = expected.items / expected.purchases
  const holdMs = realistic
    ? 0
    : holdMsFor(purchasesPerSecond * itemsPerPurchase, purchasesPerSecond * updatesPerPurchase)

  const floor = openFloor(
    random,
    { users, stock: openStock(random.fork('stock'), quantityMean * itemsPerPurchase) },
    { startMs, topics, purchasesPerSecond, holdMs },
  )
  const { agenda } = floor
  floor.usePrices(movingPrices(random, agenda, startMs, tellPrices(floor)))
  const sentBack = openReturns(random, floor)
  const here = presence(users.length)
  // Visitors who came before the start are in the middle of their visit when it comes.
  const arrivalSettings: ArrivalSettings = {
    ratePerSecond: visitsPerSecond,
    startMs: startMs - visitMs * pace * 8,
    steady: settings.steady ?? false,
  }
  const kinds = users.map(({ isMobile }, i) => ({
    returning: loyalty?.isReturning[i] === 1,
    mobile: realistic && isMobile,
  }))
  const honestPerSecond = visitsPerSecond * (perVisit.get(transactions.topic) ?? 0)
  const thieves =
    fraudShare === 0
      ? null
      : letSteal(random.fork('fraud'), floor, here, sentBack, {
          share: fraudShare,
          honestPerSecond,
          topic: transactions.topic,
        })
  letVisit(random, floor, chain, here, {
    arrivals: arrivalSettings,
    pace,
    logins: realistic,
    weights: loyalty?.weights ?? null,
    classOf: (user) => kinds[user]!,
    onPaid: (paid, approved) => {
      if (approved) sentBack.consider(paid)
      if (paid.atMs >= startMs) thieves?.honest(paid.atMs)
    },
  })
  if (botShare > 0) {
    const ratePerSecond = (visitsPerSecond * botShare) / (1 - botShare)
    const comeMs = startMs - botSessionMsMax * pace
    letBots(
      random.fork('bots'),
      floor,
      here,
      { ...arrivalSettings, ratePerSecond, startMs: comeMs },
      pace,
      userEvents.topic,
    )
  }
  if (realistic) letShrink(random, floor, inventoryUpdates.topic)
  const nobody: RecordSink = { record: () => {} }
  while (agenda.nextMs < startMs) agenda.step(nobody)
  return traffic(agenda)
}

function tellPrices(floor: Floor): Parameters<typeof movingPrices>[3] {
  let changes = 0
  const idOf = (number: number): string => `PROMO-${String(number).padStart(5, '0')}`
  const time = (ms: number): string => instantText(Math.floor(ms), true)
  return {
    price({ product, oldMinor, newMinor, reason, promotion }, atMs) {
      const { id } = storeProducts[product]!
      const value = {
        price_change_id: `PRICE-${String(++changes).padStart(6, '0')}`,
        product_id: id,
        old_price: oldMinor / 100,
        new_price: newMinor / 100,
        reason,
        promotion_id: promotion === null ? null : idOf(promotion.number),
        timestamp: time(atMs),
      }
      floor.side(priceChanges.topic, id, value, atMs)
    },
    promotion({ number, product, kind, percent, startMs, endMs }, atMs) {
      const { id } = storeProducts[product]!
      const value = {
        promotion_id: idOf(number),
        product_id: id,
        kind,
        discount_percent: percent,
        starts_at: time(startMs),
        ends_at: time(endMs),
      }
      floor.side(promotions.topic, id, value, atMs)
    },
  }
}
