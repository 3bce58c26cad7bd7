// A change of the records' form at a set time: for a while producers of the old and of the new form send side by side. What
// the new form is, is read from the topic's contract: a field under its other name, a field that nobody knew, times with more
// digits and another offset. Contracts take all of it; the breaking change takes a field away that must be there.
import { contracts, groundTruth } from '../commerce/commerce.ts'
import { instantText, parseInstant } from '../std/instant.ts'
import { randomStream } from '../std/random.ts'
import { fragment } from './line-writer.ts'
import type { RecordSink } from './sink.ts'
import { type Traffic, traffic } from './traffic.ts'

export interface DriftSettings {
  /** Version 2 begins to come here, whole ms. */
  readonly fromMs: number
  /** From here to the end of this, more and more of the records are of version 2; then all. */
  readonly mixedMs: number
  readonly topics: readonly string[]
  /** True: a required field is under a name that the contract does not know. */
  readonly breaking?: boolean
}
/** New, and nobody need read it. */
export const addedField = 'schema_version'
const zoneMs = -3 * 3_600_000
const decoder = new TextDecoder()

/** The same traffic, in its second form from a time on, with labels. */
export function withDrift(seed: string, inner: Traffic, settings: DriftSettings): Traffic {
  const { fromMs, mixedMs, topics, breaking = false } = settings
  const random = randomStream(seed).fork('drift')
  const streams = new Map(topics.map((topic) => [topic, random.fork(topic)]))
  let out: RecordSink | null = null
  let told = 0
  const sink: RecordSink = {
    record(topic, key, value, timeMs) {
      const draw = streams.get(topic)
      const share = timeMs < fromMs ? 0 : mixedMs === 0 ? 1 : Math.min(1, (timeMs - fromMs) / mixedMs)
      const isNew = draw !== undefined && share > 0 && draw.float() < share
      out?.record(topic, key, isNew ? secondForm(topic, value, breaking) : value, timeMs)
    },
  }
  const labels = traffic({
    get nextMs() {
      return told < topics.length ? fromMs : Number.POSITIVE_INFINITY
    },
    step(to) {
      const topic = topics[told++]!
      const id = `drift/${topic}/2`
      const time = (ms: number): string => instantText(ms, true)
      const value = {
        truth_id: id,
        kind: 'drift',
        scenario: breaking ? 'breaking' : 'v1-v2',
        topic,
        entity_ids: [],
        event_ids: [],
        field: renamedField(topic, breaking)?.[0] ?? null,
        start: time(fromMs),
        end: time(fromMs + mixedMs),
        severity: breaking ? 'critical' : 'low',
        injected_at: time(fromMs),
        expected_outcome: breaking ? 'dead-letter:missing' : 'nothing',
      }
      to.record(groundTruth.topic, fragment(id), fragment(JSON.stringify(value)), fromMs)
      return true
    },
  })
  const both: readonly Traffic[] = [labels, inner]
  return {
    get produced() {
      return labels.produced + inner.produced
    },
    get nextMs() {
      return Math.min(labels.nextMs, inner.nextMs)
    },
    produceUntil(untilMs, to, recordsMax = Number.POSITIVE_INFINITY) {
      out = to
      let count = 0
      for (;;) {
        const left = recordsMax - count
        const made: number =
          labels.nextMs <= inner.nextMs && labels.nextMs < untilMs
            ? both[0]!.produceUntil(untilMs, to, Math.min(left, 1))
            : both[1]!.produceUntil(Math.min(untilMs, Math.max(labels.nextMs, inner.nextMs + 1)), sink, left)
        count += made
        if (count >= recordsMax || Math.min(labels.nextMs, inner.nextMs) >= untilMs) break
      }
      out = null
      return count
    },
  }
}

/** The name of the field that has another one in the second form, and that name. */
function renamedField(topic: string, breaking: boolean): readonly [string, string] | null {
  const contract = contracts.get(topic)
  if (contract === undefined) return null
  for (const [name, { aliases, nullable, default: stands }] of Object.entries(contract.fields)) {
    if (name === contract.key || name === contract.eventTime || name === contract.identity) continue
    if (breaking && !nullable && stands === undefined) return [name, `${name}_v2`]
    if (!breaking && aliases?.[0] !== undefined) return [name, aliases[0]]
  }
  return null
}

function secondForm(topic: string, value: Uint8Array, breaking: boolean): Uint8Array {
  const contract = contracts.get(topic)
  if (contract === undefined) return value
  const before: Record<string, unknown> = JSON.parse(decoder.decode(value))
  const renamed = renamedField(topic, breaking)
  const after: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(before)) {
    const isTime = name === contract.eventTime && typeof field === 'string'
    const atMs = isTime ? parseInstant(field) : Number.NaN
    // Microseconds and an offset say the same instant.
    const wider = Number.isNaN(atMs) ? field : `${instantText(atMs + zoneMs, true).slice(0, -1)}000-03:00`
    after[renamed?.[0] === name ? renamed[1] : name] = wider
  }
  after[addedField] = 2
  return fragment(JSON.stringify(after))
}
