// Answers about topics, consumer groups and the tables of the serving store, as schemas.
import { z } from 'zod'

const time = z.iso.datetime().meta({ description: 'RFC 3339, UTC' })
const count = z.int().min(0)

export const topicList = z.object({
  asOf: time,
  topics: z.array(
    z.object({
      name: z.string(),
      cleanup: z.string().meta({ description: 'delete, compact or both' }),
      partitions: z.array(
        z.object({ partition: count, start: count, end: count.meta({ description: 'one past the last record' }) }),
      ),
    }),
  ),
})
export const topicRecords = z.object({
  topic: z.string(),
  partition: count,
  asOf: time,
  start: count,
  end: count,
  next: count.meta({ description: 'where the next page begins' }),
  records: z.array(
    z.object({
      offset: count,
      timestamp: time.nullable().meta({ description: 'null: it says none that is a time' }),
      key: z.string().nullable(),
      value: z.string().nullable().meta({ description: 'as UTF-8, at most 16 KiB of it' }),
      valueBytes: count,
      headers: z.array(z.object({ name: z.string(), value: z.string().nullable() })),
    }),
  ),
})
export const groupList = z.object({
  asOf: time,
  groups: z.array(
    z.object({
      group: z.string(),
      members: count,
      lagRecords: count,
      partitions: z.array(
        z.object({
          topic: z.string(),
          partition: count,
          committed: count,
          lagRecords: count,
          lagMs: z.number().nullable().meta({ description: 'age of the oldest record not taken; null: not known' }),
        }),
      ),
    }),
  ),
})

export const tableList = z.object({
  tables: z.array(
    z.object({
      name: z.string(),
      topic: z.string().meta({ description: 'the topic whose newest rows it holds' }),
      time: z.string().nullable().meta({ description: 'the column by which rows are newest first' }),
      columns: z.array(
        z.object({
          name: z.string(),
          type: z.enum(['text', 'integer', 'real', 'boolean', 'json', 'timestamp']),
          nullable: z.boolean(),
          scale: z.int().nullable().meta({ description: 'of an amount in minor units: its decimals' }),
          currency: z.string().nullable().meta({ description: 'of an amount of money: ISO 4217' }),
        }),
      ),
    }),
  ),
})
export const tableRows = z.object({
  table: z.string(),
  asOf: time,
  rows: z
    .array(z.record(z.string(), z.unknown()))
    .meta({ description: 'by column; `_key`, `_partition` and `_offset` tell the record it comes from' }),
  next: z.string().nullable().meta({ description: '`cursor` of the next page; null: this was the last' }),
})
