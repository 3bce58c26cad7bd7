// `millrace score`: how good the detection is, on generated shops whose incidents are known.
import { formatDuration, parseCount } from './amounts.ts'
import { type Define, examples } from './command.ts'
import { notFound } from './names.ts'
import { watchSignals } from './stopping.ts'
import { terminalOutput } from './terminal.ts'

interface Flags {
  readonly seeds: number
  readonly seed: string
  readonly streams: number
}

const shown = [
  { name: 'suite', title: 'suite' },
  { name: 'incidents', title: 'incidents' },
  { name: 'found', title: 'found' },
  { name: 'falseAlerts', title: 'false' },
  { name: 'duplicates', title: 'duplicates' },
  { name: 'precision', title: 'precision' },
  { name: 'recall', title: 'recall' },
  { name: 'f1', title: 'F1' },
  { name: 'duplicateReduction', title: 'fewer duplicates' },
  { name: 'notificationsPerIncident', title: 'told per incident' },
  { name: 'falsePerStreamWeek', title: 'false per week' },
  { name: 'delayMinutesMedian', title: 'delay min' },
  { name: 'delayMinutesP95', title: 'p95' },
] as const

export const define: Define = (command, act) => {
  command
    .description(
      'Score the event tracker on generated shops whose incidents are known: two weeks each, the second one scored. easy: clear incidents; hard: 1.5 sales a minute, weak ones; sellers: of one seller each.',
    )
    .argument('[suite]', 'easy, hard or sellers (default: all)')
    .option('--seeds <n>', 'so many seeds, pooled', (text) => parseCount('--seeds', text, 1_000), 1)
    .option('--seed <text>', 'the first part of each seed: the same text, the same shops', 'score')
    .option('--streams <n>', 'shops of each seed', (text) => parseCount('--streams', text, 100), 12)
    .action(
      act(async (globals, parsed) => {
        const out = terminalOutput(globals)
        const { seeds, seed, streams } = parsed.opts<Flags>()
        const stopping = watchSignals(out)
        const [{ scoreSuite }, { suites }] = await Promise.all([
          import('../platform/score.ts'),
          import('../generate/generate.ts'),
        ])
        const asked = parsed.args[0]
        const some = suites.filter((suite) => asked === undefined || suite === asked)
        if (some.length === 0) throw notFound('suite', asked ?? '', suites, 'millrace score')
        const rows: Record<string, string | number | null>[] = []
        for (const suite of some) {
          const startedMs = performance.now()
          const score = scoreSuite(
            suite,
            Array.from({ length: seeds }, (_, i) => `${seed}-${i + 1}`),
            streams,
          )
          out.detail(`${suite}: ${formatDuration(performance.now() - startedMs)}`)
          rows.push(
            Object.fromEntries(
              Object.entries(score).map(([name, value]) => [
                name,
                typeof value === 'number' && !Number.isInteger(value) ? Number(value.toFixed(4)) : value,
              ]),
            ),
          )
          // A suite is minutes of work in one go: Ctrl-C is heard between them.
          await new Promise((resolve) => setImmediate(resolve))
          stopping.check()
        }
        out.table(shown, rows)
        return undefined
      }),
    )
  examples(command, [
    ['millrace score', 'one seed, twelve shops of each suite'],
    ['millrace score hard --seeds 10 --seed mine', 'ten seeds that the code has not seen'],
    ['millrace score --json', 'every figure'],
  ])
}
