// `millrace ledger`: where every record is. From a running Millrace, or of a data directory that nobody holds.
import type { z } from 'zod'
import { type Define, examples } from './command.ts'
import { exitCodes } from './errors.ts'
import { askJson, notOurVersion, notRunning, runningUrl, type Where } from './server.ts'
import { dataDirOf, realWorld, terminalOutput } from './terminal.ts'

type Ledger = z.infer<typeof import('../serve/books-contract.ts').ledger>

const columns = ['in', 'processed', 'duplicates', 'late', 'deadLettered', 'inFlight', 'imbalance'] as const
const titles: Readonly<Record<string, string>> = { deadLettered: 'dead letters', inFlight: 'in flight' }

export const define: Define = (command, act) => {
  command
    .description(
      'Where every record is: in = processed + duplicates + late + dead letters + in flight, by topic and partition. Exit code 1 if the books do not balance.',
    )
    .option('--by-partition', 'a line for each partition')
    .option('--url <address>', 'of the Millrace to ask (default: the one that holds the data directory)')
    .option(
      '--data-dir <folder>',
      'the data, or the Millrace that runs on it (default: MILLRACE_DATA_DIR or ./.millrace)',
    )
    .action(
      act(async (globals, parsed) => {
        const out = terminalOutput(globals)
        const flags = parsed.opts<Where & { readonly byPartition?: true }>()
        const url = await runningUrl(flags)
        const ledger = url === null ? await atRest(flags) : await running(url)
        const { imbalance, topics } = ledger
        if (out.form === 'json') out.print(JSON.stringify({ imbalance, topics }))
        else {
          const rows = Object.entries(topics).flatMap(([topic, { partitions, ...sum }]) =>
            flags.byPartition === undefined
              ? [{ topic, ...sum }]
              : partitions.map(({ partition, ...line }) => ({ topic, partition, ...line })),
          )
          out.table(
            [
              { name: 'topic' },
              ...(flags.byPartition === undefined ? [] : [{ name: 'partition', alignRight: true }]),
              ...columns.map((name) => ({ name, title: titles[name] ?? name, alignRight: true })),
            ],
            rows,
          )
          out.say('')
          out.say(
            imbalance === 0
              ? `The books balance${url === null ? ', as of the last commit' : ''}. Next: millrace dlq ls`
              : `${imbalance} records are nowhere: please report it, with the data directory`,
          )
        }
        return imbalance === 0 ? undefined : exitCodes.failed
      }),
    )
  examples(command, [
    ['millrace ledger', 'a table'],
    ['millrace ledger --json | jq .imbalance', '0, or there is a fault'],
    ['millrace ledger --by-partition', 'to the partition'],
  ])
}

async function running(url: string): Promise<Ledger> {
  const path = '/api/v1/ledger'
  const [{ ledger }, body] = await Promise.all([import('../serve/books-contract.ts'), askJson(url, path, {})])
  const answer = ledger.safeParse(body)
  if (answer.success) return answer.data
  throw notOurVersion(`${url}${path}`, answer.error.issues[0]?.message)
}

async function atRest(flags: Where): Promise<Ledger> {
  const dataDir = dataDirOf(flags.dataDir)
  const world = await realWorld()
  if (world.fs.stat(dataDir) === null) throw notRunning(flags, 'millrace ledger')
  const { ledgerAtRest } = await import('../platform/ledger.ts')
  const { imbalance, topics } = await ledgerAtRest(world, dataDir)
  return {
    asOf: new Date().toISOString(),
    imbalance,
    topics: Object.fromEntries(
      topics.map(({ topic, partitions, ...sum }) => [
        topic,
        { ...sum, partitions: partitions.map(({ partition, ...line }) => ({ partition, ...figuresOf(line) })) },
      ]),
    ),
  }
}
function figuresOf(line: Readonly<Record<(typeof columns)[number], number>>) {
  const { in: all, processed, duplicates, late, deadLettered, inFlight, imbalance } = line
  return { in: all, processed, duplicates, late, deadLettered, inFlight, imbalance }
}
