// `millrace pipelines ls | show`: what is computed, from which topics, and what a running Millrace does of it now.
import type { z } from 'zod'
import { type Define, examples } from './command.ts'
import { pipelineNamed } from './names.ts'
import { askJson, notOurVersion, notRunning, runningUrl, type Where } from './server.ts'
import { terminalOutput } from './terminal.ts'

type Now = z.infer<typeof import('../serve/pipelines-contract.ts').pipeline>

export const define: Define = (command, act) => {
  command.description('What Millrace computes, and from what.')
  const ls = command
    .command('ls')
    .summary('list them')
    .description(
      'List the pipelines: their names, the topics they read and write, what they compute; and how each does, where a Millrace runs.',
    )
    .option('--url <address>', 'of the Millrace to ask (default: the one that holds the data directory)')
    .option('--data-dir <folder>', 'of the Millrace that runs on it (default: MILLRACE_DATA_DIR or ./.millrace)')
    .action(
      act(async (globals, parsed) => {
        const out = terminalOutput(globals)
        const { pipelines } = await import('../commerce/commerce.ts')
        const url = await runningUrl(parsed.opts<Where>())
        const now = new Map(url === null ? [] : (await running(url)).map((one) => [one.name, one]))
        const rows = [...pipelines.values()].map(({ name, reads, plan, doc }) => ({
          name,
          reads: reads.join(', '),
          writes: plan.output.topic ?? name,
          ...(url === null ? {} : figuresOf(now.get(name))),
          doc,
        }))
        out.table(
          [
            { name: 'name', title: 'pipeline' },
            { name: 'reads' },
            { name: 'writes' },
            ...(url === null ? [] : figures),
            { name: 'doc', title: 'what it computes' },
          ],
          rows,
        )
        out.say('')
        out.say(`Next: millrace explain ${rows[0]?.name ?? ''} · millrace run ${rows[0]?.name ?? ''} --input FILE`)
        return undefined
      }),
    )
  const show = command
    .command('show')
    .summary('what one does now')
    .description(
      'What a pipeline reads and writes, and each of its operators now: rate, busy share, state, watermark, lag. Of a running Millrace.',
    )
    .argument('<name>', 'of the pipeline (millrace pipelines ls)')
    .option('--url <address>', 'of the Millrace to ask (default: the one that holds the data directory)')
    .option('--data-dir <folder>', 'of the Millrace that runs on it (default: MILLRACE_DATA_DIR or ./.millrace)')
    .action(
      act(async (globals, parsed) => {
        const out = terminalOutput(globals)
        const { name } = await pipelineNamed(parsed.args[0] ?? '', 'millrace pipelines show')
        const flags = parsed.opts<Where>()
        const url = await runningUrl(flags)
        if (url === null) throw notRunning(flags, `millrace pipelines show ${name}`)
        const one = (await running(url)).find((pipeline) => pipeline.name === name)
        if (one === undefined) {
          out.say(`${name} does not run in ${url}: a report or a command computes it when it is asked`)
          return undefined
        }
        if (out.form === 'json') out.print(JSON.stringify(one))
        else printOne(out, one)
        return undefined
      }),
    )
  examples(command, [
    ['millrace pipelines ls', 'names, topics, meaning'],
    ['millrace pipelines show sales-window', 'its operators, with their figures'],
  ])
  examples(ls, [
    ['millrace pipelines ls', 'a table'],
    ['millrace pipelines ls --plain | cut -f1', 'only the names'],
  ])
  examples(show, [
    ['millrace pipelines show sales-window', 'from the Millrace that runs here'],
    ['millrace pipelines show sales-window --json', 'as the API tells it'],
  ])
}

const figures = [
  { name: 'state' },
  { name: 'rate', title: 'rows/s', alignRight: true },
  { name: 'lag', title: 'lag s', alignRight: true },
] as const

function figuresOf(one: Now | undefined): { readonly state: string; readonly rate: string; readonly lag: string } {
  if (one === undefined) return { state: 'on demand', rate: '', lag: '' }
  const first = one.operators[0]
  return {
    state: one.state.replaceAll('-', ' '),
    rate: first === undefined ? '' : first.rowsPerSecond.toFixed(0),
    lag: shown(first?.lagSeconds ?? null),
  }
}
const shown = (seconds: number | null): string => (seconds === null ? '' : seconds.toFixed(1))

function printOne(
  out: ReturnType<typeof terminalOutput>,
  { name, doc, reads, writes, state, job, operators }: Now,
): void {
  out.print(`${name}: ${doc}`)
  out.print(`reads ${reads.join(', ')}; ${writes === null ? 'its rows stay in the house' : `writes ${writes}`}`)
  out.print(
    `${state.replaceAll('-', ' ')} in job ${job.name}, last commit ${job.lastCommit ?? 'none'}, last snapshot ${job.lastSnapshot ?? 'none'}`,
  )
  const troubles = [job.failure, job.trouble].filter((text) => text !== null)
  for (const text of troubles) out.print(text)
  out.print('')
  out.table(
    [
      { name: 'kind', title: 'operator' },
      { name: 'rate', title: 'rows/s', alignRight: true },
      { name: 'busy', title: 'busy %', alignRight: true },
      { name: 'stateBytes', title: 'state bytes', alignRight: true },
      { name: 'watermark' },
      { name: 'lag', title: 'lag s', alignRight: true },
    ],
    operators.map(({ kind, rowsPerSecond, busyShare, stateBytes, watermark, lagSeconds }) => ({
      kind,
      rate: rowsPerSecond.toFixed(0),
      busy: (busyShare * 100).toFixed(1),
      stateBytes,
      watermark: watermark ?? '',
      lag: shown(lagSeconds),
    })),
  )
  out.say('')
  out.say(
    `${job.queuedBytes} bytes queued, ${job.pendingOutputBytes} bytes of results due. Next: millrace explain ${name}`,
  )
}

async function running(url: string): Promise<readonly Now[]> {
  const path = '/api/v1/pipelines'
  const [{ pipelines }, body] = await Promise.all([import('../serve/pipelines-contract.ts'), askJson(url, path)])
  const answer = pipelines.safeParse(body)
  if (answer.success) return answer.data.pipelines
  throw notOurVersion(`${url}${path}`, answer.error.issues[0]?.message)
}
