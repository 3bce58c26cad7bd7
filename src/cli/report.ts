// `millrace report`: batch answers over everything in a topic, from a running Millrace or straight from its data.
import type { Report } from '../commerce/commerce.ts'
import { minorAsNumber } from './amounts.ts'
import { type Define, examples } from './command.ts'
import { reportNamed } from './names.ts'
import type { Output, Row } from './output.ts'
import { askJson, notOurVersion, notRunning, runningUrl, type Where } from './server.ts'
import { dataDirOf, realWorld, terminalOutput } from './terminal.ts'

export const define: Define = (command, act) => {
  command.description('Batch answers over everything in a topic.')
  const ls = command
    .command('ls')
    .summary('list them')
    .description('List the reports.')
    .action(
      act(async (globals) => {
        const out = terminalOutput(globals)
        const { reports } = await import('../commerce/commerce.ts')
        const rows = [...reports.values()].map(({ name, doc }) => ({ name, doc }))
        out.table(
          [
            { name: 'name', title: 'report' },
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
    .action(
      act(async (globals, parsed) => {
        const out = terminalOutput(globals)
        const report = await reportNamed(parsed.args[0] ?? '', 'millrace report run')
        const flags = parsed.opts<Where>()
        const url = await runningUrl(flags)
        const { columns, rows } = url === null ? await fromData(report, flags) : await fromServer(report.name, url)
        printRows(out, columns, rows)
        if (rows.length === 0) out.say(`no rows: the topic it reads holds no data yet`)
        return undefined
      }),
    )
  examples(command, [
    ['millrace report ls', 'what there is'],
    ['millrace report run monthly-revenue', 'gross revenue per calendar month'],
  ])
  examples(ls, [['millrace report ls', 'names and meaning']])
  examples(run, [
    ['millrace report run monthly-revenue', 'a table'],
    ['millrace report run monthly-revenue --json', 'one JSON document'],
    ['millrace report run monthly-revenue --url http://127.0.0.1:8080', 'from a Millrace that runs elsewhere'],
  ])
}

type ReportColumn = Report['columns'][number]
interface Answer {
  readonly columns: readonly ReportColumn[]
  readonly rows: readonly Row[]
}

async function fromServer(name: string, url: string): Promise<Answer> {
  const path = `/api/v1/reports/${encodeURIComponent(name)}/runs`
  const [{ reportRun }, body] = await Promise.all([import('../serve/contract.ts'), askJson(url, path, { post: {} })])
  const answer = reportRun.safeParse(body)
  if (answer.success) return answer.data
  throw notOurVersion(`${url}${path}`, answer.error.issues[0]?.message)
}

async function fromData(report: Report, flags: Where): Promise<Answer> {
  const dataDir = dataDirOf(flags.dataDir)
  const world = await realWorld()
  if (world.fs.stat(dataDir) === null) throw notRunning(flags, `millrace report run ${report.name}`)
  const { runReport } = await import('../platform.ts')
  return { columns: report.columns, rows: await runReport(world, report.name, dataDir) }
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
