// What people should know about the house while it runs: its components, and the account of its records.
import type { Broker } from '../broker/broker.ts'
import type { LogJob } from '../connect/connect.ts'
import type { Log } from '../log/log.ts'
import type { Component, LedgerRow } from '../serve/ports.ts'
import { partitionId } from '../std/units.ts'
import { brokerComponent } from './broker-metrics.ts'
import type { Generator } from './generator.ts'
import type { Jobs } from './jobs.ts'
import type { Watching } from './watching.ts'

// --- Health: what people should know about ---

export function components(
  broker: Broker,
  jobs: Jobs,
  generator: Generator | null,
  watching: Watching | null,
): Component[] {
  const paused = jobs.all.map((job) => job.trouble()?.message).find((message) => message !== undefined)
  const behind = jobs.all.filter((job) => !job.caughtUp())
  return [
    brokerComponent(broker),
    {
      name: 'engine',
      state: paused !== undefined ? 'degraded' : behind.length === 0 || jobs.started ? 'ok' : 'starting',
      detail: paused ?? (behind.length === 0 ? 'caught up' : 'catching up with the log'),
    },
    generator === null
      ? { name: 'generator', state: 'off', detail: 'not wanted in this run' }
      : {
          name: 'generator',
          state: generator.trouble() !== null ? 'down' : generator.pause() !== null ? 'degraded' : 'ok',
          detail: (generator.trouble() ?? generator.pause())?.message ?? 'selling',
        },
    ...(watching === null ? [] : [watching.component()]),
  ]
}

export function ledger(log: Log, jobs: readonly LogJob[]): LedgerRow[] {
  const lines = new Map<string, LedgerRow>()
  for (const line of jobs.flatMap((job) => job.ledger())) {
    const sum = lines.get(line.topic) ?? {
      topic: line.topic,
      in: 0,
      processed: 0,
      duplicates: 0,
      late: 0,
      deadLettered: 0,
      inFlight: 0,
    }
    const inLog = endOf(log, line.topic, line.partition)
    lines.set(line.topic, {
      topic: line.topic,
      in: sum.in + inLog,
      processed: sum.processed + line.processed,
      duplicates: sum.duplicates + line.duplicates,
      late: sum.late + line.late,
      deadLettered: sum.deadLettered + line.deadLettered,
      inFlight: sum.inFlight + inLog - line.in,
    })
  }
  return [...lines.values()]
}

function endOf(log: Log, topic: string, partition: number): number {
  return log.offsets(topic, partitionId(partition)).end
}
