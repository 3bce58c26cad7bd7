// A job of the shop over generated traffic, without a broker and faster than time: what its reactions tell. For scoring.
import { type Emitted, type JobOutput, openJob, type SourceBatch } from '../engine/engine.ts'
import type { Traffic } from '../generate/generate.ts'
import type { Plan } from '../query/plan.ts'
import type { Reaction } from '../query/reaction.ts'

export interface ReplaySettings {
  readonly plans: readonly Plan[]
  readonly reactions: readonly Reaction[]
  readonly traffic: Traffic
  readonly fromMs: number
  readonly untilMs: number
  /** Distance of the ticks, and of the takes. */
  readonly stepMs: number
  readonly onEmit: (emitted: Emitted) => void
  /** Records of topics that no plan reads: the truth. */
  readonly onOther?: (topic: string, value: Uint8Array) => void
  /** After a step: for whoever looks at states. */
  readonly onStep?: (nowMs: number) => void
}
export interface Replayed {
  readonly records: number
  readonly deadLettered: number
  readonly late: number
  readonly stateBytes: number
}

const idleTimeoutMs = 30_000

interface Waiting {
  readonly bytes: Uint8Array[]
  readonly arrivals: number[]
  size: number
}

/** One partition a topic: the order of the traffic is the order of the log. */
export function replay(settings: ReplaySettings): Replayed {
  const { plans, reactions, traffic, stepMs, onEmit, onOther } = settings
  const topics = new Set(plans.flatMap((plan) => Object.keys(plan.contracts)))
  const partitions = Object.fromEntries([...topics].map((topic) => [topic, 1]))
  const job = openJob(plans, { bounded: false, partitions }, reactions)
  const offsets = new Map<string, number>()
  const lastMs = new Map<string, number>()
  const counts = { records: 0, deadLettered: 0, late: 0 }
  let waiting = new Map<string, Waiting>()
  const sink = {
    record(topic: string, _key: Uint8Array, value: Uint8Array, timeMs: number): void {
      if (!topics.has(topic)) {
        onOther?.(topic, value)
        return
      }
      const one = waiting.get(topic) ?? { bytes: [], arrivals: [], size: 0 }
      waiting.set(topic, one)
      one.bytes.push(value.slice())
      one.arrivals.push(timeMs)
      one.size += value.length
    },
  }
  const hand = (output: JobOutput): void => {
    counts.deadLettered += output.deadLetters.length
    counts.late += output.lateRecords.length
    for (const one of output.emitted) onEmit(one)
  }
  for (let atMs = settings.fromMs; atMs < settings.untilMs; atMs += stepMs) {
    traffic.produceUntil(atMs + stepMs, sink)
    for (const [topic, some] of waiting) {
      const first = offsets.get(topic) ?? 0
      offsets.set(topic, first + some.bytes.length)
      lastMs.set(topic, atMs + stepMs)
      counts.records += some.bytes.length
      job.push(batchOf(topic, some, first))
    }
    waiting = new Map()
    // A topic without records for long does not hold the others back.
    const idle = [...topics].flatMap((topic) =>
      atMs + stepMs - (lastMs.get(topic) ?? 0) > idleTimeoutMs && !job.isIdle(topic, 0)
        ? [{ topic, partition: 0 }]
        : [],
    )
    job.tick({ atMs: atMs + stepMs, interval: true, idle })
    hand(job.take())
    settings.onStep?.(atMs + stepMs)
  }
  job.finish()
  hand(job.take())
  return { ...counts, stateBytes: job.stateBytes() }
}
function batchOf(topic: string, { bytes, arrivals, size }: Waiting, first: number): SourceBatch {
  const all = new Uint8Array(size)
  const starts = new Int32Array(bytes.length)
  const ends = new Int32Array(bytes.length)
  let at = 0
  bytes.forEach((one, i) => {
    all.set(one, at)
    starts[i] = at
    at += one.length
    ends[i] = at
  })
  return {
    topic,
    partition: 0,
    bytes: all,
    count: bytes.length,
    starts,
    ends,
    offsets: Float64Array.from(bytes, (_, i) => first + i),
    arrivals: Float64Array.from(arrivals),
  }
}
