// Faults on purpose: a few of the records of any traffic are doubled, broken or misdated, each with a label on
// `ground-truth`. What is broken is read from the topic's contract, so every topic can have them.
import { contracts, groundTruth } from '../commerce/commerce.ts'
import { assert, unreachable } from '../std/assert.ts'
import { instantText, parseInstant } from '../std/instant.ts'
import { type RandomStream, randomStream } from '../std/random.ts'
import { Agenda } from './agenda.ts'
import type { RecordSink } from './sink.ts'
import type { Traffic } from './traffic.ts'

type Contract = NonNullable<ReturnType<typeof contracts.get>>
type Field = Contract['fields'][string]

/** What can be wrong with a record. `price-spike`: a price five to twenty times as high, only where it is asked for. `zone`: local time written without its zone, so read as UTC. */
export const faults = Object.freeze([
  'duplicate',
  'duplicate-under-new-id',
  'malformed',
  'missing',
  'wrong-type',
  'out-of-range',
  'unknown-enum',
  'future',
  'zone',
  'price-spike',
] as const)
export type Fault = (typeof faults)[number]

/** Share of the records that get each fault. */
export type FaultShares = { readonly [fault in Fault]: number }
export const faultSharesDefault: FaultShares = Object.freeze({
  duplicate: 0.005,
  'duplicate-under-new-id': 0.0005,
  malformed: 0.0005,
  missing: 0.002,
  'wrong-type': 0.001,
  'out-of-range': 0.001,
  'unknown-enum': 0.0005,
  future: 0.0002,
  zone: 0.0002,
  'price-spike': 0,
})

export interface FaultSettings {
  readonly shares?: Partial<FaultShares>
  /** False: no labels go out, only the faults. Default true. */
  readonly labels?: boolean
}

/** A retry sends the same bytes again within so long. */
const retryMsMax = 10_000
/** Brasília: its clocks show three hours less than UTC. */
const zoneMs = 3 * 3_600_000
const futureMs: readonly [number, number] = [3_600_000, 30 * 86_400_000]

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * The same records as the traffic's, some of them with faults, and the labels. The same seed and traffic give the same
 * bytes, however `produceUntil` is called. `produced` and the limit count labels too.
 */
export function withFaults(seed: string, clean: Traffic, settings: FaultSettings = {}): Traffic {
  const shares = { ...faultSharesDefault, ...settings.shares }
  const sum = faults.reduce((all, fault) => all + shares[fault], 0)
  assert(sum <= 1 && faults.every((fault) => shares[fault] >= 0), `shares of faults that add up to ${sum}`)
  const labels = settings.labels ?? true
  const random = randomStream(seed).fork('faults')
  const streams = new Map<string, RandomStream>()
  const later = new Agenda<RecordSink>()
  let produced = 0
  let truths = 0
  let out: RecordSink | null = null

  const drawFault = (draw: RandomStream): Fault | null => {
    let rest = draw.float()
    for (const fault of faults) {
      if (rest < shares[fault]) return fault
      rest -= shares[fault]
    }
    return null
  }
  const hand = (topic: string, key: Uint8Array, value: Uint8Array, timeMs: number): void => {
    assert(out !== null, 'records are handed over while producing')
    out.record(topic, key, value, timeMs)
    produced++
  }
  const label = (topic: string, fault: Fault, made: Made, timeMs: number): void => {
    if (!labels) return
    const id = `${topic}/${fault}/${++truths}`
    const at = instantText(timeMs, true)
    const truth = {
      truth_id: id,
      kind: 'fault',
      scenario: fault,
      topic,
      entity_ids: [made.key],
      event_ids: made.identity === null ? [] : [made.identity],
      field: made.field,
      start: at,
      end: at,
      severity: 'low',
      injected_at: at,
      expected_outcome: made.expected,
    }
    hand(groundTruth.topic, encoder.encode(id), encoder.encode(JSON.stringify(truth)), timeMs)
  }

  const sink: RecordSink = {
    record(topic, key, value, timeMs) {
      const draw = streams.get(topic) ?? random.fork(topic)
      streams.set(topic, draw)
      const fault = drawFault(draw)
      const contract = contracts.get(topic)
      const made = fault === null || contract === undefined ? null : make(fault, contract, { key, value, timeMs }, draw)
      if (fault === null || made === null) {
        hand(topic, key, value, timeMs)
        return
      }
      if (fault === 'duplicate' || fault === 'duplicate-under-new-id') {
        hand(topic, key, value, timeMs)
        // The bytes are the traffic's again after this call: what comes later is a copy.
        const held = { key: made.newKey ?? key.slice(), value: made.value }
        later.put(timeMs + 1 + draw.below(retryMsMax), (_sink, atMs) => {
          hand(topic, held.key, held.value, atMs)
          label(topic, fault, made, atMs)
          return true
        })
        return
      }
      hand(topic, key, made.value, timeMs)
      label(topic, fault, made, timeMs)
    },
  }

  return {
    get produced() {
      return produced
    },
    get nextMs() {
      return Math.min(clean.nextMs, later.nextMs)
    },
    produceUntil(untilMs, to, recordsMax = Number.POSITIVE_INFINITY) {
      const before = produced
      out = to
      // A record and its label stay together, so the limit may be passed by one.
      while (produced - before < recordsMax) {
        const laterMs = later.nextMs
        const boundMs = Math.min(untilMs, laterMs)
        // One at a time: it may put something on the agenda that comes before the next.
        if (clean.nextMs < boundMs) clean.produceUntil(boundMs, sink, 1)
        else if (laterMs < untilMs) later.step(to)
        else break
      }
      out = null
      return produced - before
    },
  }
}

interface Made {
  readonly value: Uint8Array
  /** Of the record as it was, as text; null where the topic has none. */
  readonly identity: string | null
  readonly key: string
  /** Where the key changes with the value. */
  readonly newKey: Uint8Array | null
  readonly field: string | null
  readonly expected: string
}
type Fields = Record<string, unknown>

/** The record with the fault in it; null if the topic's contract has no place for such a fault. */
function make(
  fault: Fault,
  contract: Contract,
  record: { readonly key: Uint8Array; readonly value: Uint8Array; readonly timeMs: number },
  draw: RandomStream,
): Made | null {
  const { key, value } = record
  const fields: Fields = JSON.parse(decoder.decode(value))
  const told = contract.identity === undefined ? undefined : fields[contract.identity]
  const identity = typeof told === 'string' || typeof told === 'number' ? String(told) : null
  const made = (name: string | null, value: unknown, expected: string): Made => {
    if (name !== null) fields[name] = value
    const bytes = encoder.encode(JSON.stringify(fields))
    return { value: bytes, identity, key: decoder.decode(key), newKey: null, field: name, expected }
  }
  const pick = (fits: (field: Field, name: string) => boolean): readonly [string, Field] | null => {
    const names = Object.entries(contract.fields).filter(
      ([name, field]) => name in fields && name !== contract.key && name !== contract.identity && fits(field, name),
    )
    return names.length === 0 ? null : names[draw.below(names.length)]!
  }
  switch (fault) {
    case 'duplicate':
      return { ...made(null, null, 'duplicate'), value: value.slice() }
    case 'duplicate-under-new-id': {
      if (contract.identity === undefined || typeof told !== 'string') return null
      // Of the same form: its last eight characters are drawn anew.
      const fresh = draw.u32().toString(16).padStart(8, '0').slice(-told.length)
      const id = told.slice(0, told.length - fresh.length) + fresh
      const again = made(contract.identity, id, 'duplicate-under-new-id')
      return { ...again, newKey: contract.identity === contract.key ? encoder.encode(id) : null }
    }
    case 'malformed': {
      // Cut before its end an object is never JSON.
      const end = 1 + draw.below(value.length - 1)
      return { ...made(null, null, 'dead-letter:not-json'), value: value.slice(0, end) }
    }
    case 'missing': {
      const one = pick((field) => !field.nullable && field.default === undefined)
      if (one === null) return null
      delete fields[one[0]]
      return { ...made(null, null, 'dead-letter:missing'), field: one[0] }
    }
    case 'wrong-type': {
      const one = pick((field) => isNumber(field) || field.type.kind === 'timestamp')
      return one === null ? null : made(one[0], isNumber(one[1]) ? 'n/a' : true, 'dead-letter:wrong-type')
    }
    case 'out-of-range': {
      const one = pick((field) => isNumber(field) && lowest(field) !== null)
      return one === null ? null : made(one[0], (lowest(one[1]) ?? 0) - 1 - draw.below(100), 'dead-letter:rule')
    }
    case 'unknown-enum': {
      const one = pick(
        (field) => field.type.kind === 'string' && (field.rules ?? []).some(({ rule }) => rule === 'one-of'),
      )
      return one === null ? null : made(one[0], `unknown_${draw.below(10)}`, 'dead-letter:rule')
    }
    case 'future':
    case 'zone': {
      const text = fields[contract.eventTime]
      const atMs = typeof text === 'string' ? parseInstant(text) : Number.NaN
      if (Number.isNaN(atMs)) return null
      if (fault === 'zone') return made(contract.eventTime, instantText(atMs - zoneMs, true), 'late')
      const ahead = contract.futureLimitMs + futureMs[0] + draw.below(futureMs[1] - futureMs[0])
      return made(contract.eventTime, instantText(record.timeMs + ahead, true), 'dead-letter:future')
    }
    case 'price-spike': {
      const { price } = fields
      if (contract.fields.price?.type.kind !== 'money' || typeof price !== 'number') return null
      return made('price', Math.round(price * (5 + 15 * draw.float()) * 100) / 100, 'quality-alert:price-spike')
    }
    default:
      return unreachable(fault)
  }
}
function isNumber({ type }: Field): boolean {
  return type.kind === 'int64' || type.kind === 'money' || type.kind === 'decimal' || type.kind === 'float64'
}
/** The bound below which a rule refuses; null where none does. */
function lowest({ rules = [] }: Field): number | null {
  for (const rule of rules) if (rule.rule === 'above' || rule.rule === 'at-least') return rule.bound
  return null
}
