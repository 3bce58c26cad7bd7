// Traffic of the small store: visitors look, search, fill carts and pay; what they buy leaves the stock. `user-events`,
// `transactions` and `inventory-updates` are views of this one world: the same seed, start and number of visits give the
// same facts, whichever of the topics are asked for.
import { randomStream } from '../std/random.ts'
import { Agenda } from './agenda.ts'
import { type ArrivalSettings, arrivals, jitterMs } from './arrivals.ts'
import { normal, weightedChoice } from './distributions.ts'
import type { RecordSink } from './sink.ts'
import { type StoreUser, storeProducts, storeProductWeights, storeUserCount, storeUsers } from './store-data.ts'
import { type Expected, funnel, type Profile, type Step } from './store-funnel.ts'
import {
  type Item,
  productKeys,
  StoreRecords,
  sessionTail,
  storeTopics,
  type UserParts,
  userParts,
} from './store-records.ts'
import { holdMsFor, openStock, type Shelf } from './store-stock.ts'
import { type Traffic, type TrafficSettings, traffic } from './traffic.ts'

export interface StoreSettings extends TrafficSettings {
  /** `documents` by default. */
  readonly profile?: Profile
  /** Only these topics are handed over, and `ratePerSecond` counts their records; all three by default. */
  readonly topics?: readonly string[]
}

const thinkMedianMs = 25_000
const thinkSigma = 1.1
/** A visitor who thinks for longer would be another session. */
const thinkMsMax = 25 * 60_000
const thinkMeanMs = thinkMedianMs * Math.exp(thinkSigma ** 2 / 2)
/** More visitors at once than this share of the users do not fit: the pace is quickened instead. */
const visitorsAtOnceMax = storeUserCount * 0.3
/** Inventory updates for one purchase in the `documents` profile: 0.67/s beside 1/s. One update then tells several sales. */
const updatesPerPurchase = 0.67
const quantityShares = [0.85, 0.11, 0.04]
const quantityMean = quantityShares.reduce((sum, share, more) => sum + share * (more + 1), 0)
const itemsMax = 5
const companionShare = 0.6
const leadMedianSeconds = 1_200
const leadSigma = 0.6

/** Records of each topic for one visit, in the mean. */
export function storeRecordsPerVisit(profile: Profile): ReadonlyMap<string, number> {
  return recordsPerVisit(profile, funnel(profile).expected)
}
function recordsPerVisit(profile: Profile, expected: Expected): ReadonlyMap<string, number> {
  const { searches, views, carts, purchases, items } = expected
  const updates = profile === 'documents' ? purchases * updatesPerPurchase : items
  const [events = '', bought = '', stock = ''] = storeTopics
  return new Map([
    [events, searches + views + carts],
    [bought, purchases],
    [stock, updates],
  ])
}

interface Visit {
  readonly user: number
  readonly tail: Uint8Array
  step: Step
  /** What the visitor looks at; a search leaves what was meant here. */
  product: number
  meant: boolean
  /** Was the look at it part of the traffic, or before its start? */
  told: boolean
  readonly basket: Item[]
}

/** The same seed and settings give the same bytes, however `produceUntil` is called. */
export function storeTraffic(seed: string, settings: StoreSettings): Traffic {
  const { startMs, profile = 'documents', topics = storeTopics } = settings
  const random = randomStream(seed).fork(`store/${startMs}`)
  const { expected, next } = funnel(profile)
  const perVisit = recordsPerVisit(profile, expected)
  const recordsOfVisit = topics.reduce((sum, topic) => sum + (perVisit.get(topic) ?? 0), 0)
  const visitsPerSecond = settings.ratePerSecond / recordsOfVisit
  const visitMs = expected.steps * thinkMeanMs
  const pace = Math.min(1, visitorsAtOnceMax / ((visitsPerSecond * visitMs) / 1_000))
  const purchasesPerSecond = visitsPerSecond * expected.purchases
  const holdMs =
    profile === 'documents'
      ? holdMsFor(purchasesPerSecond * (expected.items / expected.purchases), purchasesPerSecond * updatesPerPurchase)
      : 0

  const agenda = new Agenda<RecordSink>()
  const users = storeUsers(randomStream(seed).fork('store/users'))
  const parts: readonly UserParts[] = users.map(userParts)
  const visiting = new Uint8Array(users.length)
  const stock = openStock(random.fork('stock'), quantityMean * (expected.items / expected.purchases))
  const draw = random.fork('visits')
  const leads = random.fork('leads')
  const chooseProduct = weightedChoice(storeProductWeights)
  const chooseQuantity = weightedChoice(quantityShares)
  // Each topic has its own ids and delays, so that what is left out does not change the others.
  const writers = storeTopics.map((topic) => {
    const jitter = topic === storeTopics[2] ? null : random.fork(`${topic}/jitter`)
    return { topic, asked: topics.includes(topic), records: new StoreRecords(random.fork(`${topic}/ids`)), jitter }
  })
  const [events, bought, moved] = writers
  let visits = 0

  /** Hands a record over, now or when its delay is over. Whole ms; nothing from before the start. */
  const tell = (
    to: (typeof writers)[number] | undefined,
    atMs: number,
    sink: RecordSink,
    key: Uint8Array,
    write: (records: StoreRecords, eventMs: number) => Uint8Array,
  ): boolean => {
    if (to === undefined || !to.asked || atMs < startMs) return false
    const eventMs = Math.floor(atMs)
    const line = write(to.records, eventMs)
    const delayMs = to.jitter === null ? 0 : jitterMs(to.jitter)
    if (delayMs === 0) {
      sink.record(to.topic, key, line, eventMs)
      return true
    }
    const held = line.slice()
    agenda.put(eventMs + delayMs, (later, nowMs) => {
      later.record(to.topic, key, held, nowMs)
      return true
    })
    return false
  }
  const tellStock = (shelf: Shelf, change: number, atMs: number, sink: RecordSink): boolean =>
    tell(moved, atMs, sink, productKeys[shelf.product]!, (records, eventMs) =>
      records.stockChange(shelf.product, shelf.warehouse, change, shelf.stock, eventMs),
    )

  const ship = (shelf: Shelf, quantity: number, atMs: number, sink: RecordSink): boolean => {
    stock.ship(shelf, quantity)
    return tellStock(shelf, -quantity, atMs, sink)
  }
  /** Sales of a shelf that the next update will tell. */
  const gathered = new Map<Shelf, number>()
  const sell = (shelf: Shelf, quantity: number, atMs: number): void => {
    if (holdMs === 0) agenda.put(atMs, (sink, nowMs) => ship(shelf, quantity, nowMs, sink))
    else {
      const waiting = gathered.get(shelf)
      gathered.set(shelf, (waiting ?? 0) + quantity)
      if (waiting === undefined)
        agenda.put(atMs + holdMs, (sink, nowMs) => {
          const sold = gathered.get(shelf) ?? 0
          gathered.delete(shelf)
          return ship(shelf, sold, nowMs, sink)
        })
    }
    const wanted = stock.order(shelf)
    if (wanted === 0) return
    const leadMs = (leadMedianSeconds * Math.exp(leadSigma * normal(leads)) * 1_000) / purchasesPerSecond
    agenda.put(atMs + leadMs, (sink, nowMs) => {
      stock.receive(shelf, wanted)
      return tellStock(shelf, wanted, nowMs, sink)
    })
  }

  const pay = (visit: Visit, user: StoreUser, atMs: number, sink: RecordSink): boolean => {
    const sold: Item[] = []
    for (const item of visit.basket) {
      // What nobody has in stock is not sold.
      const shelf = stock.reserve(item.product, item.quantity, user.warehouse)
      if (shelf === null) continue
      sold.push(item)
      sell(shelf, item.quantity, atMs)
    }
    if (sold.length === 0) return false
    const who = parts[visit.user]!
    return tell(bought, atMs, sink, who.key, (records, eventMs) => records.transaction(who, sold, eventMs))
  }

  /** A product that goes with the basket; -1 if the one that came to mind is in it. */
  const companionOf = (visit: Visit): number => {
    const first = visit.basket[0]?.product ?? visit.product
    const one = draw.float() < companionShare ? storeProducts[first]!.companion : chooseProduct.pick(draw)
    return visit.basket.length >= itemsMax || visit.basket.some(({ product }) => product === one) ? -1 : one
  }

  const takeStep = (visit: Visit, atMs: number, sink: RecordSink): boolean => {
    const user = users[visit.user]!
    const who = parts[visit.user]!
    const told = atMs >= startMs
    switch (visit.step) {
      case 'search': {
        visit.product = chooseProduct.pick(draw)
        visit.meant = true
        const { queries } = storeProducts[visit.product]!
        const query = queries[draw.below(queries.length)]!
        return tell(events, atMs, sink, who.key, (records, ms) => records.searchEvent(who, query, visit.tail, ms))
      }
      case 'view':
      case 'companion-view': {
        if (visit.step === 'view' && !visit.meant) visit.product = chooseProduct.pick(draw)
        visit.meant = false
        visit.told = told
        return tell(events, atMs, sink, who.key, (records, ms) =>
          records.productEvent('view', who, visit.product, visit.tail, ms),
        )
      }
      case 'cart':
      case 'companion-cart': {
        // What lies in the cart from before stays there: this is what may be paid for.
        if (visit.step === 'cart') visit.basket.length = 0
        const quantity = chooseQuantity.pick(draw) + 1
        if (visit.told && told) visit.basket.push({ product: visit.product, quantity })
        return tell(events, atMs, sink, who.key, (records, ms) =>
          records.productEvent('cart', who, visit.product, visit.tail, ms),
        )
      }
      case 'paying':
        return pay(visit, user, atMs, sink)
      default:
        return false
    }
  }

  const goOn = (visit: Visit, sink: RecordSink, atMs: number): boolean => {
    const told = takeStep(visit, atMs, sink)
    let step = next(visit.step, draw)
    if (step === 'companion-view') {
      const companion = companionOf(visit)
      if (companion === -1) step = 'paying'
      else visit.product = companion
    }
    visit.step = step
    if (step === 'exit') visiting[visit.user] = 0
    else {
      const thinkMs = Math.min(thinkMsMax, thinkMedianMs * Math.exp(thinkSigma * normal(draw))) * pace
      agenda.put(atMs + thinkMs, (later, nowMs) => goOn(visit, later, nowMs))
    }
    return told
  }

  // Visitors who came before the start are in the middle of their visit when it comes.
  const warmMs = visitMs * pace * 8
  const arrivalSettings: ArrivalSettings = {
    ratePerSecond: visitsPerSecond,
    startMs: startMs - warmMs,
    steady: settings.steady ?? false,
  }
  const due = arrivals(random.fork('arrivals'), arrivalSettings)
  const come = (sink: RecordSink, atMs: number): boolean => {
    due.advance()
    agenda.put(due.nextMs, come)
    let user = draw.below(users.length)
    for (let i = 0; visiting[user] === 1 && i < users.length; i++) user = (user + 1) % users.length
    // Everybody is here already: nobody else can come.
    if (visiting[user] === 1) return false
    visiting[user] = 1
    visits++
    const tail = sessionTail(`session_${visits}`, users[user]!)
    const visit: Visit = { user, tail, step: 'landing', product: 0, meant: false, told: false, basket: [] }
    return goOn(visit, sink, atMs)
  }
  agenda.put(due.nextMs, come)
  const nobody: RecordSink = { record: () => {} }
  while (agenda.nextMs < startMs) agenda.step(nobody)

  return traffic(agenda)
}
