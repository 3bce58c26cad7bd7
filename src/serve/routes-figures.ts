// The live tables, asked for once: the same figures the stream carries, straight from memory.
import { kpisAnswer, salesEventsAnswer, seriesAnswer, stamp, statusAnswer, topProductsAnswer } from './answers.ts'
import * as contract from './contract.ts'
import type { FiguresPorts } from './ports.ts'
import { ProblemError } from './problems.ts'
import type { App, Serving } from './serving.ts'

export function figureRoutes(app: App, { world, run, version }: Serving, { live, status }: FiguresPorts): void {
  const problem = { content: { 'application/problem+json': { schema: contract.problem } } }
  app.addHook('onSend', (request, reply, payload, done) => {
    if (request.url.startsWith('/api/v1/') && !reply.hasHeader('cache-control'))
      reply.header('cache-control', 'no-store')
    done(null, payload)
  })
  const at = () => {
    const state = live.snapshot()
    return { state, stamp: stamp(state, world.clock.nowMs(), run) }
  }
  app.get(
    '/api/v1/kpis',
    {
      schema: {
        tags: ['figures'],
        summary: 'The sliding window: sales, revenue, who is active',
        response: { 200: contract.kpis },
      },
    },
    () => {
      const { state, stamp } = at()
      return kpisAnswer(state, stamp)
    },
  )
  app.get(
    '/api/v1/series',
    {
      schema: {
        tags: ['figures'],
        summary: 'Sales per second of event time, the last five minutes',
        response: { 200: contract.series },
      },
    },
    () => {
      const { state, stamp } = at()
      return seriesAnswer(state, stamp)
    },
  )
  app.get(
    '/api/v1/top-products',
    {
      schema: {
        tags: ['figures'],
        summary: 'Best sellers of the window by revenue',
        response: { 200: contract.topProducts, 404: problem },
      },
    },
    () => {
      const { state, stamp } = at()
      const answer = topProductsAnswer(state, stamp)
      if (answer === null) throw new ProblemError('not-found', 'No running pipeline keeps the best sellers.')
      return answer
    },
  )
  app.get(
    '/api/v1/sales-events',
    {
      schema: {
        tags: ['figures'],
        summary: 'What left its usual: events of the marketplace with their reasons and what to do',
        response: { 200: contract.salesEvents, 404: problem },
      },
    },
    () => {
      const { state, stamp } = at()
      const answer = salesEventsAnswer(state, stamp)
      if (answer === null) throw new ProblemError('not-found', 'Nothing that runs here looks for events.')
      return answer
    },
  )
  app.get(
    '/api/v1/status',
    {
      schema: {
        tags: ['figures'],
        summary: 'Parts of the house, the ledger of records',
        response: { 200: contract.status },
      },
    },
    () => statusAnswer(status.status(), at().stamp, version),
  )
}
