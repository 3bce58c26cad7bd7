// The thieves of the store: campaigns of payments that nobody should have let through, each labelled with all its payments,
// and the chargebacks that follow days later.
import { chargebacks } from '../commerce/commerce.ts'
import { instantText } from '../std/instant.ts'
import type { RandomStream } from '../std/random.ts'
import type { RecordSink } from './sink.ts'
import {
  type Campaign,
  type Charge,
  drawCampaign,
  type FraudKind,
  fraudKinds,
  paymentsPerCampaign,
} from './store-campaigns.ts'
import type { Floor, Paid } from './store-floor.ts'
import { bill, sessionTail } from './store-records.ts'
import type { Returns } from './store-returns.ts'
import type { Presence } from './store-visits.ts'

const dayMs = 86_400_000
/** Shares of all fraudulent payments. */
export const fraudShares: Readonly<Record<FraudKind, number>> = {
  'card-testing': 0.35,
  'account-takeover': 0.2,
  ring: 0.25,
  'compromised-seller': 0.12,
  'refund-abuse': 0.08,
}
/** The longest campaign, so that those that began before the start are there. */
const longestMs = 28 * dayMs
/** But no more fraud than this is made up for before the start: a busy store is given less of a past. */
const paymentsBeforeMax = 3_000
/** For how long they look around before they pay, at most. */
const lookingMsMax = 120_000
/** A card's holder sees it, and says so, days later. Small payments are overlooked by some. */
const chargebackMs: readonly [number, number] = [dayMs, 7 * dayMs]
const smallMinor = 10_00
const smallSeenShare = 0.5

export interface FraudSettings {
  /** Of all payments. */
  readonly share: number
  /** Honest payments a second, in the mean: for what has begun before the start. */
  readonly honestPerSecond: number
  readonly topic: string
}
export interface Fraud {
  /** An honest payment was made: so often as the share asks, a campaign begins. */
  honest(atMs: number): void
}

/** Lets thieves come to the floor, for ever. They come in sessions like everybody. */
export function letSteal(
  random: RandomStream,
  floor: Floor,
  here: Presence,
  returns: Returns,
  settings: FraudSettings,
): Fraud {
  const { agenda, startMs } = floor
  const draw = random.fork('fraud')
  const late = random.fork('chargebacks')
  const paces = random.fork('paces')
  /** Honest payments for one payment of each kind. */
  const honestFor = (kind: FraudKind): number => (1 - settings.share) / (settings.share * fraudShares[kind])
  let campaigns = 0
  let charged = 0

  const chargeBack = (paid: Paid, totalMinor: number): void => {
    const afterMs = Math.floor(chargebackMs[0] + (chargebackMs[1] - chargebackMs[0]) * late.float())
    if (totalMinor < smallMinor && late.float() >= smallSeenShare) return
    const { transactionId } = paid
    if (transactionId === null) return
    agenda.put(paid.atMs + afterMs, (_sink, nowMs) => {
      const id = `CB-${String(++charged).padStart(7, '0')}`
      const userId = floor.users[paid.user]!.id
      const value = {
        chargeback_id: id,
        transaction_id: transactionId,
        user_id: userId,
        amount: totalMinor / 100,
        reason: 'fraudulent',
        transaction_timestamp: instantText(paid.atMs, true),
        timestamp: instantText(Math.floor(nowMs), true),
      }
      floor.side(chargebacks.topic, userId, value, nowMs)
      return false
    })
  }

  const run = (campaign: Campaign, number: number): void => {
    const eventIds: string[] = []
    const users = new Set<string>()
    let firstMs = 0
    const charge = (one: Charge, sessionId: string, sink: RecordSink, atMs: number): boolean => {
      const items = one.items.map((item) => ({
        ...item,
        priceMinor: item.priceMinor ?? floor.prices.minor[item.product]!,
      }))
      const paid = floor.pay(one.user, items, { ...one.payment, sessionId }, atMs, sink)
      if (paid === null || paid.transactionId === null) return paid?.told ?? false
      if (eventIds.length === 0) firstMs = paid.atMs
      eventIds.push(paid.transactionId)
      users.add(floor.users[one.user]!.id)
      floor.truth(
        {
          id: `fraud/${number}`,
          kind: 'fraud',
          scenario: campaign.kind,
          topic: settings.topic,
          entityIds: [...users, ...campaign.entities],
          eventIds: [...eventIds],
          startMs: firstMs,
          endMs: paid.atMs,
          severity: campaign.severity,
          outcome: 'alert',
        },
        paid.atMs,
      )
      if (one.payment.status === 'declined') return paid.told
      if (campaign.kind === 'refund-abuse') returns.claim(paid, 'not_received', paid.atMs + one.claimAfterMs)
      else {
        const { subtotalMinor, taxMinor, shippingMinor } = bill(paid.items)
        chargeBack(paid, subtotalMinor + taxMinor + shippingMinor)
      }
      return paid.told
    }
    /** Programs that try cards pay at once; all others look and fill a cart first. */
    const come = (one: Charge): void => {
      const sessionId = here.session()
      const tail = sessionTail(sessionId, { ...one.payment, userAgent: one.userAgent })
      const { product } = one.items[0]!
      const act = (kind: 'view' | 'cart', beforeMs: number): void =>
        agenda.put(one.atMs - beforeMs, (sink, nowMs) =>
          floor.act({ kind, user: one.user, product, query: '', tail }, nowMs, sink),
        )
      if (campaign.kind !== 'card-testing') {
        act('view', (0.5 + 0.5 * paces.float()) * lookingMsMax)
        act('cart', (0.2 + 0.3 * paces.float()) * lookingMsMax)
      }
      agenda.put(one.atMs, (sink, nowMs) => charge(one, sessionId, sink, nowMs))
    }
    for (const one of campaign.charges) if (one.atMs >= startMs) come(one)
  }
  /** Begins one, and says how many honest payments belong to it: half to one and a half times its share. */
  const begin = (kind: FraudKind, atMs: number): number => {
    const number = ++campaigns
    // Each has its own stream: how long one is does not change the others.
    const campaign = drawCampaign(kind, draw.fork(String(number)), floor.users, atMs + lookingMsMax)
    run(campaign, number)
    return campaign.charges.length * honestFor(kind) * (0.5 + draw.float())
  }
  const fraudPerMs = (settings.honestPerSecond * settings.share) / (1 - settings.share) / 1_000
  const beforeMs = Math.min(longestMs, paymentsBeforeMax / fraudPerMs)
  const left = fraudKinds.map((kind) => {
    let atMs = startMs - beforeMs
    const toMs = (honest: number): number => (honest / settings.honestPerSecond) * 1_000
    atMs += toMs(paymentsPerCampaign[kind] * honestFor(kind) * draw.float())
    while (atMs < startMs) atMs += toMs(begin(kind, atMs))
    return ((atMs - startMs) / 1_000) * settings.honestPerSecond
  })
  return {
    honest(atMs) {
      for (let i = 0; i < left.length; i++) {
        left[i]!--
        while (left[i]! <= 0) left[i]! += begin(fraudKinds[i]!, atMs)
      }
    },
  }
}
