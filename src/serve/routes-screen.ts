// The built screen: its pages and assets, from memory. Anything else is the 404 of the application.
import { pagePaths } from './contract.ts'
import { ProblemError } from './problems.ts'
import type { App, Serving } from './serving.ts'

export function screenRoutes(app: App, { screen }: Serving): void {
  if (screen === null) {
    app.get('/', { schema: { hide: true } }, () => {
      throw new ProblemError(
        'screen-not-built',
        'The API works; the page has not been built.',
        'Run `npm run build`, then start again.',
      )
    })
    return
  }
  const page = screen.get('/')
  const pages = page === undefined ? [] : pagePaths.map((path) => [path, page] as const)
  for (const [path, file] of [...screen, ...pages])
    app.get(path, { schema: { hide: true } }, (request, reply) => {
      reply.header('etag', file.etag).header('cache-control', file.cacheControl)
      if (request.headers['if-none-match'] === file.etag) return reply.code(304).send()
      return reply.type(file.type).send(file.body)
    })
}
