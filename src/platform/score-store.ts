// Scores what is told of the store on generated worlds whose truth is known: fraud by campaign, bots by visit. The truth is
// read here only, never by a job.
import {
  fraudMonitor,
  fraudScoresTopic,
  pipelines,
  type Reaction,
  trafficAlerts,
  trafficMonitor,
} from '../commerce/commerce.ts'
import { storeTopics, storeTopicsBeside, storeTraffic } from '../generate/generate.ts'
import { averagePrecision, brier, calibrationError, type Scored } from '../models/models.ts'
import { replay } from './replay.ts'

const dayMs = 86_400_000
const startMs = Date.UTC(2026, 0, 5)
/** One week to learn from, one in which its labels come, one that is judged. */
const judgedFromMs = startMs + 14 * dayMs
const endMs = startMs + 21 * dayMs
/** Of an alert in time: this long after the last act of a bot. */
const graceMs = 15 * 60_000

interface Truth {
  readonly kind: string
  readonly scenario: string
  readonly entities: readonly string[]
  readonly events: readonly string[]
  readonly startMs: number
  readonly endMs: number
}
/** The newest of each truth. */
function truths(): { readonly take: (topic: string, value: Uint8Array) => void; readonly all: () => readonly Truth[] } {
  const found = new Map<string, Truth>()
  const decoder = new TextDecoder()
  return {
    take(topic, value) {
      if (topic !== 'ground-truth') return
      const { truth_id, kind, scenario, entity_ids, event_ids, start, end } = JSON.parse(decoder.decode(value))
      found.set(truth_id, {
        kind,
        scenario,
        entities: entity_ids,
        events: event_ids,
        startMs: Date.parse(start),
        endMs: Date.parse(end),
      })
    },
    all: () => [...found.values()],
  }
}

export interface FraudScore {
  readonly payments: number
  readonly frauds: number
  readonly aucPr: number
  readonly brier: number
  readonly calibrationError: number
  /** Alerts where a look costs less than the loss. */
  readonly alerts: number
  readonly precision: number
  readonly recall: number
  readonly f1: number
  /** Money of the frauds told by money of all. */
  readonly valueRecall: number
  /** Of a look at one in two hundred payments, the most suspicious first. */
  readonly recallAtHalfPercent: number
  /** Cases by campaigns found: 1 is one thing to look at for each. */
  readonly casesPerCampaign: number
  readonly scenarios: readonly FraudScenario[]
  /** Processor time of a payment's scoring, all of the step, 99th percentile. */
  readonly stepMsP99: number
}
export interface FraudScenario {
  readonly scenario: string
  readonly campaigns: number
  /** Campaigns of which at least one payment was told. */
  readonly found: number
  readonly payments: number
  readonly recall: number
  /** From the first payment of a campaign to the first alert; null: none found. */
  readonly delayMinutesMedian: number | null
}

interface Told {
  readonly id: string
  readonly score: number
  readonly atMs: number
  readonly amount: number
}
/** Pooled over the seeds: three weeks of payments each, `paymentsPerDay` of them. `cpuMs` is a clock of this thread's work. */
export function scoreFraud(seeds: readonly string[], paymentsPerDay: number, cpuMs: () => number): FraudScore {
  const scored: (Scored & { readonly amount: number; readonly told: boolean })[] = []
  const scenarios = new Map<
    string,
    { campaigns: number; found: number; payments: number; told: number; delaysMs: number[] }
  >()
  const stepsMs: number[] = []
  let cases = 0
  let foundCampaigns = 0
  for (const seed of seeds) {
    const truth = truths()
    const scores: Told[] = []
    const alerts = new Map<string, { readonly caseId: string; readonly atMs: number }>()
    const reaction = timed(fraudMonitor(), cpuMs, stepsMs)
    replay({
      plans: ['chargebacks-once', 'returns-once', 'payment-velocity'].map((name) => pipelines.get(name)!.plan),
      reactions: [reaction],
      traffic: storeTraffic(seed, {
        startMs,
        ratePerSecond: paymentsPerDay / 86_400,
        profile: 'realistic',
        topics: ['transactions', ...storeTopicsBeside],
      }),
      fromMs: startMs,
      untilMs: endMs,
      stepMs: 60_000,
      onEmit({ topic, value }) {
        if (value === null) return
        const one = JSON.parse(value)
        if (topic === fraudScoresTopic)
          scores.push({ id: one.transaction_id, score: one.score, atMs: Date.parse(one.timestamp), amount: one.amount })
        else alerts.set(one.order_id, { caseId: one.case_id, atMs: Date.parse(one.occurred_at) })
      },
      onOther: truth.take,
    })
    const frauds = truth.all().filter(({ kind }) => kind === 'fraud')
    const isFraud = new Set(frauds.flatMap(({ events }) => events))
    for (const { id, score, atMs, amount } of scores)
      if (atMs >= judgedFromMs) scored.push({ score, positive: isFraud.has(id), amount, told: alerts.has(id) })
    const atOf = new Map(scores.map(({ id, atMs }) => [id, atMs]))
    for (const { scenario, events } of frauds) {
      const judged = events.filter((id) => (atOf.get(id) ?? 0) >= judgedFromMs)
      if (judged.length === 0) continue
      const sum = scenarios.get(scenario) ?? { campaigns: 0, found: 0, payments: 0, told: 0, delaysMs: [] }
      scenarios.set(scenario, sum)
      const told = judged.flatMap((id) => alerts.get(id) ?? [])
      sum.campaigns++
      sum.payments += judged.length
      sum.told += told.length
      if (told.length === 0) continue
      sum.found++
      foundCampaigns++
      cases += new Set(told.map(({ caseId }) => caseId)).size
      const first = Math.min(...judged.map((id) => atOf.get(id) ?? Number.POSITIVE_INFINITY))
      sum.delaysMs.push(Math.min(...told.map(({ atMs }) => atMs)) - first)
    }
  }
  const sumOf = (some: readonly { readonly amount: number }[]): number =>
    some.reduce((sum, { amount }) => sum + amount, 0)
  const positives = scored.filter(({ positive }) => positive)
  const told = scored.filter((one) => one.told)
  const hits = told.filter(({ positive }) => positive)
  const precision = told.length === 0 ? 1 : hits.length / told.length
  const recall = positives.length === 0 ? 1 : hits.length / positives.length
  const looked = scored.toSorted((a, b) => b.score - a.score).slice(0, Math.ceil(scored.length / 200))
  stepsMs.sort((a, b) => a - b)
  return {
    payments: scored.length,
    frauds: positives.length,
    aucPr: averagePrecision(scored),
    brier: brier(scored),
    calibrationError: calibrationError(scored),
    alerts: told.length,
    precision,
    recall,
    f1: precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall),
    valueRecall: sumOf(hits) / sumOf(positives),
    recallAtHalfPercent: looked.filter(({ positive }) => positive).length / positives.length,
    casesPerCampaign: foundCampaigns === 0 ? 0 : cases / foundCampaigns,
    scenarios: [...scenarios]
      .map(([scenario, { campaigns, found, payments, told: toldOf, delaysMs }]) => ({
        scenario,
        campaigns,
        found,
        payments,
        recall: toldOf / payments,
        delayMinutesMedian:
          delaysMs.length === 0 ? null : delaysMs.sort((a, b) => a - b)[delaysMs.length >> 1]! / 60_000,
      }))
      .sort((a, b) => (a.scenario < b.scenario ? -1 : 1)),
    stepMsP99: stepsMs[Math.floor(stepsMs.length * 0.99)] ?? 0,
  }
}
function timed<State>(reaction: Reaction<State>, cpuMs: () => number, stepsMs: number[]): Reaction<State> {
  return {
    ...reaction,
    step(state, input, emit) {
      const before = cpuMs()
      reaction.step(state, input, emit)
      if (input.kind === 'row' && input.plan === 'payment-velocity') stepsMs.push(cpuMs() - before)
    },
  }
}

export interface BotScore {
  readonly visits: number
  readonly bots: number
  readonly found: number
  readonly falseAlerts: number
  readonly duplicates: number
  readonly precision: number
  readonly recall: number
  readonly f1: number
  readonly delaySecondsMedian: number | null
  readonly scenarios: readonly {
    readonly scenario: string
    readonly bots: number
    readonly recall: number
    readonly named: number
  }[]
}
/** Pooled over the seeds: `hours` of visits each, `eventsPerSecond` acts. */
export function scoreBots(seeds: readonly string[], hours: number, eventsPerSecond: number): BotScore {
  const scenarios = new Map<string, { bots: number; found: number; named: number }>()
  const delaysMs: number[] = []
  let visits = 0
  let falseAlerts = 0
  let duplicates = 0
  for (const seed of seeds) {
    const truth = truths()
    const alerts: {
      readonly session: string | null
      readonly address: string
      readonly kind: string
      readonly atMs: number
    }[] = []
    const sessions = new Set<string>()
    const untilMs = startMs + hours * 3_600_000
    const decoder = new TextDecoder()
    const traffic = storeTraffic(seed, {
      startMs,
      ratePerSecond: eventsPerSecond,
      profile: 'realistic',
      topics: [storeTopics[0] ?? '', storeTopics[1] ?? '', ...storeTopicsBeside],
    })
    replay({
      plans: ['views-by-minute', 'visitor-acts'].map((name) => pipelines.get(name)!.plan),
      reactions: [trafficMonitor()],
      traffic: {
        get produced() {
          return traffic.produced
        },
        get nextMs() {
          return traffic.nextMs
        },
        produceUntil: (toMs, sink, max) =>
          traffic.produceUntil(
            toMs,
            {
              record(topic, key, value, timeMs) {
                if (topic === storeTopics[0])
                  sessions.add(/"session_id":"([^"]*)"/.exec(decoder.decode(value))?.[1] ?? '')
                sink.record(topic, key, value, timeMs)
              },
            },
            max,
          ),
      },
      fromMs: startMs,
      untilMs,
      stepMs: 10_000,
      onEmit({ topic, value }) {
        if (topic !== trafficAlerts.topic || value === null) return
        const { session_id, ip_address, kind, detected_at, status } = JSON.parse(value)
        if (status === 'firing' && kind !== 'spike' && kind !== 'drop')
          alerts.push({ session: session_id, address: ip_address, kind, atMs: Date.parse(detected_at) })
      },
      onOther: truth.take,
    })
    visits += sessions.size
    const bots = truth.all().filter((one) => one.kind === 'bot' && one.endMs < untilMs - graceMs)
    const all = truth.all().filter((one) => one.kind === 'bot')
    const told = new Set<Truth>()
    for (const { session, address, kind, atMs } of alerts) {
      const bot = all.find(
        ({ entities, startMs: fromMs, endMs: toMs }) =>
          entities.includes(session ?? address) && atMs >= fromMs && atMs <= toMs + graceMs,
      )
      if (bot === undefined) falseAlerts++
      else if (told.has(bot)) duplicates++
      else {
        told.add(bot)
        if (!bots.includes(bot)) continue
        const sum = scenarios.get(bot.scenario) ?? { bots: 0, found: 0, named: 0 }
        scenarios.set(bot.scenario, sum)
        sum.found++
        if (bot.scenario === kind) sum.named++
        delaysMs.push(atMs - bot.startMs)
      }
    }
    for (const { scenario } of bots) {
      const sum = scenarios.get(scenario) ?? { bots: 0, found: 0, named: 0 }
      scenarios.set(scenario, sum)
      sum.bots++
    }
  }
  const total = (of: (one: { bots: number; found: number }) => number): number =>
    [...scenarios.values()].reduce((sum, one) => sum + of(one), 0)
  const [bots, found] = [total((one) => one.bots), total((one) => one.found)]
  const precision = found + falseAlerts === 0 ? 1 : found / (found + falseAlerts)
  const recall = bots === 0 ? 1 : found / bots
  return {
    visits,
    bots,
    found,
    falseAlerts,
    duplicates,
    precision,
    recall,
    f1: precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall),
    delaySecondsMedian: delaysMs.length === 0 ? null : delaysMs.sort((a, b) => a - b)[delaysMs.length >> 1]! / 1_000,
    scenarios: [...scenarios]
      .map(([scenario, one]) => ({
        scenario,
        bots: one.bots,
        recall: one.found / one.bots,
        named: one.named / Math.max(1, one.found),
      }))
      .sort((a, b) => (a.scenario < b.scenario ? -1 : 1)),
  }
}
