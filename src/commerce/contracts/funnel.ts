// What a `funnel` record promises: how many sessions that began to look in a window went on to cart and purchase (E4).
import { contract, field, nullable } from '../../query/contract.ts'

const text = { kind: 'string' } as const
const number = { kind: 'float64' } as const
const whole = { kind: 'int64' } as const

export const funnel = contract({
  topic: 'funnel',
  version: 1,
  partitions: 1,
  key: 'funnel_id',
  eventTime: 'window_end',
  identity: 'funnel_id',
  outOfOrderMs: 7_200_000,
  idleTimeoutMs: 30_000,
  futureLimitMs: 7_200_000,
  origin: 'result',
  fields: {
    funnel_id: field(text, 'Size, window and category. Later records of it replace earlier ones.'),
    window_start: field({ kind: 'timestamp' }, 'Of the first view, by which a session belongs to the window.'),
    window_end: field({ kind: 'timestamp' }, 'First moment after the window.'),
    size_seconds: field(whole, '30 or 3600.'),
    category: nullable(text, 'Only acts on products of it; null: all.'),
    entered: field(whole, 'Sessions with their first view in the window.'),
    carted: field(whole, 'Of them, those that put something into the cart within the conversion window.'),
    purchased: field(whole, 'Of those, the ones that paid after it, still within the conversion window.'),
    cart_rate: nullable(number, 'carted / entered.'),
    purchase_rate: nullable(number, 'purchased / carted.'),
    conversion: nullable(number, 'purchased / entered.'),
    cart_drop_off: nullable(number, '1 - cart_rate.'),
    purchase_drop_off: nullable(number, '1 - purchase_rate.'),
    median_seconds: nullable(number, 'From first view to purchase, the middle one of those that paid.'),
    mean_seconds: nullable(number, 'The same, in the mean.'),
    conversion_window_seconds: field(whole, 'What comes later than this after the first view does not count.'),
    is_final: field({ kind: 'bool' }, 'The conversion window of all its sessions is over.'),
  },
  doc: 'Views to cart to purchase, by session: how many, how fast, where they leave, per half minute and hour, in all and by category.',
})
