// The Nexmark queries as Plans, and what each is in plain words; `sql.ts` has them in SQL by hand.
import { contract, field } from '../../src/query/contract.ts'
import type { Plan } from '../../src/query/plan.ts'
import { argmax, count, from, hopping, max, min, seconds, session, tumbling } from '../../src/query/query.ts'
import type { NexmarkTopic } from './traffic.ts'

const int = { kind: 'int64' } as const
const text = { kind: 'string' } as const
const time = { kind: 'timestamp' } as const
const common = { version: 1, partitions: 1, outOfOrderMs: 2000, idleTimeoutMs: 30_000, futureLimitMs: 60_000 } as const

export const persons = contract({
  ...common,
  topic: 'persons',
  key: 'id',
  eventTime: 'at',
  doc: 'Who joins the auction house.',
  fields: {
    id: field(int, 'person'),
    name: field(text, 'first and last'),
    email: field(text, 'address'),
    city: field(text, 'where'),
    state: field(text, 'where'),
    at: field(time, 'when'),
    extra: field(text, 'padding'),
  },
})
export const auctions = contract({
  ...common,
  topic: 'auctions',
  key: 'id',
  eventTime: 'at',
  doc: 'What is put up for sale.',
  fields: {
    id: field(int, 'auction'),
    item: field(text, 'what'),
    initial_bid: field(int, 'cents'),
    reserve: field(int, 'cents'),
    at: field(time, 'when'),
    expires: field(time, 'when it ends'),
    seller: field(int, 'person'),
    category: field(int, 'kind of item'),
    extra: field(text, 'padding'),
  },
})
export const bids = contract({
  ...common,
  topic: 'bids',
  key: 'auction',
  eventTime: 'at',
  doc: 'Who bids what.',
  fields: {
    auction: field(int, 'on what'),
    bidder: field(int, 'person'),
    price: field(int, 'cents'),
    channel: field(text, 'by which way'),
    url: field(text, 'page'),
    at: field(time, 'when'),
    extra: field(text, 'padding'),
  },
})

export const nexmarkNames = ['q0', 'q1', 'q2', 'q5', 'q7', 'q8', 'q11'] as const
export type NexmarkName = (typeof nexmarkNames)[number]
export interface NexmarkQuery {
  readonly title: string
  readonly reads: readonly NexmarkTopic[]
  readonly plan: Plan
}

const perAuction = from(bids)
  .window(hopping({ sizeMs: seconds(10), slideMs: seconds(2) }))
  .groupBy('auction')
  .aggregate(() => ({ num: count() }))

export const nexmarkQueries: Readonly<Record<NexmarkName, NexmarkQuery>> = {
  q0: {
    title: 'every bid as it is',
    reads: ['bids'],
    plan: from(bids)
      .select('auction', 'bidder', 'price', 'at', 'extra')
      .output({ times: 'epoch-milliseconds' })
      .named('nexmark-q0'),
  },
  q1: {
    title: 'every bid in another currency (0.908, in thousandths of it)',
    reads: ['bids'],
    plan: from(bids)
      .derive((bid) => ({ thousandths: bid.price.times(908) }))
      .select('auction', 'bidder', 'thousandths', 'at', 'extra')
      .output({ times: 'epoch-milliseconds' })
      .named('nexmark-q1'),
  },
  q2: {
    title: 'bids on every 123rd auction',
    reads: ['bids'],
    plan: from(bids)
      .filter((bid) => bid.auction.modulo(123).equals(0))
      .select('auction', 'price')
      .named('nexmark-q2'),
  },
  q5: {
    title: 'the auction with most bids in the last 10 s, every 2 s',
    reads: ['bids'],
    plan: perAuction.top({ rows: 1, by: 'num' }).output({ times: 'epoch-milliseconds' }).named('nexmark-q5'),
  },
  q7: {
    title: 'the highest bid of each 10 s',
    reads: ['bids'],
    plan: from(bids)
      .window(tumbling({ sizeMs: seconds(10) }))
      .aggregate((bid) => ({
        price: max(bid.price),
        auction: argmax(bid.auction, bid.price),
        bidder: argmax(bid.bidder, bid.price),
      }))
      .output({ times: 'epoch-milliseconds' })
      .named('nexmark-q7'),
  },
  q8: {
    title: 'who joined and opened auctions within the same 10 s',
    reads: ['persons', 'auctions'],
    plan: from(persons)
      .window(tumbling({ sizeMs: seconds(10) }))
      .groupBy('id', 'name')
      .aggregate(() => ({ joined: count() }))
      .join(
        from(auctions)
          .window(tumbling({ sizeMs: seconds(10) }))
          .groupBy('seller')
          .aggregate(() => ({ opened: count() })),
        { side: 'inner', on: { id: 'seller' } },
      )
      .output({ times: 'epoch-milliseconds' })
      .named('nexmark-q8'),
  },
  q11: {
    title: "bids of each bidder's visits, apart by 10 s of silence",
    reads: ['bids'],
    plan: from(bids)
      .window(session({ gapMs: seconds(10) }))
      .groupBy('bidder')
      .aggregate((bid) => ({ num: count(), first: min(bid.at), last: max(bid.at) }))
      .output({ times: 'epoch-milliseconds' })
      .named('nexmark-q11'),
  },
}
