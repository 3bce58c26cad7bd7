// What people should know about the house while it runs: its components.
import type { Broker } from '../broker/broker.ts'
import type { Component } from '../serve/ports.ts'
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
