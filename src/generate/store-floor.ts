// The floor of the store, where everybody meets: it takes payments, keeps the stock, and tells each fact on its topic.
// Visitors, bots and thieves act on it; nothing gets past it untold.
import { groundTruth } from '../commerce/commerce.ts'
import { instantText } from '../std/instant.ts'
import type { RandomStream } from '../std/random.ts'
import { Agenda } from './agenda.ts'
import { jitterMs } from './arrivals.ts'
import { normal, weightedChoice } from './distributions.ts'
import { fragment } from './line-writer.ts'
import type { RecordSink } from './sink.ts'
import { type StoreUser, storeProductWeights } from './store-data.ts'
import { fixedPrices, type StorePrices } from './store-prices.ts'
import { giftCredit, type Item, idOf, type Payment, productKeys, StoreRecords, storeTopics } from './store-records.ts'
import type { Shelf, Stock } from './store-stock.ts'

const leadMedianSeconds = 1_200
const leadSigma = 0.6

export interface FloorSettings {
  readonly startMs: number
  /** What is handed over. */
  readonly topics: readonly string[]
  readonly purchasesPerSecond: number
  /** For how long an update of stock gathers sales. */
  readonly holdMs: number
}
export interface FloorParts {
  readonly users: readonly StoreUser[]
  readonly stock: Stock
}
/** A payment that went through, or did not. */
export interface Paid {
  /** Null: nobody was told, because it was before the start. */
  readonly transactionId: string | null
  readonly user: number
  readonly atMs: number
  /** What left the stock; of a declined payment what was asked for. */
  readonly items: readonly Item[]
  readonly shelves: readonly (Shelf | null)[]
  /** Was the record handed over at once? */
  readonly told: boolean
}
export interface Truth {
  readonly id: string
  readonly kind: 'fraud' | 'bot' | 'anomaly'
  readonly scenario: string
  readonly topic: string
  readonly entityIds: readonly string[]
  readonly eventIds: readonly string[]
  readonly startMs: number
  readonly endMs: number
  readonly severity: 'low' | 'medium' | 'high' | 'critical'
  readonly outcome: string
}
export type ActKind = 'view' | 'cart' | 'search' | 'login' | 'login_failed'
export interface Act {
  readonly kind: ActKind
  readonly user: number
  /** Of views and carts. */
  readonly product: number
  readonly query: string
  readonly tail: Uint8Array
}

export interface Floor {
  readonly startMs: number
  readonly agenda: Agenda<RecordSink>
  readonly users: readonly StoreUser[]
  readonly stock: Stock
  readonly prices: StorePrices
  /** Prices are those of the catalogue until this is called. */
  usePrices(prices: StorePrices): void
  /** A product as visitors want them now. */
  product(random: RandomStream): number
  key(user: number): Uint8Array
  /** Is it told on any topic? What is not need not be made. */
  tells(topic: string): boolean
  /** Tells what a visitor does; true if the record was handed over at once. */
  act(act: Act, atMs: number, sink: RecordSink): boolean
  /** The id of what was last told by `act`; null if that was nothing. */
  lastEventId(): string | null
  /** Null: nothing of it is in stock. A declined payment takes nothing. */
  pay(user: number, wanted: readonly Item[], payment: Payment, atMs: number, sink: RecordSink): Paid | null
  /** Pieces that come without a sale (> 0) or go without one (< 0); gives the id of the update, if it is told. */
  restock(shelf: Shelf, change: number, atMs: number): string | null
  /** A record of one of the topics beside, at `atMs`. */
  side(topic: string, key: string, value: object, atMs: number): void
  truth(truth: Truth, atMs: number): void
}

export function openFloor(random: RandomStream, parts: FloorParts, settings: FloorSettings): Floor {
  const { users, stock } = parts
  const { startMs, topics, holdMs, purchasesPerSecond } = settings
  const agenda = new Agenda<RecordSink>()
  const leads = random.fork('leads')
  const labelled = topics.includes(groundTruth.topic)
  // Each topic has its own ids and delays, so that what is left out does not change the others.
  const writers = storeTopics.map((topic) => {
    const jitter = topic === storeTopics[2] ? null : random.fork(`${topic}/jitter`)
    const asked = topics.includes(topic)
    // A label names records by their ids, so they are made even where nobody gets them.
    return { topic, asked, made: asked || labelled, records: new StoreRecords(random.fork(`${topic}/ids`)), jitter }
  })
  type Writer = (typeof writers)[number]
  const [events, bought, moved] = writers
  const keys: (Uint8Array | undefined)[] = new Array(users.length).fill(undefined)
  let last: Uint8Array | null = null
  let choice = weightedChoice(storeProductWeights)
  let prices = fixedPrices()

  /** Hands a record over, now or when its delay is over. Whole ms; nothing from before the start. */
  const tell = (
    to: Writer | undefined,
    atMs: number,
    sink: RecordSink | null,
    key: Uint8Array,
    write: (records: StoreRecords, eventMs: number) => Uint8Array,
  ): boolean => {
    last = null
    if (to === undefined || !to.made || atMs < startMs) return false
    const eventMs = Math.floor(atMs)
    const line = write(to.records, eventMs)
    last = line
    const delayMs = to.jitter === null ? 0 : jitterMs(to.jitter)
    if (!to.asked) return false
    if (delayMs === 0 && sink !== null) {
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
  const tellStock = (shelf: Shelf, change: number, atMs: number, sink: RecordSink | null): boolean =>
    tell(moved, atMs, sink, productKeys[shelf.product]!, (records, eventMs) =>
      records.stockChange(shelf.product, shelf.warehouse, change, shelf.stock, eventMs),
    )
  const ship = (shelf: Shelf, quantity: number, atMs: number, sink: RecordSink): boolean => {
    stock.ship(shelf, quantity)
    return tellStock(shelf, -quantity, atMs, sink)
  }
  const orderMore = (shelf: Shelf, atMs: number): void => {
    const wanted = stock.order(shelf)
    if (wanted === 0) return
    const leadMs = (leadMedianSeconds * Math.exp(leadSigma * normal(leads)) * 1_000) / purchasesPerSecond
    agenda.put(atMs + leadMs, (sink, nowMs) => {
      stock.receive(shelf, wanted)
      return tellStock(shelf, wanted, nowMs, sink)
    })
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
    orderMore(shelf, atMs)
  }

  const floor: Floor = {
    startMs,
    agenda,
    users,
    stock,
    get prices() {
      return prices
    },
    usePrices(given) {
      prices = given
      given.onDemand = () => {
        choice = weightedChoice(storeProductWeights.map((weight, i) => weight * prices.demand[i]!))
      }
    },
    product: (draw) => choice.pick(draw),
    key(user) {
      const key = keys[user] ?? fragment(users[user]!.id)
      keys[user] = key
      return key
    },
    tells: (topic) => topics.includes(topic),
    act({ kind, user, product, query, tail }, atMs, sink) {
      const key = floor.key(user)
      return tell(events, atMs, sink, key, (records, eventMs) =>
        kind === 'search'
          ? records.searchEvent(key, query, tail, eventMs)
          : kind === 'view' || kind === 'cart'
            ? records.productEvent(kind, key, product, prices.minor[product]!, tail, eventMs)
            : records.loginEvent(kind, key, tail, eventMs),
      )
    },
    lastEventId: () => (last === null ? null : idOf(last)),
    pay(user, wanted, payment, atMs, sink) {
      const items: Item[] = []
      const shelves: (Shelf | null)[] = []
      for (const item of wanted) {
        const isTaken = payment.status === 'approved' && item.product !== giftCredit
        // What nobody has in stock is not sold.
        const shelf = isTaken ? stock.reserve(item.product, item.quantity, users[user]!.warehouse) : null
        if (isTaken && shelf === null) continue
        items.push(item)
        shelves.push(shelf)
        if (shelf !== null) sell(shelf, item.quantity, atMs)
      }
      if (items.length === 0) return null
      const key = floor.key(user)
      const told = tell(bought, atMs, sink, key, (records, eventMs) =>
        records.transaction(key, items, payment, eventMs),
      )
      return { transactionId: floor.lastEventId(), user, atMs: Math.floor(atMs), items, shelves, told }
    },
    restock(shelf, change, atMs) {
      stock.adjust(shelf, change)
      tellStock(shelf, change, atMs, null)
      if (change < 0) orderMore(shelf, atMs)
      return floor.lastEventId()
    },
    side(topic, key, value, atMs) {
      if (!topics.includes(topic) || atMs < startMs) return
      const keyBytes = fragment(key)
      const line = fragment(JSON.stringify(value))
      agenda.put(Math.floor(atMs), (sink, nowMs) => {
        sink.record(topic, keyBytes, line, nowMs)
        return true
      })
    },
    truth(truth, atMs) {
      if (!labelled) return
      const time = (ms: number): string => instantText(Math.floor(ms), true)
      const value = {
        truth_id: truth.id,
        kind: truth.kind,
        scenario: truth.scenario,
        topic: truth.topic,
        entity_ids: truth.entityIds,
        event_ids: truth.eventIds,
        field: null,
        start: time(truth.startMs),
        end: time(truth.endMs),
        severity: truth.severity,
        injected_at: time(atMs),
        expected_outcome: truth.outcome,
      }
      floor.side(groundTruth.topic, truth.id, value, atMs)
    },
  }
  return floor
}
