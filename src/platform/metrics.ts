// What `/metrics` shows of broker, engine and ingest: read when it is asked for, from what they count anyway.
import type { Broker } from '../broker/broker.ts'
import type { LogJob } from '../connect/connect.ts'
import type { JobOutput } from '../engine/engine.ts'
import type { EngineMetrics, MetricsPort } from '../serve/ports.ts'
import { entryOf } from '../std/maps.ts'
import type { World } from '../world/world.ts'
import { brokerState, recordsOf } from './broker-metrics.ts'
import type { Ingest } from './ingest.ts'

/** Counts by topic and reason. */
export interface DeadLetterCount {
  add(output: JobOutput): void
  counts(): readonly { readonly topic: string; readonly reason: string; readonly records: number }[]
  /** The same by the field at fault too. */
  byRule(): readonly {
    readonly topic: string
    readonly reason: string
    readonly rule: string
    readonly records: number
  }[]
}

export function deadLetterCount(): DeadLetterCount {
  const lines = new Map<string, { topic: string; reason: string; rule: string; records: number }>()
  return {
    add({ deadLetters }) {
      for (const { topic, reason, field: rule } of deadLetters)
        entryOf(lines, `${topic} ${reason} ${rule}`, () => ({ topic, reason, rule, records: 0 })).records++
    },
    counts() {
      const sums = new Map<string, { topic: string; reason: string; records: number }>()
      for (const { topic, reason, records } of lines.values())
        entryOf(sums, `${topic} ${reason}`, () => ({ topic, reason, records: 0 })).records += records
      return [...sums.values()]
    },
    byRule: () => [...lines.values()],
  }
}

/** `pipelines`: which job runs each. */
export function metricsPort(
  world: World,
  parts: {
    readonly broker: Broker
    readonly ingest: Ingest
    readonly deadLetters: DeadLetterCount
    readonly pipelines: ReadonlyMap<string, LogJob>
  },
): MetricsPort {
  const { broker, ingest, deadLetters, pipelines } = parts
  return {
    read() {
      const nowMs = world.clock.nowMs()
      // A record is either turned away at the door or dead-lettered behind it: the two add up.
      const rejected = new Map<string, { topic: string; reason: string; records: number }>()
      for (const { topic, reason, records } of [...ingest.rejected(), ...deadLetters.counts()]) {
        entryOf(rejected, `${topic} ${reason}`, () => ({ topic, reason, records: 0 })).records += records
      }
      return {
        ingested: ingest.topics.map((topic) => ({ topic, records: recordsOf(broker, topic) })),
        rejected: [...rejected.values()],
        watermarkLags: [...pipelines]
          .map(([pipeline, job]) => ({ pipeline, lagMs: nowMs - job.watermarkMs(pipeline) }))
          .filter(({ lagMs }) => Number.isFinite(lagMs)),
        engine: engineState(nowMs, pipelines),
        ...brokerState(broker),
      }
    },
    groupLags: () => broker.groupLags(),
  }
}

function engineState(nowMs: number, pipelines: ReadonlyMap<string, LogJob>): EngineMetrics {
  const jobs = [...new Set(pipelines.values())]
  return {
    operators: jobs.flatMap((job) =>
      job.operators().map(({ plan, watermarkMs, ...line }) => ({
        ...line,
        pipeline: plan,
        lagMs: Number.isFinite(watermarkMs) ? nowMs - watermarkMs : null,
      })),
    ),
    jobs: jobs.map((job) => ({ job: job.name, ...job.load() })),
  }
}
