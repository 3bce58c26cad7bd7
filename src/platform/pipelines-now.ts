// What each pipeline does now, for people: read when it is asked for, from what the jobs count anyway. Rates are of the time
// between two questions, at least two seconds apart; the first is of all since the start.
import { pipelines } from '../commerce/commerce.ts'
import type { LogJob } from '../connect/connect.ts'
import type { PipelineNow, PipelinesPort } from '../serve/ports.ts'
import { instantText } from '../std/instant.ts'
import { entryOf } from '../std/maps.ts'
import type { World } from '../world/world.ts'
import { publishedPlans } from './jobs.ts'

const apartMs = 2_000

interface Counted {
  rows: number
  busyMs: number
  atMs: number
  rowsPerSecond: number
  busyShare: number
}

/** `jobs`: which job runs each pipeline. */
export function pipelinesNow(world: World, jobs: ReadonlyMap<string, LogJob>): PipelinesPort {
  const startedMs = world.clock.monoMs()
  const before = new Map<string, Counted>()
  const failures = new Map<LogJob, string>()
  for (const job of new Set(jobs.values())) void job.failed.then((error) => failures.set(job, error.message))
  const published = new Map(publishedPlans().map((plan) => [plan.name, plan.output.topic ?? plan.name]))
  const text = (ms: number | null): string | null =>
    ms === null || !Number.isFinite(ms) ? null : instantText(ms, true)

  const rates = (id: string, rows: number, busyMs: number): Pick<Counted, 'rowsPerSecond' | 'busyShare'> => {
    const nowMs = world.clock.monoMs()
    const last = entryOf(before, id, () => ({ rows: 0, busyMs: 0, atMs: startedMs, rowsPerSecond: 0, busyShare: 0 }))
    const passedMs = nowMs - last.atMs
    if (passedMs >= apartMs) {
      // Less than before: other plans took over, and their operators count anew.
      last.rowsPerSecond = (Math.max(0, rows - last.rows) * 1000) / passedMs
      last.busyShare = Math.min(1, Math.max(0, busyMs - last.busyMs) / passedMs)
      Object.assign(last, { rows, busyMs, atMs: nowMs })
    }
    return { rowsPerSecond: last.rowsPerSecond, busyShare: last.busyShare }
  }

  return {
    pipelines() {
      const nowMs = world.clock.nowMs()
      return [...jobs].map(([name, job]): PipelineNow => {
        const { queuedBytes, pendingOutputBytes, stateBytes, shards, committedAtMs, snapshotAtMs } = job.load()
        const failure = failures.get(job) ?? null
        const running = job.plans().includes(name)
        return {
          name,
          doc: pipelines.get(name)?.doc ?? '',
          reads: [...(pipelines.get(name)?.reads ?? [])],
          writes: published.get(name) ?? null,
          state: failure !== null ? 'failed' : running ? 'running' : 'being-computed',
          job: {
            name: job.name,
            queuedBytes,
            pendingOutputBytes,
            stateBytes,
            workerThreads: shards,
            lastCommit: text(committedAtMs),
            lastSnapshot: text(snapshotAtMs),
            trouble: job.trouble()?.message ?? null,
            failure,
          },
          operators: job
            .operators()
            .filter(({ plan }) => plan === name)
            .map(({ operator, kind, rowsIn, busyMs, stateBytes, watermarkMs }) => ({
              operator,
              kind,
              rows: rowsIn,
              ...rates(`${name}/${operator}`, rowsIn, busyMs),
              stateBytes,
              watermark: text(watermarkMs),
              lagSeconds: Number.isFinite(watermarkMs) ? (nowMs - watermarkMs) / 1000 : null,
            })),
        }
      })
    },
  }
}
