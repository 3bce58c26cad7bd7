// Section `shards`: sales-window from record batches on the job's thread alone, and with one and two threads more. Besides
// the rate what each thread costs: on a machine with two cores, or a busy one, the rate alone does not say it.
import { z } from 'zod'
import { measureInChild } from './child.ts'
import { input } from './inputs.ts'
import type { Measured } from './report.ts'
import { type Section, WrongResult } from './section.ts'

const counts = [0, 1, 2] as const
const answer = z.object({
  seconds: z.array(z.number()),
  /** Of each run, ns a record. */
  jobNs: z.array(z.number()),
  shardNs: z.array(z.number()),
  records: z.int(),
  rows: z.int(),
  hash: z.int(),
})
type Answer = z.infer<typeof answer>

const name = (count: number): string => `${count} ${count === 1 ? 'shard' : 'shards'}`

export const shards: Section = async ({ options, say }) => {
  const { path } = input(options.dir, 'sales', options.events, say)
  const taken = new Map<number, Answer[]>(counts.map((count) => [count, []]))
  let first: Answer | null = null
  for (let round = 1; round <= options.runs; round++)
    for (const count of counts) {
      say(`sales-window with ${count} shards, run ${round} of ${options.runs}`)
      const made = await measureInChild('./shards-child.ts', { input: path, shards: count, runs: 2 }, answer)
      first ??= made
      if (made.rows !== first.rows || made.hash !== first.hash)
        throw new WrongResult(`with ${count} shards there are ${made.rows} rows, ${first.rows} without; or they differ`)
      taken.get(count)?.push(made)
    }
  const of = (count: number, values: (from: Answer) => readonly number[]): number[] =>
    // The first run of a process is cold.
    (taken.get(count) ?? []).flatMap((each) => values(each).slice(-1))
  const alone = of(0, ({ seconds, records }) => seconds.map((each) => records / each))
  const peer = { name: 'the job alone', values: alone }
  const rate = (count: number): Measured => ({
    what: name(count),
    unit: 'records/s',
    ours: of(count, ({ seconds, records }) => seconds.map((each) => records / each)),
    peer,
  })
  const cost = (what: string, values: readonly number[]): Measured => ({ what, unit: 'ns', ours: values, peer: null })
  return {
    title: 'Shards: sales-window from record batches, on one thread and on several',
    measured: [
      rate(1),
      rate(2),
      cost(
        'the job alone, processor time a record',
        of(0, ({ jobNs }) => jobNs),
      ),
      ...[1, 2].flatMap((count) => [
        cost(
          `${name(count)}, the job's thread a record`,
          of(count, ({ jobNs }) => jobNs),
        ),
        cost(
          `${name(count)}, the shards a record`,
          of(count, ({ shardNs }) => shardNs),
        ),
      ]),
    ],
    notes: [
      `${(first?.rows ?? 0).toLocaleString('en-US')} rows, the same with and without shards, from 4 partitions; the second half of the records is measured, as threads compile for themselves`,
      'processor time is that of the thread itself; what its runtime does for it elsewhere (compiling, collecting) is left out',
    ],
    skipped: [],
  }
}
