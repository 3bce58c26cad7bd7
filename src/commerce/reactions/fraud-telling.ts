// How a suspicion is told: reasons with their weights and values, severity by what it may cost, alerts of one case together.
import type { Emit } from '../../query/reaction.ts'
import { instantText } from '../../std/instant.ts'
import { peek, type Recent, use } from '../../std/recent.ts'
import { fraudAlerts } from '../contracts/fraud-alerts.ts'
import type { Feature, Figure } from './fraud-features.ts'

export interface FraudCosts {
  /** What somebody's look at one alert costs. */
  readonly review: number
  /** What a fraud costs beside its amount: fees, the parcel, the work. */
  readonly fee: number
  /** Share of the amount that is lost. */
  readonly lossShare: number
}
export const fraudCosts: FraudCosts = Object.freeze({ review: 5, fee: 20, lossShare: 1 })

export interface Suspicion {
  readonly of: 'transaction' | 'order'
  readonly id: string
  readonly who: string
  readonly amount: number
  readonly seller: string | null
  readonly atMs: number
  readonly detectedMs: number
  readonly probability: number
  readonly features: readonly Feature[]
  readonly figures: readonly Figure[]
  /** Of the features. */
  readonly weights: readonly number[]
  readonly model: string
  /** What ties alerts together: account, device, card. */
  readonly ties: readonly string[]
}
export interface Case {
  readonly id: string
  untilMs: number
}
export type Cases = Recent<Case>

const CASE_MS = 86_400_000
const casesMax = 20_000
const REASON_NATS_MIN = 0.3
const reasonsMax = 5

/** What it costs in the mean not to look. */
export function expectedLoss(
  { probability, amount }: Pick<Suspicion, 'probability' | 'amount'>,
  costs: FraudCosts,
): number {
  return probability * (amount * costs.lossShare + costs.fee)
}
/** Alert if probability x loss > cost of a look. True if told. */
export function tellSuspicion(suspicion: Suspicion, cases: Cases, costs: FraudCosts, emit: Emit): boolean {
  const loss = expectedLoss(suspicion, costs)
  if (loss <= costs.review) return false
  const { of, id, who, amount, seller, atMs, detectedMs, probability, model } = suspicion
  const reasons = reasonsOf(suspicion)
  const alertId = `${of === 'order' ? 'order' : 'payment'}/${id}`
  const percent = (probability * 100).toFixed(probability < 0.1 ? 1 : 0)
  const why = reasons.map(({ text, values }) => `${text}${shown(values)}`).join('; ')
  emit(fraudAlerts.topic, id, {
    alert_id: alertId,
    of,
    order_id: id,
    customer_id: who,
    case_id: caseOf(suspicion, alertId, cases),
    score: Math.round(probability * 1e6) / 1e6,
    severity: severityOf(probability, loss, costs),
    reasons: reasons.map(({ name }) => name),
    sentence: `FRAUD SUSPECTED: ${of} ${id} of ${who}, ${amount.toFixed(2)}: ${percent} % likely${why === '' ? '' : `: ${why}`}`,
    values: reasons.map(({ name, nats, values }) => ({
      reason: name,
      nats: Math.round(nats * 100) / 100,
      of: JSON.stringify(values),
    })),
    amount: Math.round(amount * 100) / 100,
    expected_loss: Math.round(loss * 100) / 100,
    seller,
    occurred_at: instantText(atMs, true),
    detected_at: instantText(detectedMs, true),
    model,
  })
  return true
}

interface Reason {
  readonly name: string
  readonly text: string
  readonly nats: number
  readonly values: Figure['values']
}
function reasonsOf({ features, figures, weights }: Suspicion): readonly Reason[] {
  return features
    .map(({ name, text }, i): Reason => {
      const figure = figures[i]
      return { name, text, nats: (figure?.x ?? 0) * (weights[i] ?? 0), values: figure?.values ?? {} }
    })
    .filter(({ nats }) => nats >= REASON_NATS_MIN)
    .sort((a, b) => b.nats - a.nats)
    .slice(0, reasonsMax)
}
function shown(values: Figure['values']): string {
  const all = Object.entries(values).map(([name, value]) => `${name} ${value}`)
  return all.length === 0 ? '' : ` (${all.join(', ')})`
}
function severityOf(probability: number, loss: number, { review }: FraudCosts): string {
  if (probability >= 0.8 && loss >= 20 * review) return 'critical'
  if (probability >= 0.5 || loss >= 20 * review) return 'high'
  return loss >= 4 * review ? 'medium' : 'low'
}
/** The case that any of the ties belongs to; it lasts a day from its last alert. */
function caseOf({ ties, atMs }: Suspicion, alertId: string, cases: Cases): string {
  let id = alertId
  for (const tie of ties) {
    const known = peek(cases, tie)
    if (known !== undefined && known.untilMs >= atMs) {
      id = known.id
      break
    }
  }
  for (const tie of ties) {
    const known = use(cases, tie, casesMax, (): Case => ({ id, untilMs: 0 }))
    if (known.untilMs < atMs || known.id === id) {
      if (known.id !== id) Object.assign(known, { id })
      known.untilMs = Math.max(known.untilMs, atMs + CASE_MS)
    }
  }
  return id
}
