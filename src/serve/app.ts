// The Fastify application: limits, guard, headers, problems and the routes, from plain parts.
import swagger from '@fastify/swagger'
import { fastify } from 'fastify'
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod'
import { guardRequest, securityHeaders } from './guard.ts'
import { kindOfFault, ProblemError, sendProblem } from './problems.ts'
import { deadLetterRoutes, ledgerRoute } from './routes-books.ts'
import { figureRoutes } from './routes-figures.ts'
import { healthRoutes } from './routes-health.ts'
import { ingestRoutes } from './routes-ingest.ts'
import { insightRoutes } from './routes-insights.ts'
import { lakeRoutes, reconciliationRoutes, sqlRoute } from './routes-lake.ts'
import { liveRoute } from './routes-live.ts'
import { metricsRoute } from './routes-metrics.ts'
import { pipelinesRoute } from './routes-pipelines.ts'
import { qualityRoute } from './routes-quality.ts'
import { reportRoutes } from './routes-reports.ts'
import { screenRoutes } from './routes-screen.ts'
import { tableRoutes } from './routes-tables.ts'
import { groupRoutes, topicRoutes } from './routes-topics.ts'
import type { App, Serving } from './serving.ts'

export async function application(serving: Serving, names: ReadonlySet<string>): Promise<App> {
  const { hub, limits, ports } = serving
  const app: App = fastify({
    logger: false,
    bodyLimit: limits.bodyBytesMax,
    connectionTimeout: limits.idleConnectionMsMax,
    keepAliveTimeout: limits.idleConnectionMsMax,
    requestTimeout: limits.requestMsMax,
    handlerTimeout: limits.handlerMsMax,
    forceCloseConnections: 'idle',
    http: { maxHeaderSize: limits.headerBytesMax, headersTimeout: limits.headersMsMax },
    frameworkErrors(error, request, reply) {
      reply.headers(securityHeaders)
      try {
        guardRequest(request.method, request.headers, names)
        sendProblem(reply, 'bad-request', error.message)
      } catch (refusal) {
        if (!(refusal instanceof ProblemError)) throw refusal
        sendProblem(reply, refusal.kind, refusal.message, refusal.cure)
      }
    },
    // Bytes that are no HTTP request never become a Request: answer in the plainest way and hang up.
    clientErrorHandler(error, socket) {
      if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
      const status = {
        HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
        ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
      }
      const line = status[error.code as keyof typeof status] ?? '400 Bad Request'
      socket.end(`HTTP/1.1 ${line}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
    },
  }).withTypeProvider<ZodTypeProvider>()
  app.server.maxConnections = limits.connectionsMax
  // Only JSON is taken: plain text is what a form of another site could send without being asked.
  app.removeContentTypeParser('text/plain')
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)

  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(securityHeaders)
    guardRequest(request.method, request.headers, names)
    done()
  })
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      reply,
      'not-found',
      `${request.method} is not answered at this path.`,
      'The paths are listed at /api/v1/openapi.json.',
    ),
  )
  app.setErrorHandler((error, request, reply) => {
    if (error instanceof ProblemError) return sendProblem(reply, error.kind, error.message, error.cure)
    const known = kindOfFault(error)
    if (known !== null) return sendProblem(reply, known.kind, known.detail)
    ports.fault(
      error instanceof Error ? error : new Error(String(error)),
      `${request.method} ${request.routeOptions.url}`,
    )
    return sendProblem(reply, 'internal', 'The fault has been recorded in the log of the server.')
  })

  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Millrace',
        version: serving.version,
        description:
          'Live commerce figures. Money is in integer minor units with its currency and scale; time is RFC 3339, UTC; ' +
          'every live answer says when it was made (`asOf`) and up to where event time is complete (`watermark`).',
      },
      tags: [
        { name: 'figures', description: 'The live tables' },
        { name: 'live', description: 'Server-sent events' },
        { name: 'ingest', description: 'Records in' },
        { name: 'insights', description: 'What to show a visitor, features of models' },
        { name: 'reports', description: 'Batch answers over the log' },
        { name: 'tables', description: 'The serving store' },
        { name: 'topics', description: 'The broker as people look at it' },
        { name: 'books', description: 'The account of every record, and what was refused' },
        { name: 'health', description: 'For probes and people' },
      ],
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  })
  healthRoutes(app, serving)
  if (ports.figures !== null) figureRoutes(app, serving, ports.figures)
  if (hub !== null) liveRoute(app, serving, hub)
  if (ports.ingest !== null) ingestRoutes(app, serving, ports.ingest)
  if (ports.metrics !== null) metricsRoute(app, serving, ports.metrics)
  if (ports.insights !== null) insightRoutes(app, serving, ports.insights)
  if (ports.reports !== null) reportRoutes(app, serving, ports.reports)
  if (ports.quality !== undefined) qualityRoute(app, serving, ports.quality)
  if (ports.books !== undefined) ledgerRoute(app, serving, ports.books)
  if (ports.pipelines !== undefined) pipelinesRoute(app, serving, ports.pipelines)
  if (ports.deadLetters !== undefined) deadLetterRoutes(app, serving, ports.deadLetters)
  if (ports.lake) lakeRoutes(app, serving, ports.lake)
  if (ports.sql) sqlRoute(app, serving, ports.sql)
  if (ports.reconciliation) reconciliationRoutes(app, serving, ports.reconciliation)
  if (ports.tables !== null) tableRoutes(app, serving, ports.tables)
  if (ports.topics !== undefined) topicRoutes(app, serving, ports.topics)
  if (ports.metrics !== null) groupRoutes(app, serving, ports.metrics)
  app.get('/api/v1/openapi.json', { schema: { hide: true } }, (_request, reply) =>
    reply.header('cache-control', 'no-cache').send(app.swagger()),
  )
  screenRoutes(app, serving)
  return app
}
