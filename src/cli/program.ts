// The table of commands, and how one of them becomes a commander program: only the file of the command that was asked
// for is loaded. Commander's complaints become our errors.
import { Command, CommanderError } from 'commander'
import { nearest } from '../std/nearest.ts'
import { type Act, type Define, dress, type Example, examples } from './command.ts'
import { CommandError, exitCodes } from './errors.ts'

interface Entry {
  readonly name: string
  readonly summary: string
  readonly alias?: string
  readonly load: () => Promise<{ readonly define: Define }>
}

export const commands: readonly Entry[] = [
  {
    name: 'start',
    alias: 'up',
    summary: 'broker, generator, pipelines and dashboard: the whole shop',
    load: () => import('./start.ts'),
  },
  { name: 'broker', summary: 'only the broker', load: () => import('./broker.ts') },
  { name: 'produce', summary: 'send generated or given records to a topic', load: () => import('./produce.ts') },
  { name: 'watch', summary: 'take in the files of a folder, as they come', load: () => import('./watch.ts') },
  { name: 'run', summary: 'run a pipeline over files, without a broker', load: () => import('./run.ts') },
  { name: 'import', summary: 'bring a real data set in', load: () => import('./import.ts') },
  { name: 'report', summary: 'batch answers over everything there is', load: () => import('./report.ts') },
  { name: 'lake', summary: 'the Parquet files: what there is, check, compact', load: () => import('./lake.ts') },
  {
    name: 'reconcile',
    summary: 'hold the live figures against a batch over the lake',
    load: () => import('./reconcile.ts'),
  },
  { name: 'sql', summary: 'one question in SQL over lake, topics and live figures', load: () => import('./sql.ts') },
  {
    name: 'score',
    summary: 'how good the detection is, on shops whose incidents are known',
    load: () => import('./score.ts'),
  },
  { name: 'kpis', summary: 'the live figures, in the terminal', load: () => import('./kpis.ts') },
  { name: 'alerts', summary: 'what left its usual, why, and what to do', load: () => import('./alerts.ts') },
  {
    name: 'quality',
    summary: 'completeness, validity, freshness, and what is wrong',
    load: () => import('./quality.ts'),
  },
  { name: 'ledger', summary: 'where every record is', load: () => import('./ledger.ts') },
  { name: 'dlq', summary: 'dead letters: what was refused, why, and its way back', load: () => import('./dlq.ts') },
  {
    name: 'reprocess',
    summary: 'recompute windows that records came too late for',
    load: () => import('./reprocess.ts'),
  },
  { name: 'groups', summary: 'consumer groups: lag, offsets, reset', load: () => import('./groups.ts') },
  { name: 'pipelines', summary: 'what is computed, and from what', load: () => import('./pipelines.ts') },
  { name: 'contracts', summary: 'what each topic promises', load: () => import('./contracts.ts') },
  { name: 'explain', summary: 'show how a pipeline is computed', load: () => import('./explain.ts') },
  { name: 'doctor', summary: 'look for what would keep Millrace from working here', load: () => import('./doctor.ts') },
  { name: 'backup', summary: 'all of the broker at one moment, into a folder', load: () => import('./backup.ts') },
  { name: 'restore', summary: 'a data directory from a backup', load: () => import('./restore.ts') },
  { name: 'version', summary: 'the versions of Millrace and Node', load: () => import('./version.ts') },
]

const rootExamples: readonly Example[] = [
  ['millrace start', 'watch a shop at http://127.0.0.1:8080'],
  ['millrace kpis --watch', 'the same figures in this terminal'],
  ['millrace run sales-window --input sales.ndjson', 'the same query over a file'],
  ['millrace doctor', 'if something does not work'],
]

/** The first argument that is no flag: global flags take no values, so it is the command. */
const commandNameIn = (args: readonly string[]): string | undefined => args.find((arg) => !arg.startsWith('-'))

/** Parses and runs. `act` wraps every action; throws a CommandError for whatever is wrong with the command line. */
export async function runProgram(args: readonly string[], act: Act, version: () => string): Promise<void> {
  const root = new Command('millrace')
  root
    .description(
      'Real-time commerce analytics in one command: broker, engine, stores and dashboard that need only Node.',
    )
    .usage('<command> [flags]')
    .option('--json', 'data as one JSON document on stdout')
    .option('--ndjson', 'data as JSON lines on stdout')
    .option('--plain', 'data as tab-separated lines on stdout')
    .option('-q, --quiet', 'only data and errors')
    .option('-v, --verbose', 'say more on stderr, with the place in the code when something fails')
    .option('--no-color', 'no colours (they show on a terminal only; NO_COLOR is respected too)')
    .option('-V, --version', 'the version, and nothing else')
  examples(root, rootExamples)
  const name = commandNameIn(args)
  for (const entry of commands) {
    const command = root.command(entry.name).summary(entry.summary).description(entry.summary)
    if (entry.alias !== undefined) command.alias(entry.alias)
    if (name === entry.name || name === entry.alias) (await entry.load()).define(command, act)
  }
  dress(root)
  if (name === undefined && args.some((arg) => arg === '-V' || arg === '--version')) {
    process.stdout.write(`${version()}\n`)
    return
  }
  if (name === undefined) {
    // `millrace` alone, or with global flags only: help is the answer, not an error.
    const unknown = args.find(
      (arg) => !['-h', '--help', ...root.options.flatMap((option) => [option.short, option.long])].includes(arg),
    )
    if (unknown === undefined) {
      process.stdout.write(root.helpInformation())
      return
    }
  } else if (!commands.some((entry) => entry.name === name || entry.alias === name))
    throw unknownCommand(
      'millrace',
      name,
      commands.map((entry) => entry.name),
    )
  try {
    await root.parseAsync(args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return
    throw fromCommander(error, name)
  }
}

function unknownCommand(parent: string, name: string, known: readonly string[]): CommandError {
  const meant = nearest(name, known)
  return new CommandError(exitCodes.notFound, {
    what: `there is no command ${JSON.stringify(name)}`,
    value: name,
    cause: `the commands are ${known.join(', ')}`,
    cure: meant === null ? `${parent} --help shows what each does` : `did you mean \`${parent} ${meant}\`?`,
  })
}

/** `error: unknown option '--prot'\n(Did you mean --port?)` and its kind, in our words. */
function fromCommander(error: CommanderError, name: string | undefined): CommandError {
  const help = `millrace ${name === undefined ? '' : `${name} `}--help`
  const [first = '', suggestion] = error.message.replace(/^error: /, '').split('\n')
  const subcommand = /^unknown command '(.*)'$/.exec(first)?.[1]
  if (subcommand !== undefined) {
    return new CommandError(exitCodes.notFound, {
      what: `millrace ${name ?? ''} has no command ${JSON.stringify(subcommand)}`,
      value: subcommand,
      cure: suggestion === undefined ? `${help} shows what there is` : suggestion.replace(/^\((.*)\)$/, '$1'),
    })
  }
  // "(outputHelp)": a command that only holds others was called alone; its help has been printed to stderr.
  if (error.code === 'commander.help') {
    return new CommandError(exitCodes.usage, {
      what: `millrace ${name ?? ''} needs one of its commands`,
      cure: `${help} shows them`,
    })
  }
  return new CommandError(exitCodes.usage, {
    what: first.replace(/\.$/, ''),
    cure: suggestion === undefined ? `${help} shows how it is used` : suggestion.replace(/^\((.*)\)$/, '$1'),
  })
}
