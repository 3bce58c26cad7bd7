// Reports that run by themselves, when their cron says (UTC): the period of now and the one before it, into the lake's gold.
// A report whose topics have got nothing new since is left out.
import { Cron } from 'croner'
import { type Report, reports } from '../commerce/commerce.ts'
import type { Log } from '../log/log.ts'
import { partitionId } from '../std/units.ts'
import type { Timer, World } from '../world/world.ts'
import type { LakeHouse } from './lake.ts'
import { type Interval, periodsOf, runReport } from './reports.ts'

export interface ReportSchedule {
  stop(): void
}

const dayMs = 24 * 3600_000
const backMs = { day: dayMs, week: 7 * dayMs, month: 31 * dayMs, all: 0 } as const
/** A timer takes at most about 24 days; the clock may also have been set meanwhile. */
const sleepMsMax = 3600_000

/** The next moment of a cron pattern (UTC) after one; null: never. */
export function nextMs(pattern: string, afterMs: number): number | null {
  return new Cron(pattern, { timezone: 'UTC' }).nextRun(new Date(afterMs))?.getTime() ?? null
}

export function startReportSchedule(world: World, log: Log, house: LakeHouse): ReportSchedule {
  const due = new Map<Report, number>()
  const seen = new Map<Report, number>()
  let timer: Timer | null = null
  let stopped = false
  const plan = (report: Report): void => {
    const at = report.schedule === null ? null : nextMs(report.schedule, world.clock.nowMs())
    if (at !== null) due.set(report, at)
  }
  for (const report of reports.values()) plan(report)

  const run = async (report: Report): Promise<void> => {
    const records = recordsOf(log, report)
    if (records === (seen.get(report) ?? 0)) return
    seen.set(report, records)
    const nowMs = world.clock.nowMs()
    const intervals: (Interval | null)[] =
      report.period === 'all' ? [null] : periodsOf(report, { fromMs: nowMs - backMs[report.period], toMs: nowMs })
    for (const interval of intervals)
      if (!stopped) await runReport(world, house, report, { interval, cause: 'schedule', keep: true })
  }
  const look = async (): Promise<void> => {
    for (const [report, at] of due) {
      if (stopped || at > world.clock.nowMs()) continue
      plan(report)
      // What fails is in the history of runs.
      await run(report).catch(() => {})
    }
    sleep()
  }
  const sleep = (): void => {
    if (stopped || due.size === 0) return
    const nextMs = Math.min(...due.values()) - world.clock.nowMs()
    timer = world.clock.timer(Math.min(sleepMsMax, Math.max(1_000, nextMs)), () => void look(), { background: true })
  }
  sleep()
  return {
    stop() {
      stopped = true
      timer?.cancel()
    },
  }
}

/** In the log so far, of the topics it reads. */
function recordsOf(log: Log, { reads }: Report): number {
  let records = 0
  for (const topic of new Set(reads.map((read) => read.topic)))
    for (let partition = 0; partition < (log.topic(topic)?.partitions ?? 0); partition++)
      records += log.offsets(topic, partitionId(partition)).end
  return records
}
