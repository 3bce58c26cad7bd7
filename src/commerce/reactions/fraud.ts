// Fraud scoring of payments (E6): what is known of fraud as weights, corrected by what was taken back (chargebacks, a week
// late), a probability for each payment, an alert where a look costs less than what may be lost.
import { learn, newOnlineLogistic, type OnlineLogistic, probability } from '../../models/models.ts'
import type { Emit, Reaction, ReactionInput } from '../../query/reaction.ts'
import { newRecent } from '../../std/recent.ts'
import { fraudAlerts } from '../contracts/fraud-alerts.ts'
import {
  type Payment,
  paymentFeatures,
  paymentFigures,
  paymentIntercept,
  paymentOf,
  type Values,
} from './fraud-features.ts'
import { awaitLabel, due, type LabelQueue, newLabelQueue, takenBack } from './fraud-labels.ts'
import { add, buyerOf, type FraudMemory, newFraudMemory, rememberChargeback, rememberPayment } from './fraud-memory.ts'
import { type Cases, type FraudCosts, fraudCosts, tellSuspicion } from './fraud-telling.ts'

export const fraudScoresTopic = 'fraud-scores'
export const fraudPlans = Object.freeze({
  payments: 'payment-velocity',
  chargebacks: 'chargebacks-once',
  returns: 'returns-once',
})

/** Plain data. */
export interface FraudState {
  readonly model: OnlineLogistic
  readonly memory: FraudMemory
  readonly labels: LabelQueue
  readonly cases: Cases
  /** The clock as the job recorded it; null before the first tick. */
  tickMs: number | null
}
/** From here on a payment is kept for its label, whatever the sample. */
const SUSPICIOUS = 0.02
/** What is noticed later than this is old data: the clock says nothing about it. */
const LIVE_MS = 3_600_000

export function fraudMonitor(costs: FraudCosts = fraudCosts): Reaction<FraudState> {
  return {
    name: 'fraud',
    version: 1,
    // Of one moment, what is known of earlier payments first.
    reads: [fraudPlans.chargebacks, fraudPlans.returns, fraudPlans.payments],
    writes: [
      { topic: fraudAlerts.topic, partitions: fraudAlerts.partitions, compacted: true },
      { topic: fraudScoresTopic, partitions: 3, compacted: false },
    ],
    initial: () => ({
      model: newOnlineLogistic([paymentIntercept, ...paymentFeatures.map(({ prior }) => prior)]),
      memory: newFraudMemory(),
      labels: newLabelQueue(),
      cases: newRecent(),
      tickMs: null,
    }),
    step(state, input, emit) {
      if (input.kind === 'tick') state.tickMs = input.atMs
      else if (input.weight > 0) take(state, input, costs, emit)
    },
  }
}

function take(state: FraudState, row: Extract<ReactionInput, { kind: 'row' }>, costs: FraudCosts, emit: Emit): void {
  const { values } = row
  if (row.plan === fraudPlans.chargebacks) takeChargeback(state, values)
  else if (row.plan === fraudPlans.payments) takePayment(state, values, costs, emit)
  else {
    const atMs = Number(values.timestamp)
    const buyer = buyerOf(state.memory, String(values.user_id), atMs)
    add(buyer.returned, 1, atMs)
    // The money is gone all the same: to the one who lost it this is a label like a chargeback.
    if (values.reason === 'not_received') {
      add(buyer.claimed, 1, atMs)
      takenBack(state.labels, String(values.transaction_id))
    }
  }
}

function takePayment(state: FraudState, values: Values, costs: FraudCosts, emit: Emit): void {
  const { model, memory, labels } = state
  const payment = paymentOf(values)
  for (const one of due(labels, payment.atMs))
    learn(
      model,
      one.x.map((x) => x / 1_000),
      one.back,
      one.w,
    )
  const figures = paymentFigures(payment, values, memory)
  const xs = figures.map(({ x }) => x)
  const p = probability(model, xs)
  const { id, user, amount, seller, atMs, device, card, address } = payment
  emit(fraudScoresTopic, id, {
    transaction_id: id,
    user_id: user,
    score: Math.round(p * 1e6) / 1e6,
    amount,
    timestamp: new Date(atMs).toISOString(),
  })
  const told = tellSuspicion(
    {
      of: 'transaction',
      id,
      who: user,
      amount,
      seller,
      atMs,
      detectedMs: detectedMs(state, atMs),
      probability: p,
      features: paymentFeatures,
      figures,
      weights: model.weights.slice(1),
      model: `fraud@1, ${Math.round(model.positives)} labels`,
      ties: tiesOf(payment),
    },
    state.cases,
    costs,
    emit,
  )
  // What was declined is taken back by nobody: it has no label.
  if (payment.isApproved)
    awaitLabel(labels, {
      id,
      at: atMs,
      figures: xs,
      kept: told || p >= SUSPICIOUS,
      of: { user, device, card, address, seller },
    })
  rememberPayment(memory, payment)
}
function tiesOf({ user, device, card }: Payment): readonly string[] {
  return [`user/${user}`, ...(device === null ? [] : [`device/${device}`]), ...(card === null ? [] : [`card/${card}`])]
}
function detectedMs({ tickMs }: Pick<FraudState, 'tickMs'>, atMs: number): number {
  return tickMs !== null && tickMs > atMs && tickMs - atMs < LIVE_MS ? tickMs : atMs
}

function takeChargeback({ labels, memory }: FraudState, values: Values): void {
  const atMs = Number(values.timestamp)
  const found = takenBack(labels, String(values.transaction_id))
  const of = found?.of ?? { user: String(values.user_id), device: null, card: null, address: null, seller: null }
  rememberChargeback(memory, { atMs, ...of })
}
