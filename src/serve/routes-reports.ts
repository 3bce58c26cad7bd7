// Batch answers over the log: the list, and running one. Running writes nothing, but costs: few at once, within a time.
import { z } from 'zod'
import { nearest } from '../std/nearest.ts'
import { timeText } from './answers.ts'
import * as contract from './contract.ts'
import type { ReportsPort } from './lake-ports.ts'
import { ProblemError } from './problems.ts'
import type { App, Serving } from './serving.ts'

export function reportRoutes(app: App, { world, limits, draining }: Serving, reports: ReportsPort): void {
  const problem = { content: { 'application/problem+json': { schema: contract.problem } } }
  let running = 0
  const intervalOf = (asked: { readonly from: string; readonly to: string } | undefined) =>
    asked === undefined ? null : { fromMs: Date.parse(asked.from), toMs: Date.parse(asked.to) }

  app.get(
    '/api/v1/reports',
    { schema: { tags: ['reports'], summary: 'The reports there are', response: { 200: contract.reportList } } },
    () => ({ reports: reports.list().map((report) => ({ ...report })) }),
  )
  app.get(
    '/api/v1/reports/runs',
    { schema: { tags: ['reports'], summary: 'What ran, newest first', response: { 200: contract.reportRuns } } },
    () => ({
      runs: reports.runs().map(({ startedMs, from, to, ...run }) => ({
        ...run,
        startedAt: timeText(startedMs),
        from: from === null ? null : timeText(from),
        to: to === null ? null : timeText(to),
      })),
    }),
  )
  app.post(
    '/api/v1/reports/:name/runs',
    {
      schema: {
        tags: ['reports'],
        summary: 'Run a report over what the log and the lake hold now',
        description:
          'What the log has goes into the lake first. With an interval only events of it count, and the rows also rest in the lake.',
        params: z.object({ name: z.string().min(1).max(100) }),
        body: contract.reportRequest,
        response: { 200: contract.reportRun, 404: problem, 503: problem, 504: problem },
      },
    },
    async (request, reply) => {
      const { name } = request.params
      const names = reports.list().map((report) => report.name)
      if (!names.includes(name)) {
        const near = nearest(name, names)
        throw new ProblemError(
          'unknown-report',
          `The reports are: ${names.join(', ') || 'none'}.`,
          near === null ? null : `Did you mean ${near}?`,
        )
      }
      if (draining()) throw new ProblemError('closing', 'No report is started while Millrace stops.')
      if (running >= limits.reportsAtOnceMax)
        throw new ProblemError('busy', `${running} reports are running.`, 'Try again when one has ended.')
      const startedMs = world.clock.monoMs()
      // Nothing goes over the connection until it is done: it is not idle.
      request.raw.socket.setTimeout(limits.reportMsMax + limits.idleConnectionMsMax)
      // Not Fastify's own signal and time limit: both end when the body of a POST has been read.
      const work = new AbortController()
      const givenUp = new Promise<never>((_, reject) => {
        work.signal.addEventListener('abort', () => reject(work.signal.reason))
      })
      const tooLong = new ProblemError('timed-out', `The report did not end within ${limits.reportMsMax} ms.`)
      const timer = world.clock.timer(limits.reportMsMax, () => work.abort(tooLong), { background: true })
      const gone = (): void => work.abort(tooLong)
      reply.raw.on('close', gone)
      running++
      const run = reports.run(name, intervalOf(request.body.interval), work.signal)
      // A report that ignores the signal goes on counting as running until it ends.
      const ended = (): void => void running--
      run.then(ended, ended)
      try {
        const result = await Promise.race([run, givenUp])
        return {
          report: name,
          asOf: timeText(world.clock.nowMs()),
          watermark: result.watermarkMs === null ? null : timeText(result.watermarkMs),
          records: result.records,
          durationMs: Math.round(world.clock.monoMs() - startedMs),
          columns: result.columns.map((column) => ({ ...column })),
          rows: result.rows.map((row) => ({ ...row })),
        }
      } finally {
        timer.cancel()
        reply.raw.off('close', gone)
      }
    },
  )
}
