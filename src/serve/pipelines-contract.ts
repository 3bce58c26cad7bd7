// What the API says of pipelines, for serve, platform and the command line. A door of `serve/`.
import { z } from 'zod'

const time = z.iso.datetime().meta({ description: 'RFC 3339, UTC' })
const count = z.int().min(0)

export const pipeline = z.object({
  name: z.string(),
  doc: z.string(),
  reads: z.array(z.string()),
  writes: z.string().nullable().meta({ description: 'a topic; null: its rows stay in the house' }),
  state: z.enum(['running', 'being-computed', 'failed']),
  job: z.object({
    name: z.string(),
    queuedBytes: count,
    pendingOutputBytes: count,
    stateBytes: count,
    workerThreads: count,
    lastCommit: time.nullable().meta({ description: 'since the start' }),
    lastSnapshot: time.nullable(),
    trouble: z.string().nullable().meta({ description: 'why it waits' }),
    failure: z.string().nullable().meta({ description: 'why it has ended' }),
  }),
  operators: z.array(
    z.object({
      operator: z.string().meta({ description: 'id of its node in the plan' }),
      kind: z.string(),
      rows: count.meta({ description: 'taken in since the start' }),
      rowsPerSecond: z.number(),
      busyShare: z.number().meta({ description: "of its job's own thread, 0 to 1" }),
      stateBytes: count,
      watermark: time.nullable(),
      lagSeconds: z.number().nullable().meta({ description: 'wall time less watermark' }),
    }),
  ),
})
export const pipelines = z.object({ asOf: time, pipelines: z.array(pipeline) }).meta({ id: 'Pipelines' })
