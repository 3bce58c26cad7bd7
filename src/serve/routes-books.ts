// The books of the house: the account of every record, and what was refused with its way back.
import { z } from 'zod'
import { timeText } from './answers.ts'
import * as contract from './books-contract.ts'
import type { BooksPort, DeadLetterFilter, DeadLetterRow, DeadLettersPort, LedgerLine } from './books-ports.ts'
import { problem as problemSchema } from './contract.ts'
import { ProblemError } from './problems.ts'
import type { App, Serving } from './serving.ts'

const lettersMax = 1_000

export function ledgerRoute(app: App, { world }: Serving, books: BooksPort): void {
  app.get(
    '/api/v1/ledger',
    {
      schema: {
        tags: ['books'],
        summary: 'Where every record is: in = processed + duplicates + late + dead-lettered + in flight',
        description: 'Of each topic that a pipeline reads, by partition, since it was created. `imbalance` is 0.',
        response: { 200: contract.ledger },
      },
    },
    () => {
      const { imbalance, topics } = books.ledger()
      return {
        asOf: timeText(world.clock.nowMs()),
        imbalance,
        topics: Object.fromEntries(
          topics.map(({ topic, partitions, ...sum }) => [
            topic,
            { ...line(sum), partitions: partitions.map((one) => ({ partition: one.partition, ...line(one) })) },
          ]),
        ),
      }
    },
  )
  app.get(
    '/api/v1/orders',
    {
      schema: {
        tags: ['books'],
        summary: 'The orders pipeline: how many a second, what was rejected, what went wrong',
        response: { 200: contract.orders },
      },
    },
    () => ({ asOf: timeText(world.clock.nowMs()), ...books.orders() }),
  )
}
function line({ in: all, processed, duplicates, late, deadLettered, inFlight, imbalance }: LedgerLine): LedgerLine {
  return { in: all, processed, duplicates, late, deadLettered, inFlight, imbalance }
}

export function deadLetterRoutes(app: App, { world, draining }: Serving, deadLetters: DeadLettersPort): void {
  const problem = { content: { 'application/problem+json': { schema: problemSchema } } }
  app.get(
    '/api/v1/dead-letters',
    {
      schema: {
        tags: ['books'],
        summary: 'What was refused, and why: the newest that match, and counts of all that do',
        querystring: contract.deadLetterQuery.extend({
          limit: z.coerce.number().int().min(1).max(lettersMax).default(100),
        }),
        response: { 200: contract.deadLetterList },
      },
    },
    async (request) => {
      const { limit, ...query } = request.query
      const { matching, counts, letters } = await deadLetters.list(filterOf(query), limit)
      return {
        asOf: timeText(world.clock.nowMs()),
        matching,
        counts: counts.map((count) => ({ ...count })),
        letters: letters.map(letterJson),
      }
    },
  )
  app.get(
    '/api/v1/dead-letters/:topic/:partition/:offset',
    {
      schema: {
        tags: ['books'],
        summary: 'One of them, with its bytes',
        params: z.object({
          topic: z.string().min(1).max(249),
          partition: z.coerce.number().int().min(0),
          offset: z.coerce.number().int().min(0),
        }),
        response: { 200: contract.deadLetterWhole, 404: problem },
      },
    },
    async (request) => {
      const { topic, partition, offset } = request.params
      const found = await deadLetters.show(topic, partition, offset)
      if (found === null)
        throw new ProblemError(
          'not-found',
          `There is no dead letter of ${topic} at ${partition}/${offset}.`,
          'GET /api/v1/dead-letters lists them.',
        )
      return { ...letterJson(found), value: { ...found.value } }
    },
  )
  app.post(
    '/api/v1/dead-letters/replay',
    {
      schema: {
        tags: ['books'],
        summary: 'Send them back into their topics after a fix',
        description:
          'Each goes back once, however often this is asked; those that would fail again stay, unless `all`. `set` puts fields ' +
          'into each JSON object before. With `dryRun` nothing is sent.',
        body: contract.deadLetterReplay,
        response: { 200: contract.replayOutcome, 503: problem },
      },
    },
    async (request) => {
      if (draining()) throw new ProblemError('closing', 'Nothing is sent back while Millrace stops.')
      const { dryRun, all, set, ...query } = request.body
      const outcome = await deadLetters.replay(filterOf(query), { dryRun, all, set: set ?? null })
      return { ...outcome, topics: outcome.topics.map((one) => ({ ...one })) }
    },
  )
}

type Query = z.infer<typeof contract.deadLetterQuery>
function filterOf({ topic, reason, rule, since, until }: Query): DeadLetterFilter {
  return {
    ...(topic === undefined ? {} : { topic }),
    ...(reason === undefined ? {} : { reason }),
    ...(rule === undefined ? {} : { rule }),
    ...(since === undefined ? {} : { sinceMs: Date.parse(since) }),
    ...(until === undefined ? {} : { untilMs: Date.parse(until) }),
  }
}
function letterJson(row: DeadLetterRow): z.infer<typeof contract.deadLetter> {
  const { topic, partition, offset, bytes, reason, rule, message, original, version, attempt, replayed } = row
  return {
    ...{ topic, partition, offset, bytes, reason, rule, message, version, attempt, replayed },
    keptAt: timeText(row.keptMs),
    original: { partition: original.partition, offset: original.offset },
  }
}
