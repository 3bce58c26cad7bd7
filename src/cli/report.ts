// `millrace report`: batch answers over everything in a topic, from a running Millrace or straight from its data.
import { minorAsNumber } from './amounts.ts'
import { type Define, examples } from './command.ts'
import { reportNamed } from './names.ts'
import type { Row } from './output.ts'
import { notRunning, runningUrl, type Where } from './server.ts'
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
        const [{ runReport }, world] = await Promise.all([import('../platform.ts'), realWorld()])
        const target = url === null ? { dataDir: dataDirOf(flags.dataDir) } : { url }
        if (url === null && world.fs.stat(dataDirOf(flags.dataDir)) === null)
          throw notRunning(flags, `millrace report run ${report.name}`)
        const answer = await runReport(world, report.name, target)
        const rows = answer.map((row) =>
          Object.fromEntries(
            report.columns.map((column): [string, Row[string]] => {
              const value = row[column.name] ?? null
              return [
                column.name,
                column.type === 'money' && typeof value === 'number' ? minorAsNumber(value, column.scale) : value,
              ]
            }),
          ),
        )
        const columns = report.columns.map((column) => ({
          name: column.name,
          title: column.type === 'money' ? `${column.name} (${column.currency})` : column.name,
          alignRight: column.type !== 'text' && column.type !== 'time',
          ...(column.type === 'money' ? { decimals: column.scale } : {}),
        }))
        out.table(columns, rows)
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
