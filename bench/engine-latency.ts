// Section `engine-latency`: B1's window live at a steady rate, from a record that is due to the bytes of what it brought.
import { z } from 'zod'
import { measureInChild } from './child.ts'
import { input } from './inputs.ts'
import type { Measured } from './report.ts'
import type { Section } from './section.ts'

const ratesPerSecond = [1_000, 50_000]
const childAnswer = z.object({
  p50: z.number(),
  p99: z.number(),
  p999: z.number(),
  rows: z.int(),
  written: z.int(),
})

export const engineLatency: Section = async ({ options, say }) => {
  const seconds = options.quick ? 2 : 8
  const warmSeconds = options.quick ? 1 : 4
  const measured: Measured[] = []
  const notes = [
    'one thread; records are handed over when they are due, one batch of all that are; the window of B1, running rows each second',
    `${warmSeconds} s before are not counted; the time a record waits while others are at work is`,
  ]
  for (const ratePerSecond of ratesPerSecond) {
    const given = input(options.dir, 'sales', ratePerSecond * (seconds + warmSeconds), say)
    const answers: z.infer<typeof childAnswer>[] = []
    for (let round = 1; round <= options.runs; round++) {
      say(`engine latency at ${ratePerSecond}/s, run ${round} of ${options.runs}`)
      const settings = { input: given.path, ratePerSecond, seconds, warmSeconds }
      answers.push(await measureInChild('./engine-latency-child.ts', settings, childAnswer))
    }
    const rate = `${ratePerSecond.toLocaleString('en-US')}/s`
    for (const which of ['p50', 'p99', 'p999'] as const)
      measured.push({
        what: `${rate}, record due to rows as bytes, ${which}`,
        unit: 'ms',
        ours: answers.map((answer) => answer[which]),
        peer: null,
      })
    notes.push(`${rate}: ${answers[0]?.rows.toLocaleString('en-US')} rows`)
  }
  return { title: 'Latency of the engine alone, no broker and no disk', measured, notes, skipped: [] }
}
