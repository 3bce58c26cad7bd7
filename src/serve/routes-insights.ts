// What to show one visitor now, and the features of models: read from the memory of the jobs, never from a store.
import { z } from 'zod'
import { timeText } from './answers.ts'
import { problem as problemSchema } from './contract.ts'
import { features, recommendations } from './contract-insights.ts'
import type { InsightsPort } from './insights-port.ts'
import { ProblemError } from './problems.ts'
import type { App, Serving } from './serving.ts'

const kinds = ['seller', 'category', 'product', 'user', 'device'] as const
const shownMax = 50

export function insightRoutes(app: App, { world }: Serving, insights: InsightsPort): void {
  const problem = { content: { 'application/problem+json': { schema: problemSchema } } }
  app.get(
    '/api/v1/recommendations/:user',
    {
      schema: {
        tags: ['insights'],
        summary: 'What to show this visitor now',
        params: z.object({ user: z.string().min(1).max(200) }),
        querystring: z.object({ count: z.coerce.number().int().min(1).max(shownMax).default(20) }),
        response: { 200: recommendations },
      },
    },
    (request) => {
      const nowMs = world.clock.nowMs()
      const { user } = request.params
      const { known, items, boughtTogether } = insights.recommendations(user, nowMs, request.query.count)
      return { asOf: timeText(nowMs), user, known, items: [...items], boughtTogether: [...boughtTogether] }
    },
  )
  app.get(
    '/api/v1/features/:entity',
    {
      schema: {
        tags: ['insights'],
        summary: 'Features of a seller, category, product, user or device at this moment',
        description: 'The entity is its kind and name: seller:AMAZON BR, user:U0001.',
        params: z.object({ entity: z.string().min(1).max(300) }),
        response: { 200: features, 404: problem },
      },
    },
    (request) => {
      const { entity } = request.params
      const at = entity.indexOf(':')
      const kind = kinds.find((one) => one === entity.slice(0, at))
      if (kind === undefined)
        throw new ProblemError('not-found', `An entity is one of ${kinds.map((one) => `${one}:NAME`).join(', ')}.`)
      const nowMs = world.clock.nowMs()
      return { asOf: timeText(nowMs), entity, features: { ...insights.features(kind, entity.slice(at + 1), nowMs) } }
    },
  )
}
