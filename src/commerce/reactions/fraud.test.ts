// E6 by cases: each scheme is told with its reason, an ordinary week is not; labels move the model a week later, never before;
// costs decide; the state survives JSON and is bounded.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ReactionValue } from '../../query/reaction.ts'
import { type FraudState, fraudMonitor, fraudPlans, fraudScoresTopic } from './fraud.ts'
import { awaitLabel, due, labelDelayMs, newLabelQueue, takenBack, waitingMax } from './fraud-labels.ts'
import { expectedLoss, fraudCosts } from './fraud-telling.ts'
import { orderFraudMonitor, orderVelocityPlan } from './order-fraud.ts'

const dayMs = 86_400_000
const startMs = Date.UTC(2026, 0, 7, 12)
type Values = Record<string, ReactionValue>
type Told = Readonly<Record<string, unknown>>

/** A payment of a buyer as usual; figures of velocity are those of a single one unless given. */
function payment(id: string, atMs: number, more: Values = {}): Values {
  return {
    timestamp: atMs,
    transaction_id: id,
    user_id: 'U1',
    total_amount: 80_00,
    payment_method: 'credit_card',
    status: 'approved',
    ip_address: '10.0.0.1',
    device_id: 'D1',
    card_fingerprint: '400000-a',
    billing_country: 'US',
    shipping_country: 'US',
    ip_country: 'US',
    seller: 'S1',
    street: '1 Oak',
    zip: '1',
    user_count_1m: 1,
    user_count_1h: 1,
    user_sum_1h: 80_00,
    user_declined_1h: 0,
    user_count_24h: 1,
    user_sum_24h: 80_00,
    user_addresses_24h: 1,
    card_count_1h: 1,
    card_small_1h: 0,
    card_declined_1h: 0,
    card_users_1h: 1,
    device_count_1h: 1,
    device_small_1h: 0,
    device_cards_1h: 1,
    device_cards_24h: 1,
    device_users_24h: 1,
    ip_count_1h: 1,
    ip_users_1h: 1,
    ip_cards_1h: 1,
    address_users_24h: 1,
    user_spent_30d: 400,
    user_paid_30d: 5,
    ...more,
  }
}
function monitor() {
  const reaction = fraudMonitor()
  let state: FraudState = reaction.initial()
  const alerts: Told[] = []
  const scores: Told[] = []
  const row = (plan: string, values: Values): void =>
    reaction.step(
      state,
      { kind: 'row', plan, values, timing: 'on-time', final: true, weight: 1, evidence: [] },
      (topic, _key, value) => (topic === fraudScoresTopic ? scores : alerts).push(value ?? {}),
    )
  return {
    alerts,
    scores,
    get state() {
      return state
    },
    pay: (id: string, atMs: number, more: Values = {}) => row(fraudPlans.payments, payment(id, atMs, more)),
    row,
    /** As a restart would. */
    restart() {
      state = JSON.parse(JSON.stringify(state))
    },
    usual(days: number) {
      for (let i = 0; i < days; i++) row(fraudPlans.payments, payment(`usual-${i}`, startMs + i * dayMs))
    },
  }
}
const reasonsOf = (told: Told | undefined): readonly unknown[] => {
  const { reasons } = told ?? {}
  return Array.isArray(reasons) ? reasons : []
}

describe('E6: payments', () => {
  test('a buyer as usual is told of by nobody', () => {
    const one = monitor()
    one.usual(20)
    assert.deepEqual(one.alerts, [])
    assert.ok(one.scores.every(({ score }) => Number(score) < 0.02))
  })
  const schemes: readonly (readonly [string, string, Values])[] = [
    [
      'a card that is tested',
      'small_burst',
      {
        total_amount: 3_00,
        card_small_1h: 9,
        device_small_1h: 9,
        card_count_1h: 9,
        device_id: 'T',
        card_fingerprint: 'x',
        device_cards_1h: 8,
        device_cards_24h: 8,
        ip_cards_1h: 8,
      },
    ],
    ['small charges, then a big one', 'ladder', { total_amount: 600_00, card_small_1h: 8, card_count_1h: 9 }],
    [
      'declines, then a big one',
      'ladder',
      { total_amount: 600_00, user_declined_1h: 5, card_declined_1h: 5, device_cards_1h: 4, device_cards_24h: 4 },
    ],
    [
      'an account that is taken over',
      'takeover',
      {
        device_id: 'D9',
        ip_country: 'RU',
        shipping_country: 'RU',
        street: '9 Elm',
        total_amount: 900_00,
        user_spent_30d: 1_220,
      },
    ],
    ['many accounts at one address and device', 'device_users', { device_users_24h: 6, address_users_24h: 6 }],
  ]
  for (const [name, reason, values] of schemes)
    test(`${name} is told, with ${reason} and the values used`, () => {
      const one = monitor()
      one.usual(5)
      one.pay('bad', startMs + 5 * dayMs, values)
      const [alert, ...more] = one.alerts
      assert.equal(more.length, 0)
      assert.ok(reasonsOf(alert).includes(reason), JSON.stringify(alert))
      assert.equal(alert?.order_id, 'bad')
      assert.ok(Number(alert?.score) > 0.1 && Number(alert?.score) <= 1, JSON.stringify(alert))
      assert.match(String(alert?.sentence), /^FRAUD SUSPECTED: transaction bad of U1, \d+\.\d\d: \d+(\.\d)? % likely: /)
    })
  test('several alerts of one card are one case', () => {
    const one = monitor()
    for (let i = 0; i < 6; i++)
      one.pay(`t${i}`, startMs + i * 60_000, {
        total_amount: 2_00,
        card_small_1h: 8 + i,
        device_small_1h: 8 + i,
        card_count_1h: 8 + i,
        user_count_1h: 8 + i,
        device_cards_1h: 8,
        ip_cards_1h: 8,
      })
    assert.ok(one.alerts.length > 1)
    assert.equal(new Set(one.alerts.map(({ case_id }) => case_id)).size, 1)
    one.pay('much later', startMs + 3 * dayMs, {
      total_amount: 2_00,
      card_small_1h: 9,
      device_small_1h: 9,
      card_count_1h: 9,
      user_count_1h: 9,
      device_cards_1h: 8,
      ip_cards_1h: 8,
    })
    assert.equal(new Set(one.alerts.map(({ case_id }) => case_id)).size, 2)
  })
  test('a look must be worth it: probability times loss against its cost', () => {
    assert.ok(expectedLoss({ probability: 0.01, amount: 30 }, fraudCosts) < fraudCosts.review)
    assert.ok(expectedLoss({ probability: 0.01, amount: 900 }, fraudCosts) > fraudCosts.review)
  })
  test('a missing device, card or address is not one that all share', () => {
    const one = monitor()
    const nobody = { device_id: null, card_fingerprint: null, ip_address: null, street: null, zip: null }
    one.pay('a', startMs, {
      ...nobody,
      device_users_24h: 500,
      device_cards_24h: 90,
      card_small_1h: 99,
      ip_users_1h: 99,
    })
    assert.deepEqual(one.alerts, [])
  })
})

describe('E6: labels come a week late', () => {
  test('the model does not move before the week of a payment is over, whatever is taken back', () => {
    const one = monitor()
    one.usual(6)
    const before = [...one.state.model.weights]
    one.row(fraudPlans.chargebacks, {
      timestamp: startMs + 6 * dayMs,
      transaction_id: 'usual-2',
      user_id: 'U1',
      amount: 8000,
    })
    one.pay('next', startMs + 6 * dayMs + 1)
    assert.deepEqual(one.state.model.weights, before)
    assert.equal(one.state.model.examples, 0)
    one.pay('later', startMs + 2 * dayMs + labelDelayMs + 1)
    assert.equal(one.state.model.positives, 1)
    assert.equal(one.state.model.examples, 3)
    assert.notDeepEqual(one.state.model.weights, before)
  })
  test('a seller whose payments are taken back is a risk from then on', () => {
    const one = monitor()
    for (let i = 0; i < 30; i++)
      one.pay(`p${i}`, startMs + i * 3_600_000, {
        user_id: `U${i}`,
        device_id: `D${i}`,
        card_fingerprint: `c${i}`,
        street: `${i} Oak`,
      })
    const [first] = one.scores
    for (let i = 0; i < 15; i++)
      one.row(fraudPlans.chargebacks, {
        timestamp: startMs + 2 * dayMs,
        transaction_id: `p${i}`,
        user_id: `U${i}`,
        amount: 8000,
      })
    one.pay('after', startMs + 2 * dayMs + 1, {
      user_id: 'U99',
      device_id: 'D99',
      card_fingerprint: 'c99',
      street: '99 Oak',
    })
    assert.ok(Number(one.scores.at(-1)?.score) > 10 * Number(first?.score), JSON.stringify(one.scores.at(-1)))
  })
  test('what waits is bounded, and what was left out is stood for', () => {
    const queue = newLabelQueue()
    const count = 10 * waitingMax
    const of = { user: 'u', device: null, card: null, address: null, seller: null }
    for (let i = 0; i < count; i++) {
      awaitLabel(queue, { id: `t${i}`, at: i, figures: [0.5], kept: i % 1_000 === 0, of })
      assert.ok(queue.waiting.length <= waitingMax)
    }
    const stoodFor = queue.waiting.reduce((sum, { w }) => sum + w, 0)
    assert.ok(Math.abs(stoodFor / count - 1) < 0.1, String(stoodFor / count))
    assert.equal(takenBack(queue, 't0')?.id, 't0')
    assert.equal(due(queue, count + labelDelayMs).length > 0, true)
    assert.equal(queue.waiting.length, 0)
  })
  test('a restart in between changes nothing', () => {
    const run = (restarts: boolean): readonly Told[] => {
      const one = monitor()
      for (let i = 0; i < 60; i++) {
        one.pay(`p${i}`, startMs + i * 6 * 3_600_000, { user_id: `U${i % 7}`, total_amount: 50_00 + 60_00 * (i % 9) })
        if (i % 5 === 4)
          one.row(fraudPlans.chargebacks, {
            timestamp: startMs + i * 6 * 3_600_000,
            transaction_id: `p${i - 3}`,
            user_id: 'U1',
            amount: 1,
          })
        if (restarts) one.restart()
      }
      return [...one.scores, ...one.alerts]
    }
    assert.deepEqual(run(true), run(false))
  })
})

test('M4: an order that stands out is told in the form of M4, an ordinary one is not', () => {
  const reaction = orderFraudMonitor()
  const state = reaction.initial()
  const told: Told[] = []
  const order = (values: Values): void =>
    reaction.step(
      state,
      {
        kind: 'row',
        plan: orderVelocityPlan,
        values: {
          order_date: startMs,
          order_id: 'o1',
          customer_id: 'c1',
          total_amount: 120_00,
          payment_method: 'paypal',
          shipping_country: 'US',
          customer_country: 'US',
          registered_at: startMs - 90 * dayMs,
          customer_count_1h: 1,
          customer_sum_1h: 120_00,
          customer_count_24h: 1,
          customer_countries_24h: 1,
          customer_spent_30d: 600,
          customer_ordered_30d: 5,
          ...values,
        },
        timing: 'on-time',
        final: true,
        weight: 1,
        evidence: [],
      },
      (_topic, _key, value) => told.push(value ?? {}),
    )
  order({})
  assert.deepEqual(told, [])
  order({
    order_id: 'o2',
    shipping_country: 'NG',
    total_amount: 3_500_00,
    customer_spent_30d: 4_000,
    customer_count_1h: 4,
  })
  const [alert] = told
  for (const name of ['alert_id', 'order_id', 'customer_id', 'score', 'severity', 'reasons', 'detected_at'])
    assert.ok(alert?.[name] !== undefined, name)
  assert.deepEqual(reasonsOf(alert).slice(0, 1), ['shipping_country_differs'])
})
