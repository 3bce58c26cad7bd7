// The quality monitor (Q1 to Q3): what each topic's minutes were made of, and what is not as it should be. A check a topic
// and minute; an alert while something lasts, closed when it is over.
import type { Emit, Reaction, ReactionLetter, ReactionRow } from '../../query/reaction.ts'
import { instantText } from '../../std/instant.ts'
import { type ConsistencyState, newConsistency, takeLine } from './quality-consistency.ts'
import { type DriftState, newDrift, psiOf } from './quality-drift.ts'
import { newPrices, type PriceState, takePrices } from './quality-prices.ts'
import { newVolume, takeVolume, type VolumeState } from './quality-volume.ts'

export const qualityTopics = Object.freeze({ checks: 'quality-checks', alerts: 'quality-alerts' })

export const qualityAlertKinds = Object.freeze(['invalid', 'volume', 'price-spike', 'consistency', 'drift'] as const)
export type QualityAlertKind = (typeof qualityAlertKinds)[number]

export interface QualitySettings {
  /** Of the reaction: one for each job, over the topics of that job. */
  readonly name: string
  /** Plan of a topic's minutes, by topic. */
  readonly minutes: Readonly<Record<string, string>>
  /** Plans whose rows are looked at one by one: prices, lines that must add up, deciles. */
  readonly beside: readonly string[]
  /** Versions of the contracts, by topic. */
  readonly versions: Readonly<Record<string, number>>
}

/** What a topic's records were refused for since its last check. */
interface TopicState {
  readonly refused: { [reasonAndField: string]: number }
  /** Records and refused ones of the last minutes. */
  readonly recent: [records: number, refused: number][]
  lastMs: number
  readonly volume: VolumeState
}
export interface QualityState {
  readonly topics: { [topic: string]: TopicState }
  readonly prices: PriceState
  readonly consistency: ConsistencyState
  readonly drift: DriftState
  /** Alerts that last, by id: since when, and how often they were seen again. */
  readonly open: { [id: string]: { readonly sinceMs: number; lastMs: number; times: number } }
}

/** Dead letters above this share of five minutes are news. */
const invalidShareMax = 0.001
const invalidMin = 5
const recentMinutes = 5
/** What was seen once is over after so much quiet. */
const quietMs = 30 * 60_000
const openMax = 1_000
const minuteMs = 60_000

export function qualityMonitor(settings: QualitySettings): Reaction<QualityState> {
  const topicOf = new Map(Object.entries(settings.minutes).map(([topic, plan]) => [plan, topic]))
  return {
    name: settings.name,
    version: 1,
    reads: [...settings.beside, ...Object.values(settings.minutes)],
    writes: [
      { topic: qualityTopics.checks, partitions: 1, compacted: false },
      { topic: qualityTopics.alerts, partitions: 1, compacted: true },
    ],
    initial: () => ({ topics: {}, prices: newPrices(), consistency: newConsistency(), drift: newDrift(), open: {} }),
    step(state, input, emit) {
      if (input.kind === 'tick') return
      const topic = topicOf.get(input.plan)
      if (topic !== undefined) takeMinute(state, topic, input, settings, emit)
      else if (input.weight > 0) takeBeside(state, input, emit)
    },
    deadLetter(state, letter) {
      refuse(topicState(state, letter.topic), letter)
    },
  }
}

function topicState(state: QualityState, topic: string): TopicState {
  const known = state.topics[topic]
  if (known !== undefined) return known
  const fresh: TopicState = { refused: {}, recent: [], lastMs: Number.NEGATIVE_INFINITY, volume: newVolume() }
  state.topics[topic] = fresh
  return fresh
}
function refuse({ refused }: TopicState, { reason, field }: ReactionLetter): void {
  const key = field === '' ? reason : `${reason}/${field}`
  refused[key] = (refused[key] ?? 0) + 1
}

function takeMinute(
  state: QualityState,
  topic: string,
  { values, final, weight }: ReactionRow,
  { versions }: QualitySettings,
  emit: Emit,
): void {
  const of = topicState(state, topic)
  const atMs = Number(values.window_start)
  // A correction of a minute that was judged changes nothing that was told.
  if (!final || weight < 0 || atMs <= of.lastMs) return
  const { records, window_start: _, window_end, ...present } = values
  const count = Number(records)
  const refused = Object.values(of.refused).reduce((sum, one) => sum + one, 0)
  const share = (part: number, all: number): number => (all === 0 ? 1 : Math.round((part / all) * 1e6) / 1e6)
  const completeness = Object.fromEntries(
    Object.entries(present).map(([field, there]) => [field, share(Number(there), count)]),
  )
  emit(qualityTopics.checks, topic, {
    topic,
    window_start: instantText(atMs),
    window_end: instantText(Number(window_end)),
    records: count,
    refused,
    validity: share(count, count + refused),
    refused_by: { ...of.refused },
    contract_version: versions[topic] ?? 0,
    completeness,
  })
  of.recent.push([count, refused])
  if (of.recent.length > recentMinutes) of.recent.shift()
  for (const key of Object.keys(of.refused)) delete of.refused[key]
  judgeInvalid(state, topic, of, atMs, emit)
  for (const told of takeVolume(of.volume, atMs, count, of.lastMs === Number.NEGATIVE_INFINITY ? null : of.lastMs))
    tellAlert(state, emit, {
      kind: 'volume',
      topic,
      entity: told.direction,
      atMs,
      sinceMs: told.sinceMs,
      over: told.over,
      value: told.seen,
      usual: told.usual,
      severity: told.direction === 'down' ? 'high' : 'medium',
      sentence: `${told.direction === 'down' ? 'FEWER' : 'MORE'} RECORDS than usual in ${topic}: ${told.seen} where ${told.usual.toFixed(1)} is usual`,
    })
  of.lastMs = atMs
  closeQuiet(state, atMs, emit)
}

function judgeInvalid(state: QualityState, topic: string, { recent }: TopicState, atMs: number, emit: Emit): void {
  const [records, refused] = recent.reduce<[number, number]>(([a, b], [c, d]) => [a + c, b + d], [0, 0])
  const share = refused / Math.max(1, records + refused)
  const isBad = share > invalidShareMax && refused >= invalidMin
  if (!isBad && state.open[`invalid/${topic}`] === undefined) return
  tellAlert(state, emit, {
    ...{ kind: 'invalid', topic, entity: '', atMs, over: !isBad, value: share, usual: 0 },
    severity: share > 0.01 ? 'critical' : 'high',
    sentence: `DEAD LETTERS of ${topic}: ${refused} of ${records + refused} records in ${recent.length} minutes broke their contract`,
  })
}

function takeBeside(state: QualityState, row: ReactionRow, emit: Emit): void {
  const { plan, values } = row
  switch (plan) {
    case 'quality-prices': {
      if (!row.final) return
      const atMs = Number(values.window_start)
      for (const { product, price, usual } of takePrices(state.prices, values))
        tellAlert(state, emit, {
          ...{ kind: 'price-spike', topic: 'sales', entity: product, atMs, over: false, severity: 'high' },
          value: price / 100,
          usual: usual / 100,
          evidence: row.evidence.map(({ partition, offsetMin, offsetMax }) => [partition, offsetMin, offsetMax]),
          sentence: `PRICE ${price > usual ? 'SPIKE' : 'DROP'} of ${product}: ${(price / 100).toFixed(2)} where ${(usual / 100).toFixed(2)} is usual`,
        })
      return
    }
    case 'quality-amounts': {
      if (!row.final) return
      const psi = psiOf(state.drift, values)
      if (psi === null) return
      const atMs = Number(values.window_start)
      if (psi < 0.1 && state.open['drift/orders/amount'] === undefined) return
      tellAlert(state, emit, {
        ...{ kind: 'drift', topic: 'orders', entity: 'amount', atMs, over: psi < 0.1, value: psi, usual: 0 },
        severity: psi >= 0.25 ? 'high' : 'medium',
        sentence: `DRIFT of orders.amount: its spread is not that of the day before (PSI ${psi.toFixed(3)}; 0.1 is worth a look, 0.25 acts)`,
      })
      return
    }
    default:
      for (const { rule, id, atMs, expected, found } of takeLine(state.consistency, plan, values))
        tellAlert(state, emit, {
          ...{ kind: 'consistency', topic: rule.topic, entity: rule.name, atMs, over: false, severity: 'high' },
          value: found / 100,
          usual: expected / 100,
          sentence: `INCONSISTENT: ${rule.says}: ${id} has ${(found / 100).toFixed(2)}, not ${(expected / 100).toFixed(2)}`,
        })
  }
}

interface Told {
  readonly kind: QualityAlertKind
  readonly topic: string
  /** What of the topic: a product, a rule, a direction; '' for all of it. */
  readonly entity: string
  readonly atMs: number
  readonly sinceMs?: number
  readonly over: boolean
  readonly value: number
  readonly usual: number
  readonly severity: string
  readonly sentence: string
  readonly evidence?: readonly (readonly number[])[]
}
function tellAlert(state: QualityState, emit: Emit, told: Told): void {
  const { kind, topic, entity, atMs, over } = told
  const id = entity === '' ? `${kind}/${topic}` : `${kind}/${topic}/${entity}`
  const known = state.open[id]
  if (known === undefined && (over || Object.keys(state.open).length >= openMax)) return
  const open = known ?? { sinceMs: told.sinceMs ?? atMs, lastMs: atMs, times: 0 }
  if (over) delete state.open[id]
  else {
    open.times++
    open.lastMs = atMs
    state.open[id] = open
  }
  emit(qualityTopics.alerts, id, {
    alert_id: id,
    kind,
    topic,
    entity: entity === '' ? null : entity,
    status: over ? 'resolved' : 'firing',
    severity: told.severity,
    since: instantText(open.sinceMs),
    updated_at: instantText(atMs),
    times: open.times,
    value: Math.round(told.value * 1e6) / 1e6,
    usual: Math.round(told.usual * 1e6) / 1e6,
    sentence: told.sentence,
    evidence: told.evidence ?? [],
  })
}
/** What was seen at a moment, and not again for long, is over. Volumes and shares say themselves when they are. */
function closeQuiet(state: QualityState, atMs: number, emit: Emit): void {
  for (const [id, { sinceMs, lastMs, times }] of Object.entries(state.open)) {
    const [kind = '', topic = '', ...entity] = id.split('/')
    if ((kind !== 'price-spike' && kind !== 'consistency') || atMs - lastMs < quietMs + minuteMs) continue
    delete state.open[id]
    emit(qualityTopics.alerts, id, {
      ...{ alert_id: id, kind, topic, entity: entity.join('/'), status: 'resolved', severity: 'high' },
      since: instantText(sinceMs),
      updated_at: instantText(atMs),
      times,
      ...{ value: null, usual: null, sentence: 'not seen again for half an hour', evidence: [] },
    })
  }
}
