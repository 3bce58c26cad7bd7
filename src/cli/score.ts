// `millrace score`: how good the detection is, on generated shops whose incidents are known.
import { formatDuration, parseCount } from './amounts.ts'
import { type Define, examples } from './command.ts'
import { notFound } from './names.ts'
import type { Row } from './output.ts'
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
  { name: 'aucPr', title: 'AUC-PR' },
  { name: 'lift', title: 'x popular' },
  { name: 'namedRight', title: 'named right' },
  { name: 'casesPerCampaign', title: 'cases per campaign' },
  { name: 'stepMsP99', title: 'p99 ms' },
  { name: 'duplicateReduction', title: 'fewer duplicates' },
  { name: 'notificationsPerIncident', title: 'told per incident' },
  { name: 'falsePerStreamWeek', title: 'false per week' },
  { name: 'delayMinutesMedian', title: 'delay min' },
  { name: 'delayMinutesP95', title: 'p95' },
] as const
const blank: Row = Object.fromEntries(shown.map(({ name }) => [name, null]))

/** What is scored besides the event tracker, each with a table of its own. */
const detectors = ['fraud', 'bots', 'recommendations'] as const
type Detector = (typeof detectors)[number]
/** Each seed is three weeks of payments, some hours of visits, or two weeks of shoppers. */
const paymentsPerDay = 2_000
const visitHours = 6
const visitActsPerSecond = 3
const shoppers = 4_000

/** Rows in the columns of the event tracker's: the detector as a whole, then each scenario. */
async function scoreOf(detector: Detector, seeds: readonly string[]): Promise<readonly Row[]> {
  switch (detector) {
    case 'fraud': {
      const { scoreFraud } = await import('../platform/score-store.ts')
      const cpuMs = (): number => {
        const { user, system } = process.threadCpuUsage()
        return (user + system) / 1_000
      }
      const { scenarios, ...score } = scoreFraud(seeds, paymentsPerDay, cpuMs)
      return [
        { suite: 'fraud', incidents: score.frauds, ...score },
        ...scenarios.map(({ scenario, payments, campaigns, found, recall, delayMinutesMedian }) => ({
          suite: `fraud/${scenario}`,
          incidents: payments,
          campaigns,
          campaignsFound: found,
          recall,
          delayMinutesMedian,
        })),
      ]
    }
    case 'bots': {
      const { scoreBots } = await import('../platform/score-store.ts')
      const { scenarios, delaySecondsMedian, ...score } = scoreBots(seeds, visitHours, visitActsPerSecond)
      const delayMinutesMedian = delaySecondsMedian === null ? null : delaySecondsMedian / 60
      return [
        { suite: 'bots', incidents: score.bots, ...score, delayMinutesMedian },
        ...scenarios.map(({ scenario, bots, recall, named }) => ({
          suite: `bots/${scenario}`,
          incidents: bots,
          recall,
          namedRight: named,
        })),
      ]
    }
    case 'recommendations': {
      const { scoreRecommendations } = await import('../platform/score-recommendations.ts')
      const score = scoreRecommendations(seeds, shoppers)
      return [{ suite: 'recommendations', incidents: score.people, recall: score.recallAt20, ...score }]
    }
  }
}
const rounded = (row: object): Row =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === 'number' && !Number.isInteger(value) ? Number(value.toFixed(4)) : value,
    ]),
  )

export const define: Define = (command, act) => {
  command
    .description(
      'Score the detectors on generated shops whose truth is known. Events of the marketplace, two weeks each, the second one scored: easy: clear incidents; hard: 1.5 sales a minute, weak ones; sellers: of one seller each. fraud: campaigns among the payments of three weeks; bots: among visits; recommendations: the next thing of each visitor.',
    )
    .argument(
      '[suite]',
      'easy, hard, sellers, fraud, bots or recommendations (default: all of these), or quality: faults, price spikes, lost volume',
    )
    .option('--seeds <n>', 'so many seeds, pooled', (text) => parseCount('--seeds', text, 1_000), 1)
    .option('--seed <text>', 'the first part of each seed: the same text, the same shops', 'score')
    .option('--streams <n>', 'shops of each seed, of the marketplace', (text) => parseCount('--streams', text, 100), 12)
    .action(
      act(async (globals, parsed) => {
        const out = terminalOutput(globals)
        const { seeds: count, seed, streams } = parsed.opts<Flags>()
        const seeds = Array.from({ length: count }, (_, i) => `${seed}-${i + 1}`)
        const stopping = watchSignals(out)
        const [{ scoreSuite }, { suites }] = await Promise.all([
          import('../platform/score.ts'),
          import('../generate/generate.ts'),
        ])
        const asked = parsed.args[0]
        if (asked === 'quality') {
          const { scoreQuality } = await import('../platform/score-quality.ts')
          const scores = scoreQuality(seed, streams)
          out.table(
            ['what', 'made', 'found', 'wrong', 'precision', 'recall'].map((name) => ({
              name,
              alignRight: name !== 'what',
            })),
            scores.map((score) => ({ ...score })),
          )
          return undefined
        }
        const wanted = (name: string): boolean => asked === undefined || name === asked
        const some = suites.filter(wanted)
        const others = detectors.filter(wanted)
        if (some.length + others.length === 0)
          throw notFound('suite', asked ?? '', [...suites, ...detectors], 'millrace score')
        const rows: Row[] = []
        // A suite is minutes of work in one go: Ctrl-C is heard between them.
        const heard = async (name: string, startedMs: number): Promise<void> => {
          out.detail(`${name}: ${formatDuration(performance.now() - startedMs)}`)
          await new Promise((resolve) => setImmediate(resolve))
          stopping.check()
        }
        for (const suite of some) {
          const startedMs = performance.now()
          rows.push(rounded(scoreSuite(suite, seeds, streams)))
          await heard(suite, startedMs)
        }
        for (const detector of others) {
          const startedMs = performance.now()
          rows.push(...(await scoreOf(detector, seeds)).map(rounded))
          await heard(detector, startedMs)
        }
        out.table(
          shown.filter(({ name }) => rows.some((row) => row[name] !== undefined)),
          rows.map((row) => ({ ...blank, ...row })),
        )
        return undefined
      }),
    )
  examples(command, [
    ['millrace score', 'one seed of everything'],
    ['millrace score hard --seeds 10 --seed mine', 'ten seeds that the code has not seen'],
    ['millrace score fraud --json', 'every figure'],
  ])
}
