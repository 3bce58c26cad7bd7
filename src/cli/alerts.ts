// `millrace alerts`: the events of the marketplace from a running Millrace: what left its usual, why, and what to do.
import { type SalesEventJson, type SalesEvents, salesEvents as salesEventsSchema } from '../serve/contract.ts'
import { formatDuration, parseDurationMs } from './amounts.ts'
import { type Define, examples } from './command.ts'
import { notFound } from './names.ts'
import type { Output } from './output.ts'
import { askJson, notOurVersion, notRunning, runningUrl, type Where } from './server.ts'
import { terminalOutput } from './terminal.ts'

interface ListFlags extends Where {
  readonly since?: number
  readonly severity?: string
}
const severities = ['medium', 'high', 'critical'] as const
const whereOptions = [
  ['--url <address>', 'of the Millrace to ask (default: the one that holds the data directory)'],
  ['--data-dir <folder>', 'find the Millrace that runs on this folder (default: MILLRACE_DATA_DIR or ./.millrace)'],
] as const

export const define: Define = (command, act) => {
  command.description('Events of the marketplace: what left its usual, why, and what to do.')
  const ls = command
    .command('ls')
    .summary('list them')
    .description('List the events: what lasts first, then the newest.')
    .option('--since <time>', 'only those told of in the last 15m, 24h …', (text) => parseDurationMs('--since', text))
    .option('--severity <least>', 'medium, high or critical, and what is graver')
  for (const [flag, doc] of whereOptions) ls.option(flag, doc)
  ls.action(
    act(async (globals, parsed) => {
      const flags = parsed.opts<ListFlags>()
      const out = terminalOutput(globals)
      const least = severities.findIndex((one) => one === (flags.severity ?? 'medium'))
      if (least < 0) throw notFound('severity', flags.severity ?? '', severities, 'millrace alerts ls --severity')
      const { events, asOf } = await ask(flags)
      const rows = events.filter(
        ({ severity, updatedAt }) =>
          severities.indexOf(severity) >= least &&
          (flags.since === undefined || Date.parse(asOf) - Date.parse(updatedAt) <= flags.since),
      )
      out.table(
        [
          { name: 'status', title: 'status' },
          { name: 'severity', title: 'severity' },
          { name: 'since', title: 'since' },
          { name: 'sentence', title: 'what' },
          { name: 'id', title: 'id' },
        ],
        rows.map((event) => ({ ...event, of: event.of === null ? null : `${event.of.type} ${event.of.name}` })),
      )
      if (rows.length === 0) out.say('everything is as usual')
      return undefined
    }),
  )
  const explainOne = command
    .command('explain')
    .summary('why one fired')
    .description('Why an event fired: what was seen against what is usual, since when, how sure, and what to do.')
    .argument('<id>', 'of the event (millrace alerts ls), or the beginning of it')
  for (const [flag, doc] of whereOptions) explainOne.option(flag, doc)
  explainOne.action(
    act(async (globals, parsed) => {
      const out = terminalOutput(globals)
      const id = parsed.args[0] ?? ''
      const { events } = await ask(parsed.opts<Where>())
      const event = events.find((one) => one.id.startsWith(id))
      if (event === undefined)
        throw notFound(
          'event',
          id,
          events.map((one) => one.id),
          'millrace alerts explain',
        )
      if (out.form === 'json' || out.form === 'ndjson') out.print(JSON.stringify(event))
      else explain(out, event)
      return undefined
    }),
  )
  examples(command, [
    ['millrace alerts ls', 'what left its usual'],
    ['millrace alerts explain volume/all/up', 'why, and what to do'],
  ])
  examples(ls, [
    ['millrace alerts ls --severity high', 'what is grave'],
    ['millrace alerts ls --since 1h --ndjson', 'for programs'],
  ])
  examples(explainOne, [['millrace alerts explain volume/all/up', 'the newest with such an id']])
}

async function ask(flags: Where): Promise<SalesEvents> {
  const url = await runningUrl(flags)
  if (url === null) throw notRunning(flags, 'millrace alerts')
  const path = '/api/v1/sales-events'
  const answer = salesEventsSchema.safeParse(await askJson(url, path, {}))
  if (answer.success) return answer.data
  throw notOurVersion(`${url}${path}`, answer.error.issues[0]?.message)
}

function explain(out: Output, event: SalesEventJson): void {
  const line = (name: string, text: string): void => out.print(`  ${out.style('dim', name.padEnd(11))} ${text}`)
  const lastedMs = Date.parse(event.resolvedAt ?? event.updatedAt) - Date.parse(event.since)
  out.print(out.style('bold', event.sentence))
  line('status', `${event.status}, ${event.severity}${event.notified ? '' : ', held back by the cooldown'}`)
  line('since', `${event.since}, ${formatDuration(lastedMs)} so far`)
  line('seen', `${event.observed} where ${Number(event.expected.toFixed(2))} is usual`)
  line('sure', `${(event.confidence * 100).toFixed(2)}% (a usual week does not bring this by itself)`)
  line('seen again', `in ${event.detections} minutes, told as one event`)
  line('rule', event.rule)
  line('what to do', event.recommendation)
}
