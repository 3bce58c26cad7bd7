// Section `nexmark`: queries of the Nexmark benchmark as Plans on the engine, beside the same by hand in DuckDB's SQL. The
// rows are compared before a speed is printed.
import { closeSync, existsSync, mkdirSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { measureInChild } from '../child.ts'
import type { Measured, SectionReport } from '../report.ts'
import { type Bench, WrongResult } from '../section.ts'
import { spreadOf } from '../statistics.ts'
import { nexmarkNames, nexmarkQueries } from './queries.ts'
import { type NexmarkTopic, nexmarkTopics, nexmarkTraffic } from './traffic.ts'

const runsInProcess = 3
const childAnswer = z.object({ seconds: z.array(z.number()), digest: z.object({ rows: z.int(), hashes: z.string() }) })
/** Changes with the traffic, so that an old file is never read as a new one. */
const trafficVersion = 1

interface Files {
  readonly paths: Readonly<Record<NexmarkTopic, string>>
  readonly counts: Readonly<Record<NexmarkTopic, number>>
}

export async function nexmark(bench: Bench): Promise<SectionReport> {
  const { options, say } = bench
  const { paths, counts } = filesOf(options.dir, options.events, say)
  const threads = availableParallelism()
  const sides = [null, threads] as const
  const measured: Measured[] = []
  const rows: string[] = []
  for (const name of nexmarkNames) {
    const { title, reads } = nexmarkQueries[name]
    const records = reads.reduce((sum, topic) => sum + counts[topic], 0)
    const rates: [number[], number[]] = [[], []]
    let expected: string | null = null
    for (let round = 1; round <= options.runs; round++) {
      for (const [i, side] of sides.entries()) {
        say(`nexmark ${name}, ${side === null ? 'ours' : 'DuckDB'}, run ${round} of ${options.runs}`)
        const output = join(options.dir, `nexmark-${process.pid}.ndjson`)
        const given = { name, files: paths, output, runs: options.quick ? 2 : runsInProcess, threads: side }
        const { seconds, digest } = await measureInChild('./nexmark/child.ts', given, childAnswer)
        unlinkSync(output)
        const found = `${digest.rows} rows, ${digest.hashes}`
        if (expected !== null && found !== expected)
          throw new WrongResult(`nexmark ${name}: ours and DuckDB's rows differ: ${expected}; ${found}`)
        expected = found
        if (round === 1 && i === 0) rows.push(`${name} ${digest.rows.toLocaleString('en-US')}`)
        rates[i]!.push(records / spreadOf(seconds.slice(1)).median)
      }
    }
    const peer = { name: `DuckDB, ${threads} threads`, values: rates[1] }
    measured.push({ what: `${name}: ${title}`, unit: 'events/s', ours: rates[0], peer })
  }
  const bytes = nexmarkTopics.map((topic) => `${counts[topic].toLocaleString('en-US')} ${topic}`)
  return {
    title: 'Nexmark: bids, auctions, persons',
    measured,
    notes: [
      `${bytes.join(', ')}, up to 2 s out of order; events a second of the topics that a query reads, from file bytes to rows as JSON, one engine thread, warm`,
      `rows, equal to those of the hand-written SQL in every run: ${rows.join(', ')}`,
      'of two auctions with as many bids q5 gives the one with the lesser number, and q7 the first of two bids as high',
    ],
    skipped: [],
  }
}

function filesOf(dir: string, events: number, say: (text: string) => void): Files {
  const folder = join(dir, `nexmark-${events}-${trafficVersion}`)
  const paths = byTopic((topic) => join(folder, `${topic}.ndjson`))
  const fresh = !existsSync(folder)
  if (fresh) say(`making ${events.toLocaleString('en-US')} events of Nexmark in ${folder}`)
  const unfinished = `${folder}.${process.pid}.part`
  if (fresh) mkdirSync(unfinished, { recursive: true })
  const open = fresh ? byTopic((topic) => openSync(join(unfinished, `${topic}.ndjson`), 'w')) : null
  const counts = byTopic(() => 0)
  const waiting = byTopic((): string[] => [])
  const flush = (topic: NexmarkTopic): void => {
    if (open !== null) writeSync(open[topic], waiting[topic].map((line) => `${line}\n`).join(''))
    waiting[topic] = []
  }
  for (const [topic, line] of nexmarkTraffic('bench', events)) {
    counts[topic]++
    if (waiting[topic].push(line) === 10_000) flush(topic)
  }
  for (const topic of nexmarkTopics) flush(topic)
  if (open !== null) {
    for (const topic of nexmarkTopics) closeSync(open[topic])
    // A folder under its own name is always whole.
    renameSync(unfinished, folder)
  }
  return { paths, counts }
}
function byTopic<T>(make: (topic: NexmarkTopic) => T): Record<NexmarkTopic, T> {
  return { persons: make('persons'), auctions: make('auctions'), bids: make('bids') }
}
