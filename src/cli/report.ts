// `millrace report`: batch answers over everything there is, from a running Millrace or straight from its data.
import type { Report } from '../commerce/commerce.ts'
import type { Interval } from '../platform/reports.ts'
import { minorAsNumber } from './amounts.ts'
import { type Define, examples } from './command.ts'
import { CommandError, exitCodes } from './errors.ts'
import { absolute } from './files.ts'
import { reportNamed } from './names.ts'
import type { Output, Row } from './output.ts'
import { askJson, lakeMsMax, notOurVersion, notRunning, runningUrl, type Where } from './server.ts'
import { dataDirOf, realWorld, terminalOutput } from './terminal.ts'

export const define: Define = (command, act) => {
  command.description('Batch answers over everything there is: SQL over the lake, which is brought up to date first.')
  const ls = command
    .command('ls')
    .summary('list them')
    .description('List the reports.')
    .action(
      act(async (globals) => {
        const out = terminalOutput(globals)
        const { reports } = await import('../commerce/commerce.ts')
        const rows = [...reports.values()].map(({ name, doc, period, schedule }) => ({ name, period, schedule, doc }))
        out.table(
          [
            { name: 'name', title: 'report' },
            { name: 'period' },
            { name: 'schedule', title: 'runs at (UTC)' },
            { name: 'doc', title: 'what it says' },
          ],
          rows,
        )
        return undefined
      }),
    )
  const run = command
    .command('run')
    .summary('compute one and print it')
    .description('Compute a report. Asks a running Millrace if there is one; else opens the data directory itself.')
    .argument('<name>', 'of the report (millrace report ls)')
    .option('--url <address>', 'of the Millrace to ask (default: the one that holds the data directory)')
    .option(
      '--data-dir <folder>',
      'the data, or the Millrace that runs on it (default: MILLRACE_DATA_DIR or ./.millrace)',
    )
    .option('--interval <from/to>', 'only events of these days, the last one not: 2026-11-01/2026-12-01', parseInterval)
    .option('--out <file>', 'write the rows to a file: .csv, .json or .parquet')
    .action(
      act(async (globals, parsed) => {
        const out = terminalOutput(globals)
        const report = await reportNamed(parsed.args[0] ?? '', 'millrace report run')
        const flags = parsed.opts<Flags>()
        const url = await runningUrl(flags)
        out.progress('bringing the lake up to date')
        const { columns, rows } = await answerOf(report, flags, url, flags.interval ?? null)
        out.progress('')
        if (flags.out === undefined) printRows(out, columns, rows)
        else {
          const { writeReport } = await import('../platform/report-files.ts')
          await writeReport(await realWorld(), absolute(flags.out), columns, rows)
          out.say(`${rows.length} rows in ${flags.out}`)
        }
        if (rows.length === 0) out.say(`no rows: the topic it reads holds no data yet`)
        return undefined
      }),
    )
  const backfill = command
    .command('backfill')
    .summary('compute one period by period')
    .description(
      "Compute a report for each of its periods in an interval; the rows rest in the lake's gold, those of a period that was there are replaced.",
    )
    .argument('<name>', 'of the report (millrace report ls)')
    .requiredOption('--interval <from/to>', 'these days, the last one not: 2026-11-01/2026-12-01', parseInterval)
    .option('--url <address>', 'of the Millrace to ask (default: the one that holds the data directory)')
    .option(
      '--data-dir <folder>',
      'the data, or the Millrace that runs on it (default: MILLRACE_DATA_DIR or ./.millrace)',
    )
    .action(
      act(async (globals, parsed) => {
        const out = terminalOutput(globals)
        const report = await reportNamed(parsed.args[0] ?? '', 'millrace report backfill')
        const flags = parsed.opts<Flags & { readonly interval: Interval }>()
        const url = await runningUrl(flags)
        const { periodsOf } = await import('../platform/reports.ts')
        const periods = periodsOf(report, flags.interval)
        const done: Row[] = []
        for (const [i, period] of periods.entries()) {
          out.progress(`${report.name}: ${i + 1} of ${periods.length}, ${dayOf(period.fromMs)}`)
          const { rows } = await answerOf(report, flags, url, period)
          done.push({ from: dayOf(period.fromMs), to: dayOf(period.toMs), rows: rows.length })
        }
        out.progress('')
        out.table([{ name: 'from' }, { name: 'to' }, { name: 'rows', alignRight: true }], done)
        return undefined
      }),
    )
  examples(command, [
    ['millrace report ls', 'what there is'],
    ['millrace report run monthly-revenue', 'gross revenue per calendar month'],
  ])
  examples(ls, [['millrace report ls', 'names and meaning']])
  examples(backfill, [
    ['millrace report backfill hourly-sales --interval 2026-11-01/2026-11-21', 'twenty days, each by itself'],
  ])
  examples(run, [
    ['millrace report run monthly-revenue', 'a table'],
    ['millrace report run monthly-revenue --json', 'one JSON document'],
    ['millrace report run cohorts --out cohorts.parquet', 'a file: .csv, .json or .parquet'],
    ['millrace report run hourly-sales --interval 2026-11-20/2026-11-21', 'of one day'],
    ['millrace report run monthly-revenue --url http://127.0.0.1:8080', 'from a Millrace that runs elsewhere'],
  ])
}

type ReportColumn = Report['columns'][number]
interface Answer {
  readonly columns: readonly ReportColumn[]
  readonly rows: readonly Row[]
}

interface Flags extends Where {
  readonly interval?: Interval
  readonly out?: string
}

function parseInterval(text: string): Interval {
  const [from = '', to = '', ...more] = text.split('/')
  const [fromMs, toMs] = [from, to].map((one) => Date.parse(one.length === 10 ? `${one}T00:00:00Z` : one))
  if (more.length === 0 && fromMs !== undefined && toMs !== undefined && fromMs < toMs) return { fromMs, toMs }
  throw new CommandError(exitCodes.usage, {
    what: 'this is no interval',
    where: '--interval',
    value: text,
    cause: 'it is two days, or two times with a zone, the earlier first',
    cure: '--interval 2026-11-01/2026-12-01',
  })
}
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

const answerOf = (report: Report, flags: Where, url: string | null, interval: Interval | null): Promise<Answer> =>
  url === null ? fromData(report, flags, interval) : fromServer(report.name, url, interval)

async function fromServer(name: string, url: string, interval: Interval | null): Promise<Answer> {
  const post =
    interval === null
      ? {}
      : { interval: { from: new Date(interval.fromMs).toISOString(), to: new Date(interval.toMs).toISOString() } }
  const path = `/api/v1/reports/${encodeURIComponent(name)}/runs`
  const [{ reportRun }, body] = await Promise.all([
    import('../serve/contract.ts'),
    askJson(url, path, { post, msMax: lakeMsMax }),
  ])
  const answer = reportRun.safeParse(body)
  if (answer.success) return answer.data
  throw notOurVersion(`${url}${path}`, answer.error.issues[0]?.message)
}

async function fromData(report: Report, flags: Where, interval: Interval | null): Promise<Answer> {
  const dataDir = dataDirOf(flags.dataDir)
  const world = await realWorld()
  if (world.fs.stat(dataDir) === null) throw notRunning(flags, `millrace report run ${report.name}`)
  const { runReport } = await import('../platform.ts')
  return { columns: report.columns, rows: await runReport(world, report.name, dataDir, interval) }
}

/** Money comes in minor units and goes out as the decimals people write. */
function printRows(out: Output, columns: readonly ReportColumn[], rows: readonly Row[]): void {
  const shown = rows.map((row) =>
    Object.fromEntries(
      columns.map((column): [string, Row[string]] => {
        const value = row[column.name] ?? null
        return [
          column.name,
          column.type === 'money' && typeof value === 'number' ? minorAsNumber(value, column.scale) : value,
        ]
      }),
    ),
  )
  out.table(
    columns.map((column) => ({
      name: column.name,
      title: column.type === 'money' ? `${column.name} (${column.currency})` : column.name,
      alignRight: column.type !== 'text' && column.type !== 'time',
      ...(column.type === 'money' ? { decimals: column.scale } : {}),
    })),
    shown,
  )
}
