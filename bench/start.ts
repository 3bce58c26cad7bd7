// Section `start`: from the command to the ready line and to the first figure, on an empty and on a used data directory.
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { memoryOf } from './memory.ts'
import type { Measured, Unit } from './report.ts'
import type { Section } from './section.ts'
import { type Server, startServer, withDataDir } from './server.ts'

/** Only what is looked at; the answer has more. */
const kpisAnswer = z.object({ current: z.object({ sales: z.number() }).nullable() })
const figureMsMax = 30_000
/** Memory is read when the start is over and the default 50 sales a second have gone on for a while. */
const settleMs = 2_000

interface Started {
  readonly readyMs: number
  readonly figureMs: number
}

export const start: Section = async ({ options, say }) => {
  const empty: Started[] = []
  const used: Started[] = []
  const memoryMB: number[] = []
  for (let round = 1; round <= options.runs; round++) {
    await withDataDir(options.dir, async (dataDir) => {
      const flags = ['--no-open', '--port', '0', '--kafka-port', '0', '--seed', 'bench', '--data-dir', dataDir]
      for (const into of [empty, used]) {
        say(`start on ${into === empty ? 'an empty' : 'a used'} data directory, run ${round} of ${options.runs}`)
        const server = await startServer('start', ...flags)
        try {
          into.push({ readyMs: server.readyMs, figureMs: await firstFigure(server) })
          await sleep(options.quick ? 500 : settleMs)
          const held = memoryOf(server.pid)
          if (into === empty && held !== null) memoryMB.push(held.residentBytes / 1e6)
        } finally {
          await server.stop()
        }
      }
    })
  }
  const row = (what: string, unit: Unit, ours: readonly number[]): Measured => ({ what, unit, ours, peer: null })
  return {
    title: 'Start: millrace start --json, from the start of the process',
    measured: [
      row(
        'ready line, empty data directory',
        'ms',
        empty.map((one) => one.readyMs),
      ),
      row(
        'first figure, empty data directory',
        'ms',
        empty.map((one) => one.figureMs),
      ),
      row(
        'ready line, used data directory',
        'ms',
        used.map((one) => one.readyMs),
      ),
      row(
        'first figure, used data directory',
        'ms',
        used.map((one) => one.figureMs),
      ),
      ...(memoryMB.length === 0 ? [] : [row('memory at 50 sales/s', 'MB', memoryMB)]),
    ],
    notes: [
      'first figure: GET /api/v1/kpis answers with a window that holds sales, asked as soon as the ready line is there',
      'an empty start imports the seeded minutes first; a used one recovers what the run before it left',
    ],
    skipped: [],
  }
}

async function firstFigure(server: Server): Promise<number> {
  while (performance.now() - server.startedMs < figureMsMax) {
    const response = await fetch(`${server.url}/api/v1/kpis`)
    const answer = response.ok ? kpisAnswer.parse(await response.json()) : { current: null }
    if (answer.current !== null && answer.current.sales > 0) return performance.now() - server.startedMs
    await sleep(2)
  }
  throw new Error(`no figure within ${figureMsMax / 1000} s`)
}
