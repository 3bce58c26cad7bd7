// `millrace kpis`: the figures of the last 15 minutes from a running Millrace, once or each second.
import { type KpiRowJson, type Kpis, kpis as kpisSchema } from '../serve/contract.ts'
import { formatCount, formatMinor } from './amounts.ts'
import { type Define, examples } from './command.ts'
import type { Output } from './output.ts'
import { askJson, notOurVersion, notRunning, runningUrl, type Where } from './server.ts'
import { watchSignals } from './stopping.ts'
import { terminalOutput } from './terminal.ts'

const watchMs = 1_000

interface Flags extends Where {
  readonly watch?: true
}

export const define: Define = (command, act) => {
  command
    .description('The figures of the last 15 minutes of sales, from a running Millrace.')
    .option('--watch', 'again each second, until Ctrl-C')
    .option('--url <address>', 'of the Millrace to ask (default: the one that holds the data directory)')
    .option(
      '--data-dir <folder>',
      'find the Millrace that runs on this folder (default: MILLRACE_DATA_DIR or ./.millrace)',
    )
    .action(
      act(async (globals, parsed) => {
        const flags = parsed.opts<Flags>()
        const out = terminalOutput(globals)
        const url = await runningUrl(flags)
        if (url === null) throw notRunning(flags, 'millrace kpis')
        if (!flags.watch) {
          print(out, await ask(url))
          return undefined
        }
        const stopping = watchSignals(out)
        let shown = 0
        while (!stopping.signal.aborted) {
          const kpis = await ask(url, stopping.signal)
          // On a terminal the figures stay where they are; elsewhere each second is a record of its own.
          if (shown > 0 && out.form === 'text' && process.stdout.isTTY) process.stdout.write(`\u001b[${shown}A\u001b[J`)
          shown = print(out, kpis, out.form === 'json' ? 'ndjson' : out.form)
          await Promise.race([new Promise((resolve) => setTimeout(resolve, watchMs)), stopping.requested])
        }
        stopping.check()
        return undefined
      }),
    )
  examples(command, [
    ['millrace kpis', 'the figures now'],
    ['millrace kpis --watch', 'and again each second'],
    ['millrace kpis --watch --ndjson', 'one JSON document a second, for programs'],
  ])
}

async function ask(url: string, signal?: AbortSignal): Promise<Kpis> {
  const path = '/api/v1/kpis'
  const answer = kpisSchema.safeParse(await askJson(url, path, signal === undefined ? {} : { signal }))
  if (answer.success) return answer.data
  throw notOurVersion(`${url}${path}`, answer.error.issues[0]?.message)
}

const rows: readonly [title: string, value: (row: KpiRowJson, kpis: Kpis) => string][] = [
  ['sales', (row) => formatCount(row.sales)],
  ['revenue', (row, kpis) => `${formatMinor(row.revenueMinor, kpis.scale)} ${kpis.currency}`],
  ['average ticket', (row, kpis) => formatMinor(row.averageTicketMinor, kpis.scale)],
  ['biggest sale', (row, kpis) => formatMinor(row.biggestSaleMinor, kpis.scale)],
  ['active sellers', (row) => formatCount(row.activeSellers)],
  ['active categories', (row) => formatCount(row.activeCategories)],
  ['active products', (row) => formatCount(row.activeProducts)],
]

/** Prints the figures and returns how many lines it took. */
function print(out: Output, kpis: Kpis, form = out.form): number {
  if (form === 'json' || form === 'ndjson') {
    out.print(JSON.stringify(kpis))
    return 1
  }
  const { current, previous } = kpis
  if (form === 'plain') {
    const figures =
      current === null
        ? []
        : [current.windowEnd, current.sales, formatMinor(current.revenueMinor, kpis.scale).replaceAll(',', '')]
    out.print([kpis.asOf, ...figures].join('\t'))
    return 1
  }
  const minutes = Math.round(kpis.windowSeconds / 60)
  if (current === null) {
    out.print(`no sale yet in the last ${minutes} minutes (as of ${kpis.asOf})`)
    return 1
  }
  out.print(
    `${out.style('bold', `the ${minutes} minutes up to ${current.windowEnd}`)}  ${out.style('dim', `${current.timing}, as of ${kpis.asOf}`)}`,
  )
  for (const [title, value] of rows) {
    const before = previous === null ? '' : out.style('dim', `   before: ${value(previous, kpis)}`)
    out.print(`  ${title.padEnd(18)} ${value(current, kpis).padStart(16)}${before}`)
  }
  return rows.length + 1
}
