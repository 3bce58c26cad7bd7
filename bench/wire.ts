// Section `wire`: B1 from Kafka record batches of every codec, checksums included, and four Plans on one decode, beside the
// same work from a file.
import { z } from 'zod'
import { measureInChild } from './child.ts'
import { input } from './inputs.ts'
import type { Measured } from './report.ts'
import { type Section, WrongResult } from './section.ts'
import { type Form, forms } from './wire-forms.ts'

const childAnswer = z.object({ seconds: z.number(), rows: z.int(), digest: z.string() })

export const wire: Section = async ({ options, say }) => {
  const given = input(options.dir, 'sales', options.events, say)
  const speeds = new Map<Form, number[]>(forms.map((form) => [form, []]))
  let rows = 0
  for (let round = 1; round <= options.runs; round++) {
    /** Of B1's rows, by the first form. */
    let digest: string | null = null
    for (const form of forms) {
      say(`sales-window from ${form}, run ${round} of ${options.runs}`)
      const settings = { form, input: given.path, runs: options.quick ? 1 : 3 }
      const answer = await measureInChild('./wire-child.ts', settings, childAnswer)
      digest ??= answer.digest
      if (answer.digest !== digest)
        throw new WrongResult(`sales-window from ${form} has other rows than from ${forms[0]}`)
      rows = answer.rows
      speeds.get(form)?.push(given.records / answer.seconds)
    }
  }
  const file = speeds.get('a file') ?? []
  return {
    title: 'Wire: B1 from Kafka record batches with their checksums, by codec; and with three more Plans on one decode',
    measured: forms.slice(1).map(
      (form): Measured => ({
        what: `sales-window, ${form}`,
        unit: 'events/s',
        ours: speeds.get(form) ?? [],
        peer: { name: 'ours from a file', values: file },
      }),
    ),
    notes: [
      `${rows.toLocaleString('en-US')} rows, the same from every form, and the same as in b1, where they are DuckDB's`,
      'live windows, warm, one thread; batches of 500 records in memory',
      'four plans: each 15 minutes long, sliding by 1, 5, 15 and 60 seconds; the rows of the first are compared',
    ],
    skipped: [],
  }
}
