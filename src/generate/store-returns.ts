// What buyers of the store send back, and what goes missing from the shelves.
import { returns } from '../commerce/commerce.ts'
import { instantText } from '../std/instant.ts'
import type { RandomStream } from '../std/random.ts'
import { exponential, weightedChoice } from './distributions.ts'
import { storeProducts } from './store-data.ts'
import type { Floor, Paid } from './store-floor.ts'
import { refundMinor } from './store-records.ts'

const dayMs = 86_400_000
export const returnedShare = 0.05
const afterMs: readonly [number, number] = [3 * dayMs, 20 * dayMs]
const reasons = ['wrong_size', 'changed_mind', 'not_as_described', 'damaged', 'too_late']
const reasonWeights = [0.28, 0.27, 0.2, 0.15, 0.1]
/** One of a thousand pieces a week. */
const shrinkagePerWeek = 0.001
/** How often somebody looks for what is missing. */
const checkMs = 3_600_000

export interface Returns {
  /** Some of what was paid for comes back, days later. */
  consider(paid: Paid): void
  /** All of a purchase is claimed back at `atMs` for a reason; nothing need come back to the shelf. */
  claim(paid: Paid, reason: string, atMs: number): void
}

export function openReturns(random: RandomStream, floor: Floor): Returns {
  const draw = random.fork('returns')
  const chooseReason = weightedChoice(reasonWeights)
  let count = 0
  const tell = (paid: Paid, line: number, quantity: number, reason: string, atMs: number): void => {
    const item = paid.items[line]!
    const id = `RET-${String(++count).padStart(7, '0')}`
    const userId = floor.users[paid.user]!.id
    const value = {
      return_id: id,
      transaction_id: paid.transactionId,
      user_id: userId,
      product_id: storeProducts[item.product]!.id,
      quantity,
      refund_amount: refundMinor(item, quantity) / 100,
      reason,
      timestamp: instantText(Math.floor(atMs), true),
    }
    floor.side(returns.topic, userId, value, atMs)
  }
  return {
    consider(paid) {
      paid.items.forEach((item, line) => {
        if (draw.float() >= returnedShare) return
        const atMs = Math.floor(paid.atMs + afterMs[0] + (afterMs[1] - afterMs[0]) * draw.float())
        const quantity = 1 + draw.below(item.quantity)
        const reason = reasons[chooseReason.pick(draw)]!
        const shelf = paid.shelves[line]
        // Who pays before the start is nobody that anybody was told of.
        if (paid.transactionId === null || shelf == null) return
        floor.agenda.put(atMs, (_sink, nowMs) => {
          tell(paid, line, quantity, reason, nowMs)
          // What is damaged is not sold again.
          if (reason !== 'damaged') floor.restock(shelf, quantity, nowMs)
          return false
        })
      })
    },
    claim(paid, reason, atMs) {
      if (paid.transactionId === null) return
      floor.agenda.put(atMs, (_sink, nowMs) => {
        paid.items.forEach((item, line) => {
          if (item.product < storeProducts.length) tell(paid, line, item.quantity, reason, nowMs)
        })
        return false
      })
    },
  }
}

/** Lets pieces go missing from the shelves: each is told as a change of stock, and labelled. */
export function letShrink(random: RandomStream, floor: Floor, topic: string): void {
  const draw = random.fork('shrinkage')
  const { agenda, stock, startMs } = floor
  let missing = 0
  const check = (_sink: unknown, atMs: number): boolean => {
    agenda.put(atMs + checkMs, check)
    const pieces = stock.shelves.reduce((sum, shelf) => sum + shelf.stock, 0)
    const perMs = (pieces * shrinkagePerWeek) / (7 * dayMs)
    for (let nowMs = atMs + exponential(draw, perMs); nowMs < atMs + checkMs; nowMs += exponential(draw, perMs)) {
      const shelf = stock.shelves[draw.below(stock.shelves.length)]!
      agenda.put(nowMs, (_later, thenMs) => {
        if (shelf.stock - shelf.reserved < 1) return false
        const eventId = floor.restock(shelf, -1, thenMs)
        if (eventId === null) return false
        floor.truth(
          {
            id: `shrinkage/${++missing}`,
            kind: 'anomaly',
            scenario: 'shrinkage',
            topic,
            entityIds: [storeProducts[shelf.product]!.id],
            eventIds: [eventId],
            startMs: thenMs,
            endMs: thenMs,
            severity: 'low',
            outcome: 'nothing',
          },
          thenMs,
        )
        return false
      })
    }
    return false
  }
  agenda.put(startMs, check)
}
