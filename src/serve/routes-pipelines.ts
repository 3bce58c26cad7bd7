// What each pipeline reads, writes and does now, with the figures of its operators.
import { timeText } from './answers.ts'
import { pipelines } from './pipelines-contract.ts'
import type { PipelinesPort } from './ports.ts'
import type { App, Serving } from './serving.ts'

export function pipelinesRoute(app: App, { world }: Serving, port: PipelinesPort): void {
  app.get(
    '/api/v1/pipelines',
    {
      schema: {
        tags: ['figures'],
        summary: 'What is computed now: topics, operators with their rates, state and lag, last commit and snapshot',
        description: 'Rates and busy shares are of the last seconds before the question.',
        response: { 200: pipelines },
      },
    },
    () => ({ asOf: timeText(world.clock.nowMs()), pipelines: [...port.pipelines()] }),
  )
}
