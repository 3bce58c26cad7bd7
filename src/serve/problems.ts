// Errors as RFC 9457 problems: what went wrong and what to do about it, never how we are built inside.
import type { FastifyReply } from 'fastify'
import type { Problem } from './contract.ts'

export type ProblemKind =
  | 'bad-request'
  | 'host-not-allowed'
  | 'origin-not-allowed'
  | 'not-found'
  | 'unknown-report'
  | 'unknown-table'
  | 'store-away'
  | 'unknown-topic'
  | 'screen-not-built'
  | 'too-large'
  | 'not-json'
  | 'nothing-accepted'
  | 'key-reused'
  | 'sql-refused'
  | 'no-room'
  | 'log-refused'
  | 'busy'
  | 'too-many-streams'
  | 'timed-out'
  | 'closing'
  | 'internal'

const table: Record<ProblemKind, { readonly status: number; readonly title: string }> = {
  'bad-request': { status: 400, title: 'The request is not understood' },
  'host-not-allowed': { status: 403, title: 'This host name is not served here' },
  'origin-not-allowed': { status: 403, title: 'Requests from other sites are refused' },
  'not-found': { status: 404, title: 'Nothing is here' },
  'unknown-report': { status: 404, title: 'There is no such report' },
  'unknown-table': { status: 404, title: 'There is no such table' },
  'store-away': { status: 503, title: 'The serving store cannot be asked now' },
  'unknown-topic': { status: 404, title: 'No records are taken for this topic' },
  'screen-not-built': { status: 404, title: 'The screen is not built' },
  'too-large': { status: 413, title: 'The request is too large' },
  'not-json': { status: 415, title: 'The body must be JSON' },
  'nothing-accepted': { status: 422, title: 'No record was accepted' },
  'key-reused': { status: 422, title: 'The idempotency key belongs to another request' },
  'sql-refused': { status: 422, title: 'This statement is not run' },
  'no-room': { status: 429, title: 'Records come faster than they can be stored' },
  'log-refused': { status: 503, title: 'The log does not take records now' },
  busy: { status: 503, title: 'Too much at once' },
  'too-many-streams': { status: 503, title: 'Too many live streams' },
  'timed-out': { status: 504, title: 'It took too long' },
  closing: { status: 503, title: 'Millrace is stopping' },
  internal: { status: 500, title: 'Something broke here' },
}

/** An error that a handler throws on purpose. */
export class ProblemError extends Error {
  override name = 'ProblemError'
  readonly kind: ProblemKind
  readonly cure: string | null
  constructor(kind: ProblemKind, detail: string, cure: string | null = null) {
    super(detail)
    this.kind = kind
    this.cure = cure
  }
}

export function problemOf(kind: ProblemKind, detail: string, cure: string | null, instance: string | null): Problem {
  const { status, title } = table[kind]
  return {
    type: `urn:millrace:problem:${kind}`,
    title,
    status,
    detail,
    ...(instance !== null && { instance }),
    ...(cure !== null && { cure }),
  }
}

export function sendProblem(
  reply: FastifyReply,
  kind: ProblemKind,
  detail: string,
  cure: string | null = null,
  /** Members of its own kind (RFC 9457 §3.2). */
  members: Readonly<Record<string, unknown>> = {},
): FastifyReply {
  const problem = { ...problemOf(kind, detail, cure, pathOf(reply.request.url)), ...members }
  if (problem.status === 503 || problem.status === 429) reply.header('retry-after', '2')
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .header('cache-control', 'no-store')
    .serializer((body: unknown) => JSON.stringify(body))
    .send(problem)
}

/** The path as it was asked for, without the query (which may hold what should not be repeated), at most 200 characters. */
function pathOf(url: string): string {
  const mark = url.indexOf('?')
  return url.slice(0, Math.min(mark < 0 ? url.length : mark, 200))
}

/** What Fastify and the schemas throw, as our kinds; null for what nobody expected. */
export function kindOfFault(error: unknown): { readonly kind: ProblemKind; readonly detail: string } | null {
  if (!(error instanceof Error)) return null
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500
  if ('validation' in error && error.validation) return { kind: 'bad-request', detail: error.message }
  switch (code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return {
        kind: 'not-json',
        detail: 'Send `content-type: application/json` (for events also `application/x-ndjson`).',
      }
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return { kind: 'too-large', detail: error.message }
    case 'FST_ERR_HANDLER_TIMEOUT':
      return { kind: 'timed-out', detail: error.message }
    default:
      return status >= 400 && status < 500 ? { kind: 'bad-request', detail: error.message } : null
  }
}
