// `millrace dlq ls | show | replay`: what was refused, why, and its way back. From a running Millrace, or of a data
// directory that nobody holds.
import type { Command } from 'commander'
import type { DeadLetterFilter, DeadLetterList, DeadLetterWhole, ReplayOutcome } from '../serve/books-ports.ts'
import { parseInstant } from '../std/instant.ts'
import { formatCount, parseCount, parseDurationMs } from './amounts.ts'
import { type Define, examples } from './command.ts'
import { CommandError, exitCodes } from './errors.ts'
import { clean } from './output.ts'
import { askJson, notRunning, runningUrl, type Where } from './server.ts'
import { dataDirOf, realWorld, terminalOutput } from './terminal.ts'

interface FilterFlags extends Where {
  readonly topic?: string
  readonly reason?: string
  readonly rule?: string
  readonly since?: number
  readonly until?: number
}
interface ListFlags extends FilterFlags {
  readonly limit: number
}
interface ReplayFlags extends FilterFlags {
  readonly dryRun?: true
  readonly all?: true
  readonly set: Readonly<Record<string, unknown>>
}

const limitMax = 1_000

export const define: Define = (command, act) => {
  command.description('Dead letters: what was refused, why, and its way back after a fix.')
  const ls = command
    .command('ls')
    .summary('list them')
    .description('List the newest that match, and why they are there.')
  filters(ls).option('--limit <n>', 'so many at most', (text) => parseCount('--limit', text, limitMax), 20)
  ls.action(
    act(async (globals, parsed) => {
      const out = terminalOutput(globals)
      const flags = parsed.opts<ListFlags>()
      const { matching, counts, letters } = await list(flags)
      if (out.form === 'json') {
        out.print(JSON.stringify({ matching, counts, letters }))
        return undefined
      }
      out.table(
        [
          { name: 'kept', title: 'when' },
          { name: 'topic' },
          { name: 'place', title: 'letter' },
          { name: 'original' },
          { name: 'reason' },
          { name: 'rule', title: 'field' },
          { name: 'attempt', alignRight: true },
          { name: 'replayed' },
          { name: 'message' },
        ],
        letters.map(({ keptMs, partition, offset, original, ...row }) => ({
          ...{ topic: row.topic, reason: row.reason, rule: row.rule, message: row.message, attempt: row.attempt },
          kept: new Date(keptMs).toISOString(),
          place: `${partition}/${offset}`,
          original: `${original.partition}/${original.offset}`,
          replayed: row.replayed,
        })),
      )
      out.say('')
      for (const { topic, reason, rule, version, records } of [...counts].sort((a, b) => b.records - a.records))
        out.say(
          `${formatCount(records)} of ${topic}: ${reason}${rule === '' ? '' : ` of ${rule}`} (contract ${version})`,
        )
      const first = letters[0]
      out.say(
        first === undefined
          ? 'Nothing was refused.'
          : `${formatCount(matching)} in all. Next: millrace dlq show ${clean(first.topic)} ${first.partition}/${first.offset}`,
      )
      return undefined
    }),
  )

  const show = command
    .command('show')
    .summary('one of them, with its bytes')
    .description('One dead letter: its bytes as they came, what is wrong, where it stood.')
    .argument('<topic>', 'in which the record was')
    .argument('<letter>', 'its place among the dead letters, partition/offset (millrace dlq ls)')
  places(show).action(
    act(async (globals, parsed) => {
      const out = terminalOutput(globals)
      const [topic = '', place = ''] = parsed.args
      const [, partition, offset] = /^(\d+)\/(\d+)$/.exec(place) ?? []
      if (partition === undefined || offset === undefined)
        throw new CommandError(exitCodes.usage, {
          what: `${JSON.stringify(place)} is no place of a dead letter`,
          value: place,
          cause: 'it is its partition and its offset among the dead letters of the topic',
          cure: 'millrace dlq ls shows them, e.g. 0/12',
        })
      const letter = await whole(parsed.opts<Where>(), topic, Number(partition), Number(offset))
      if (letter === null)
        throw new CommandError(exitCodes.notFound, {
          what: `there is no dead letter of ${topic} at ${place}`,
          value: place,
          cure: 'millrace dlq ls shows those there are',
        })
      if (out.form === 'json' || out.form === 'ndjson') {
        out.print(JSON.stringify(letter))
        return undefined
      }
      const line = (name: string, text: string): void =>
        out.print(`  ${out.style('dim', name.padEnd(10))} ${clean(text)}`)
      out.print(out.style('bold', clean(letter.message)))
      line(
        'reason',
        `${letter.reason}${letter.rule === '' ? '' : `, field ${letter.rule}`}, contract ${letter.version}`,
      )
      line('record', `${letter.topic} ${letter.original.partition}/${letter.original.offset}`)
      line('kept', `${new Date(letter.keptMs).toISOString()}, attempt ${letter.attempt}`)
      line('replayed', letter.replayed ? 'yes' : 'no')
      line(letter.value.encoding, letter.value.text)
      return undefined
    }),
  )

  const replay = command
    .command('replay')
    .summary('send them back after a fix')
    .description(
      'Send dead letters back into their topics: those that stand by the contract of today, each once, however often it is asked. Filters say which.',
    )
  filters(replay)
    .option('--set <field=value>', 'put a field into each before (JSON or text); may be given again', collectField, {})
    .option('--all', 'those too that would fail again: they come back with a higher attempt')
    .option('--dry-run', 'only say what would be sent')
    .action(
      act(async (globals, parsed) => {
        const out = terminalOutput(globals)
        const flags = parsed.opts<ReplayFlags>()
        const outcome = await send(flags)
        if (out.form === 'json' || out.form === 'ndjson') {
          out.print(JSON.stringify(outcome))
          return undefined
        }
        const { dryRun, found, sent, already, stillBad, topics } = outcome
        out.print(
          `${formatCount(found)} found: ${formatCount(sent)} ${dryRun ? 'would be sent back' : 'sent back'}, ` +
            `${formatCount(already)} were before, ${formatCount(stillBad)} would fail again`,
        )
        for (const { topic, records } of topics) out.print(`  ${clean(topic)}  ${formatCount(records)}`)
        if (dryRun && sent > 0) out.say('Next: the same without --dry-run')
        else if (stillBad > 0) out.say('Next: fix the contract, or the records with --set field=value')
        return undefined
      }),
    )
  examples(command, [
    ['millrace dlq ls', 'what was refused, and why'],
    ['millrace dlq replay --topic orders --dry-run', 'what would go back'],
  ])
  examples(ls, [
    ['millrace dlq ls --topic orders --since 1h', 'of the last hour'],
    ['millrace dlq ls --reason missing --json', 'for programs'],
  ])
  examples(show, [['millrace dlq show orders 0/12', 'why, and its bytes']])
  examples(replay, [
    ['millrace dlq replay --topic orders --dry-run', 'what would go back'],
    ['millrace dlq replay --topic orders --rule amount --set amount=10', 'mended'],
  ])
}

function places(command: Command): Command {
  return command
    .option('--url <address>', 'of the Millrace to ask (default: the one that holds the data directory)')
    .option(
      '--data-dir <folder>',
      'the data, or the Millrace that runs on it (default: MILLRACE_DATA_DIR or ./.millrace)',
    )
}
function filters(command: Command): Command {
  const when = (flag: string) => (text: string) => timeOf(flag, text)
  return places(
    command
      .option('--topic <name>', 'only of this topic')
      .option('--reason <reason>', 'only for this reason: missing, wrong-type, rule …')
      .option('--rule <field>', 'only where this field is at fault')
      .option('--since <time>', 'kept in the last 15m, 24h …, or since 2026-11-21T08:00:00Z', when('--since'))
      .option('--until <time>', 'kept before', when('--until')),
  )
}
function timeOf(flag: string, text: string): number {
  const instant = parseInstant(text)
  return Number.isNaN(instant) ? Date.now() - parseDurationMs(flag, text) : instant
}
function collectField(text: string, before: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const at = text.indexOf('=')
  if (at < 1)
    throw new CommandError(exitCodes.usage, {
      what: `--set ${JSON.stringify(text)} names no field and value`,
      value: text,
      cure: 'write it like --set amount=12.5',
    })
  const said = text.slice(at + 1)
  let value: unknown = said
  try {
    value = JSON.parse(said)
  } catch {
    // No JSON: text as it is.
  }
  return { ...before, [text.slice(0, at)]: value }
}

function filterOf({ topic, reason, rule, since, until }: FilterFlags): DeadLetterFilter {
  return {
    ...(topic === undefined ? {} : { topic }),
    ...(reason === undefined ? {} : { reason }),
    ...(rule === undefined ? {} : { rule }),
    ...(since === undefined ? {} : { sinceMs: since }),
    ...(until === undefined ? {} : { untilMs: until }),
  }
}
/** As the API takes it. */
function queryOf({ topic, reason, rule, since, until }: FilterFlags): Readonly<Record<string, string>> {
  return {
    ...(topic === undefined ? {} : { topic }),
    ...(reason === undefined ? {} : { reason }),
    ...(rule === undefined ? {} : { rule }),
    ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
    ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
  }
}

async function list(flags: ListFlags): Promise<DeadLetterList> {
  const url = await runningUrl(flags)
  if (url === null) return fromData(flags, (port) => port.list(filterOf(flags), flags.limit))
  const query = new URLSearchParams({ ...queryOf(flags), limit: String(flags.limit) })
  const [{ deadLetterList }, body] = await Promise.all([
    import('../serve/books-contract.ts'),
    askJson(url, `/api/v1/dead-letters?${query}`, {}),
  ])
  const { matching, counts, letters } = deadLetterList.parse(body)
  return { matching, counts, letters: letters.map(inHouse) }
}
function inHouse<L extends { readonly keptAt: string; readonly original: { partition: number; offset: number } }>(
  letter: L,
) {
  const { keptAt, original, ...rest } = letter
  return { ...rest, keptMs: Date.parse(keptAt), original: { ...original, timestampMs: -1 } }
}
async function whole(flags: Where, topic: string, partition: number, offset: number): Promise<DeadLetterWhole | null> {
  const url = await runningUrl(flags)
  if (url === null) return fromData(flags, (port) => port.show(topic, partition, offset))
  const [{ deadLetterWhole }, body] = await Promise.all([
    import('../serve/books-contract.ts'),
    askJson(url, `/api/v1/dead-letters/${encodeURIComponent(topic)}/${partition}/${offset}`, {}),
  ])
  return inHouse(deadLetterWhole.parse(body))
}
async function send(flags: ReplayFlags): Promise<ReplayOutcome> {
  const how = {
    dryRun: flags.dryRun ?? false,
    all: flags.all ?? false,
    set: Object.keys(flags.set).length === 0 ? null : flags.set,
  }
  const url = await runningUrl(flags)
  if (url === null) return fromData(flags, (port) => port.replay(filterOf(flags), how))
  const post = { ...queryOf(flags), dryRun: how.dryRun, all: how.all, ...(how.set === null ? {} : { set: how.set }) }
  const [{ replayOutcome }, body] = await Promise.all([
    import('../serve/books-contract.ts'),
    askJson(url, '/api/v1/dead-letters/replay', { post }),
  ])
  return replayOutcome.parse(body)
}
async function fromData<Answer>(
  flags: Where,
  ask: Parameters<typeof import('../platform/kept-data.ts').withDeadLetters<Answer>>[2],
): Promise<Answer> {
  const dataDir = dataDirOf(flags.dataDir)
  const world = await realWorld()
  if (world.fs.stat(dataDir) === null) throw notRunning(flags, 'millrace dlq')
  const { withDeadLetters } = await import('../platform/kept-data.ts')
  return withDeadLetters(world, dataDir, ask)
}
