// Topics and consumer groups as people look at them: how many records, who is behind, and the records themselves.
import { z } from 'zod'
import { nearest } from '../std/nearest.ts'
import { timeText } from './answers.ts'
import * as contract from './contract.ts'
import type { MetricsPort, TopicsPort } from './ports.ts'
import { ProblemError } from './problems.ts'
import type { App, Serving } from './serving.ts'
import * as stores from './store-contract.ts'

const recordsDefault = 50
const recordsMax = 500

export function topicRoutes(app: App, { world, draining }: Serving, topics: TopicsPort): void {
  const problem = { content: { 'application/problem+json': { schema: contract.problem } } }
  app.get(
    '/api/v1/topics',
    {
      schema: {
        tags: ['topics'],
        summary: 'The topics of the broker, by name',
        response: { 200: stores.topicList },
      },
    },
    () => ({
      asOf: timeText(world.clock.nowMs()),
      topics: topics.list().map((topic) => ({ ...topic, partitions: topic.partitions.map((each) => ({ ...each })) })),
    }),
  )
  app.get(
    '/api/v1/topics/:topic/records',
    {
      schema: {
        tags: ['topics'],
        summary: 'Committed records of one partition, oldest first',
        description:
          'From `offset` on; without it the newest. `next` is the offset of the next page, or where new records will come.',
        params: z.object({ topic: z.string().min(1).max(249) }),
        querystring: z.strictObject({
          partition: z.coerce.number().int().min(0).default(0),
          offset: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
          limit: z.coerce.number().int().min(1).max(recordsMax).default(recordsDefault),
        }),
        response: { 200: stores.topicRecords, 404: problem, 503: problem },
      },
    },
    async (request) => {
      if (draining()) throw new ProblemError('closing', 'Nothing is read while Millrace stops.')
      const { topic: name } = request.params
      const { partition, offset, limit } = request.query
      const all = topics.list()
      const topic = all.find((each) => each.name === name)
      if (topic === undefined) {
        const near = nearest(
          name,
          all.map((each) => each.name),
        )
        throw new ProblemError(
          'not-found',
          `There is no topic ${name}.`,
          near === null ? null : `Did you mean ${near}?`,
        )
      }
      if (partition >= topic.partitions.length) {
        throw new ProblemError('not-found', `${name} has the partitions 0 to ${topic.partitions.length - 1}.`)
      }
      const read = await topics.records({ topic: name, partition, offset: offset ?? null, limit })
      return {
        topic: name,
        partition,
        asOf: timeText(world.clock.nowMs()),
        start: read.start,
        end: read.end,
        next: read.next,
        records: read.records.map(({ timestampMs, ...record }) => ({
          ...record,
          headers: record.headers.map((header) => ({ ...header })),
          timestamp: timestampText(timestampMs),
        })),
      }
    },
  )
}

/** A producer may write any number as a record's time. */
function timestampText(ms: number): string | null {
  return ms >= 0 && ms < 253_402_300_800_000 ? timeText(ms) : null
}

export function groupRoutes(app: App, { world }: Serving, metrics: MetricsPort): void {
  app.get(
    '/api/v1/groups',
    {
      schema: {
        tags: ['topics'],
        summary: 'Consumer groups: members, and how far they are behind, in records and in time',
        response: { 200: stores.groupList },
      },
    },
    async () => {
      const groups = await metrics.groupLags()
      return {
        asOf: timeText(world.clock.nowMs()),
        groups: groups.map(({ group, members, partitions }) => ({
          group,
          members,
          lagRecords: partitions.reduce((sum, each) => sum + each.lagRecords, 0),
          partitions: partitions.map((each) => ({ ...each })),
        })),
      }
    },
  )
}
