// What rests in the lake, SQL over it, and how far the live figures agree with a batch over it.
import { z } from 'zod'
import { timeText } from './answers.ts'
import * as contract from './contract.ts'
import type { LakePort, ReconciledFigure, ReconciliationPort, SqlPort } from './lake-ports.ts'
import { ProblemError } from './problems.ts'
import type { App, Serving } from './serving.ts'

const problem = { content: { 'application/problem+json': { schema: contract.problem } } }

export function lakeRoutes(app: App, { limits, draining }: Serving, lake: LakePort): void {
  app.get(
    '/api/v1/lake',
    { schema: { tags: ['lake'], summary: 'What rests in the lake', response: { 200: contract.lakeStatus } } },
    () => {
      const { version, recordsBehind, layers } = lake.status()
      return { version, recordsBehind, layers: layers.map((layer) => ({ ...layer })) }
    },
  )
  app.post(
    '/api/v1/lake/compactions',
    {
      schema: {
        tags: ['lake'],
        summary: 'Make one file of many small ones',
        body: z.strictObject({}),
        response: { 200: contract.compaction, 503: problem },
      },
    },
    async (request) => {
      if (draining()) throw new ProblemError('closing', 'Nothing is begun while Millrace stops.')
      // Nothing goes over the connection until it is done: it is not idle.
      request.raw.socket.setTimeout(limits.reportMsMax + limits.idleConnectionMsMax)
      return await lake.compact()
    },
  )
}

export function sqlRoute(app: App, { draining }: Serving, sql: SqlPort): void {
  app.post(
    '/api/v1/sql',
    {
      schema: {
        tags: ['lake'],
        summary: 'One SELECT over lake.*, topic.* and live.*',
        description:
          'Read-only, in a process of its own: five seconds, 256 MiB, 10,000 rows, no files, no network. Off unless started with --sql.',
        body: contract.sqlRequest,
        response: { 200: contract.sqlAnswer, 422: problem, 503: problem, 504: problem },
      },
    },
    async (request) => {
      if (draining()) throw new ProblemError('closing', 'Nothing is begun while Millrace stops.')
      const answer = await sql.run(request.body.sql)
      if ('refused' in answer) throw new ProblemError(answer.tooSlow ? 'timed-out' : 'sql-refused', answer.refused)
      return {
        columns: answer.columns.map((column) => ({ ...column })),
        rows: answer.rows.map((row) => [...row]),
        truncated: answer.truncated,
        durationMs: Math.round(answer.durationMs),
      }
    },
  )
}

export function reconciliationRoutes(app: App, { world, limits }: Serving, reconciliation: ReconciliationPort): void {
  const shown = (figures: readonly ReconciledFigure[]) => ({
    asOf: timeText(world.clock.nowMs()),
    figures: figures.map(({ checkedMs, fromMs, toMs, examples, ...figure }) => ({
      ...figure,
      checkedAt: checkedMs === null ? null : timeText(checkedMs),
      from: fromMs === null ? null : timeText(fromMs),
      to: toMs === null ? null : timeText(toMs),
      examples: examples.map((example) => ({ ...example })),
    })),
  })
  app.get(
    '/api/v1/reconciliation',
    {
      schema: {
        tags: ['lake'],
        summary: 'The live figures of closed windows, held against a batch over the lake',
        response: { 200: contract.reconciliation },
      },
    },
    () => shown(reconciliation.state()),
  )
  app.post(
    '/api/v1/reconciliation',
    {
      schema: {
        tags: ['lake'],
        summary: 'Compare now',
        body: z.strictObject({}),
        response: { 200: contract.reconciliation },
      },
    },
    async (request) => {
      request.raw.socket.setTimeout(limits.reportMsMax + limits.idleConnectionMsMax)
      return shown(await reconciliation.check())
    },
  )
}
