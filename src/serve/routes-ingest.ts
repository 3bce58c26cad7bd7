// Records in over HTTP: one object, an array or NDJSON, each checked by the topic's contract and told apart in the
// answer, which comes when they are durable. An `Idempotency-Key` makes a request safe to send again.
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { adapters } from '../commerce/adapters.ts'
import { unreachable } from '../std/assert.ts'
import { nearest } from '../std/nearest.ts'
import * as contract from './contract.ts'
import type { IngestPort, IngestResult } from './ports.ts'
import { ProblemError, sendProblem } from './problems.ts'
import { type RecordSlices, sliceDocument, sliceLines, slicesOf } from './record-slices.ts'
import type { App, Serving } from './serving.ts'

/** What an `Idempotency-Key` may be: visible ASCII, so that it means the same to everyone. */
const keyForm = /^[\x21-\x7e]{1,200}$/
const ndjson = 'application/x-ndjson'

export function ingestRoutes(app: App, { limits, draining }: Serving, ingest: IngestPort): void {
  const problem = { content: { 'application/problem+json': { schema: contract.ingestProblem } } }
  let underWay = 0

  // In a scope of their own: here bodies stay bytes.
  app.register(async (scope: App) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(
      ['application/json', ndjson],
      { parseAs: 'buffer', bodyLimit: limits.ingestBodyBytesMax },
      (_request, body, done) => done(null, body),
    )
    scope.post(
      '/api/v1/ingest/:topic',
      {
        schema: {
          tags: ['ingest'],
          summary: 'Take events in',
          description:
            'The body is one JSON object, an array of them, or (`application/x-ndjson`) one a line. Each is checked by the ' +
            "topic's contract; those that stand are appended as they came, all together, and answered for once they are " +
            'durable. 200: at least one was accepted (or there was none to accept); 422: none was. With an ' +
            '`Idempotency-Key` the same request within 24 hours gets the same answer and adds nothing; another body under ' +
            'the same key is refused. `?from=shopify-order` takes one Shopify order (JSON) for the topic `sales`.',
          // The bytes are judged by the contract of the topic, not here.
          consumes: ['application/json', ndjson],
          body: z
            .unknown()
            .meta({ description: 'one record, an array of records, or one a line; at most 4 MiB, 10,000 records' }),
          params: z.object({ topic: z.string().min(1).max(249) }),
          querystring: z.object({ from: z.enum([...adapters.keys()]).optional() }),
          headers: z.object({
            'idempotency-key': z.string().regex(keyForm, 'is 1 to 200 visible ASCII characters').optional(),
          }),
          response: {
            200: contract.ingested,
            400: problem,
            404: problem,
            413: problem,
            415: problem,
            422: problem,
            429: problem,
            503: problem,
          },
        },
        onRequest(request, reply, done) {
          const { topic } = request.params
          if (!ingest.topics.includes(topic)) {
            const near = nearest(topic, ingest.topics)
            const names = ingest.topics.join(', ')
            throw new ProblemError(
              'unknown-topic',
              `Records are taken for topics with a contract: ${names}.`,
              near === null ? null : `Did you mean ${near}?`,
            )
          }
          if (draining()) throw new ProblemError('closing', 'No records are taken while Millrace stops.')
          // Before the body is read: bodies are what takes memory.
          if (underWay >= limits.ingestsAtOnceMax)
            throw new ProblemError(
              'no-room',
              `${underWay} requests are being taken in.`,
              'Send it again a little later.',
            )
          underWay++
          reply.raw.on('close', () => void underWay--)
          done()
        },
      },
      async (request, reply) => {
        const { topic } = request.params
        const { from } = request.query
        const key = request.headers['idempotency-key']
        const { body } = request
        if (!(body instanceof Uint8Array)) throw new ProblemError('bad-request', 'The request has no body.')
        const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? ''
        const { records, alone } = recordsIn(body, { topic, type, from, recordsMax: limits.ingestRecordsMax })
        const fingerprint = createHash('sha256')
          .update(`${topic}\n${type}\n${from ?? ''}\n`)
          .update(body)
        const outcome = await ingest.take({
          topic,
          records,
          once: key === undefined ? null : { key, fingerprint: fingerprint.digest('base64') },
        })
        switch (outcome.kind) {
          case 'taken': {
            const results = outcome.results.map(resultJson)
            const accepted = outcome.results.reduce((sum, result) => sum + Number(result.accepted), 0)
            const rejected = results.length - accepted
            if (accepted === 0 && rejected > 0) return refuse(results, alone)
            reply.header('cache-control', 'no-store')
            return { topic, accepted, rejected, repeated: outcome.repeated, results }
          }
          case 'key-reused':
            throw new ProblemError(
              'key-reused',
              'Another request was taken under this Idempotency-Key in the last 24 hours.',
              'Use a new key for a new request.',
            )
          case 'no-room':
            throw new ProblemError('no-room', 'Too many bytes wait for the disk.', 'Send it again a little later.')
          case 'refused':
            throw new ProblemError('log-refused', outcome.detail, 'Nothing was taken: send it again later.')
          default:
            return unreachable(outcome)
        }

        function refuse(results: contract.IngestResultJson[], alone: boolean) {
          const first = outcome.kind === 'taken' ? outcome.results[0] : undefined
          const why = first !== undefined && !first.accepted ? first : null
          const broken = alone && (why?.reason === 'not-json' || why?.reason === 'not-utf8')
          const detail =
            results.length === 1
              ? `The record was rejected: ${why?.message}.`
              : `All ${results.length} records were rejected.`
          return sendProblem(reply, broken ? 'bad-request' : 'nothing-accepted', detail, null, { results })
        }
      },
    )
  })
}

function recordsIn(
  body: Uint8Array,
  how: {
    readonly topic: string
    readonly type: string
    readonly from: string | undefined
    readonly recordsMax: number
  },
): { readonly records: RecordSlices; readonly alone: boolean } {
  if (how.from !== undefined) return { records: adapted(body, how.from, how.topic, how.type), alone: false }
  const division = how.type === ndjson ? sliceLines(body, how.recordsMax) : sliceDocument(body, how.recordsMax)
  switch (division.kind) {
    case 'records':
      return division
    case 'malformed':
      throw new ProblemError('bad-request', division.detail)
    case 'too-many':
      throw new ProblemError(
        'too-large',
        `A request holds at most ${how.recordsMax} records.`,
        'Send them in portions.',
      )
    default:
      return unreachable(division)
  }
}

/** One document of another system, as records. */
function adapted(body: Uint8Array, from: string, topic: string, type: string): RecordSlices {
  const adapter = adapters.get(from)
  if (adapter === undefined || adapter.topic !== topic)
    throw new ProblemError(
      'bad-request',
      `'${from}' gives records of ${adapter?.topic ?? 'no topic'}, not of ${topic}.`,
    )
  if (type === ndjson) throw new ProblemError('bad-request', `'${from}' takes one JSON document, not lines.`)
  let document: unknown
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body))
  } catch {
    throw new ProblemError('bad-request', 'The body is not JSON in UTF-8.')
  }
  const mapped = adapter.map(document)
  if (mapped.kind === 'records') return slicesOf(mapped.records)
  const where = mapped.field === '' ? '' : `${mapped.field}: `
  throw new ProblemError('nothing-accepted', `${where}${mapped.message}`)
}

function resultJson(result: IngestResult, index: number): contract.IngestResultJson {
  if (result.accepted) return { index, status: 'accepted', partition: result.partition, offset: result.offset }
  const { reason, field, message } = result
  return { index, status: 'rejected', reason, field, message }
}
