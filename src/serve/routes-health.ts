// For probes and people: is the process alive, is the house ready, which version is it.
import { z } from 'zod'
import { timeText } from './answers.ts'
import * as contract from './contract.ts'
import type { Check } from './ports.ts'
import type { App, Serving } from './serving.ts'

/** A house that cannot answer in this time is not ready. */
export const checksMsMax = 2_000

export function healthRoutes(app: App, serving: Serving): void {
  const { world, ports } = serving
  const plain = { 'cache-control': 'no-store', 'content-type': 'text/plain; charset=utf-8' }

  app.get(
    '/livez',
    {
      schema: {
        tags: ['health'],
        summary: 'The event loop turns',
        response: { 200: { content: { 'text/plain': { schema: z.string() } } } },
      },
    },
    (_request, reply) => {
      reply.headers(plain).serializer(String)
      return 'ok\n'
    },
  )
  app.get(
    '/version',
    { schema: { tags: ['health'], summary: 'Name and version', response: { 200: contract.version } } },
    () => ({ name: 'millrace', version: serving.version }),
  )

  const look = async (): Promise<readonly Check[]> => {
    if (serving.draining()) return [{ name: 'draining', ok: false, needed: true, detail: 'Millrace is stopping' }]
    let tooLate: () => void = () => {}
    const late = new Promise<readonly Check[]>((resolve) => {
      const detail = `no answer within ${checksMsMax} ms: the process is overloaded or a part of it hangs`
      tooLate = () => resolve([{ name: 'checks', ok: false, needed: true, detail }])
    })
    const timer = world.clock.timer(checksMsMax, tooLate, { background: true })
    try {
      return await Promise.race([ports.health.checks(), late])
    } catch (error) {
      ports.fault(error instanceof Error ? error : new Error(String(error)), 'health checks')
      return [
        { name: 'checks', ok: false, needed: true, detail: 'the checks themselves failed: see the log of the server' },
      ]
    } finally {
      timer.cancel()
    }
  }
  const answer = {
    content: { 'text/plain': { schema: z.string() }, 'application/json': { schema: contract.readiness } },
  }
  const readiness = {
    tags: ['health'],
    description:
      '200 when every needed check is ok, else 503. `?verbose` prints one line a check; `?format=json` gives them as data.',
    querystring: z.object({ verbose: z.string().optional(), format: z.enum(['text', 'json']).optional() }),
    response: { 200: answer, 503: answer },
  }
  for (const path of ['/readyz', '/healthz'])
    app.get(
      path,
      { schema: { ...readiness, summary: path === '/readyz' ? 'The house is ready' : 'The same as /readyz' } },
      async (request, reply) => {
        const checks = await look()
        const ready = checks.every((check) => check.ok || !check.needed)
        reply.code(ready ? 200 : 503).header('cache-control', 'no-store')
        if (request.query.format === 'json')
          return {
            ready,
            asOf: timeText(world.clock.nowMs()),
            checks: checks.map(({ name, ok, needed, detail }) => ({ name, ok, needed, detail })),
          }
        const lines = checks.map(
          ({ name, ok, needed, detail }) =>
            `[${ok ? '+' : needed ? '-' : '~'}]${name} ${ok ? 'ok' : 'failed'}: ${detail}`,
        )
        const verdict = ready ? 'ready' : 'not ready'
        const text = request.query.verbose === undefined && ready ? 'ok\n' : `${[...lines, verdict].join('\n')}\n`
        reply.headers(plain).serializer(String)
        return text
      },
    )
}
