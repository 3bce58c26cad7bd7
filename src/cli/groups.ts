// `millrace groups ls | describe | reset | delete`: consumer groups of a broker, how far behind they are, and where they go
// on. Speaks to any Kafka broker.
import type { Command } from 'commander'
import type { GroupOffset, KafkaGroups, ListedGroup, TopicPartition } from '../connect/kafka-groups.ts'
import { parseInstant } from '../std/instant.ts'
import { formatCount, parseBrokers } from './amounts.ts'
import { type Define, examples } from './command.ts'
import { CommandError, exitCodes, explain } from './errors.ts'
import { accessFromEnvironment } from './kafka-environment.ts'
import { notFound } from './names.ts'
import { newOffset, type ResetTo } from './offset-reset.ts'
import type { Output } from './output.ts'
import { brokersFromEnvironment, dataDirOf, realWorld, terminalOutput } from './terminal.ts'

interface PlaceFlags {
  readonly brokers?: string
  readonly dataDir?: string
}
interface ResetFlags extends PlaceFlags {
  readonly topic?: readonly string[]
  readonly toEarliest?: true
  readonly toLatest?: true
  readonly toDatetime?: number
  readonly toOffset?: number
  readonly shiftBy?: number
  readonly execute?: true
}
const fallbackBroker = '127.0.0.1:9092'

export const define: Define = (command, act) => {
  command.description('Consumer groups: who reads, how far behind they are, and where they go on.')

  const ls = command.command('ls').summary('list them').description('List the groups, and how far behind each is.')
  placeOptions(ls).action(
    act(async (globals, parsed) => {
      const out = terminalOutput(globals)
      return onGroups(parsed.opts<PlaceFlags>(), async (groups) => {
        const listed = [...(await groups.list())].sort((a, b) => (a.group < b.group ? -1 : 1))
        const rows = []
        for (const each of listed) rows.push({ ...each, lag: lagOf(await groups.offsets(each.group)) })
        out.table([{ name: 'group' }, { name: 'state' }, { name: 'type' }, { name: 'lag', alignRight: true }], rows)
        out.say('')
        out.say(
          rows.length === 0
            ? 'No group has read anything yet.'
            : `Next: millrace groups describe ${rows[0]?.group ?? ''}`,
        )
        return undefined
      })
    }),
  )

  const describe = command
    .command('describe')
    .summary('one of them, partition by partition')
    .description('How far a group is in each partition, how many messages behind, and who reads it.')
    .argument('<group>', 'its id')
  placeOptions(describe).action(
    act(async (globals, parsed) => {
      const out = terminalOutput(globals)
      const id = parsed.args[0] ?? ''
      return onGroups(parsed.opts<PlaceFlags>(), async (groups) => {
        const group = await groupNamed(groups, id, 'describe')
        const members = await groups.members(group)
        const owners = new Map(members.flatMap((member) => member.partitions.map((each) => [placeOf(each), member])))
        const offsets = await groups.offsets(id)
        const known = new Set(offsets.map(placeOf))
        const topics = [...new Set(members.flatMap(({ partitions }) => partitions.map(({ topic }) => topic)))]
        // What members have and nothing was committed of yet.
        const fresh = (await groups.offsets(id, topics)).filter(
          (each) => owners.has(placeOf(each)) && !known.has(placeOf(each)),
        )
        const rows = [...offsets, ...fresh].map((each) => ({
          topic: each.topic,
          partition: each.partition,
          committed: each.committed,
          end: each.end,
          lag: lagIn(each),
          member: owners.get(placeOf(each))?.member ?? '',
          client: owners.get(placeOf(each))?.client ?? '',
        }))
        out.table(
          [
            { name: 'topic' },
            { name: 'partition', alignRight: true },
            { name: 'committed', alignRight: true },
            { name: 'end', alignRight: true },
            { name: 'lag', alignRight: true },
            { name: 'member' },
            { name: 'client' },
          ],
          rows,
        )
        out.say('')
        const lag = rows.reduce((sum, row) => sum + row.lag, 0)
        const { state, type } = group
        out.say(`${state}, ${type} protocol, ${members.length} members, ${formatCount(lag)} messages behind`)
        return undefined
      })
    }),
  )

  const reset = command
    .command('reset')
    .summary('set where a group goes on')
    .description('Set the offsets of a group that has no members. Shows what would be; --execute does it.')
    .argument('<group>', 'its id')
    .option('--to-earliest', 'to the first message there is')
    .option('--to-latest', 'to the end: only what comes from now on')
    .option('--to-datetime <time>', 'to the first message at or after 2026-11-21T08:00:00Z', timeOf)
    .option('--to-offset <n>', 'to this offset in every partition', (text) => wholeNumber('--to-offset', text, 0))
    .option('--shift-by <n>', 'by so many messages, back if negative', (text) => wholeNumber('--shift-by', text))
    .option('--topic <name>', 'only this one; may be repeated (default: all that it has read)', collect)
    .option('--execute', 'do it')
  placeOptions(reset).action(
    act(async (globals, parsed) => {
      const out = terminalOutput(globals)
      const id = parsed.args[0] ?? ''
      const flags = parsed.opts<ResetFlags>()
      const to = resetOf(flags)
      return onGroups(flags, (groups) => resetGroup(groups, id, to, flags, out))
    }),
  )

  const remove = command
    .command('delete')
    .summary('forget one')
    .description('Delete a group that has no members, and all it has committed. Shows it; --execute does it.')
    .argument('<group>', 'its id')
    .option('--execute', 'do it')
  placeOptions(remove).action(
    act(async (globals, parsed) => {
      const out = terminalOutput(globals)
      const id = parsed.args[0] ?? ''
      const flags = parsed.opts<ResetFlags>()
      return onGroups(flags, async (groups) => {
        const group = await groupNamed(groups, id, 'delete')
        mustBeEmpty(group, 'deleted')
        const offsets = await groups.offsets(id)
        const partitions = `${formatCount(offsets.length)} partitions`
        if (flags.execute === true) await groups.delete(id)
        const done = flags.execute === true
        if (out.form === 'json' || out.form === 'ndjson') out.print(JSON.stringify({ group: id, deleted: done }))
        else if (done) out.print(`deleted ${id}, and where it was in ${partitions}`)
        else out.print(`would delete ${id}, and where it is in ${partitions}`)
        if (!done) out.say('Nothing was changed: add --execute.')
        return undefined
      })
    }),
  )

  examples(command, [
    ['millrace groups ls', 'all, with their lag'],
    ['millrace groups describe my-app', 'partition by partition'],
    ['millrace groups reset my-app --to-earliest', 'what a reset would do'],
  ])
  examples(ls, [
    ['millrace groups ls', 'a table'],
    ['millrace groups ls --brokers kafka:9092 --json', 'of another broker'],
  ])
  examples(describe, [['millrace groups describe my-app', 'lag and members']])
  examples(reset, [
    ['millrace groups reset my-app --to-earliest', 'only shows it'],
    ['millrace groups reset my-app --to-earliest --execute', 'reads all again'],
    ['millrace groups reset my-app --shift-by -100 --topic sales --execute', 'a little again'],
  ])
  examples(remove, [['millrace groups delete my-app --execute', 'it begins anew']])
}

function placeOptions(command: Command): Command {
  return command
    .option(
      '--brokers <list>',
      `Kafka addresses, host:port,… (default: KAFKA_BROKERS, else the Millrace that runs here, else ${fallbackBroker})`,
    )
    .option(
      '--data-dir <folder>',
      'find the Millrace that runs on this folder (default: MILLRACE_DATA_DIR or ./.millrace)',
    )
}
async function brokersOf(flags: PlaceFlags): Promise<readonly string[]> {
  if (flags.brokers !== undefined) return parseBrokers('--brokers', flags.brokers)
  const fromEnvironment = brokersFromEnvironment()
  if (fromEnvironment !== undefined) return parseBrokers('KAFKA_BROKERS (environment)', fromEnvironment)
  const [{ findRunning }, world] = await Promise.all([import('../platform/running.ts'), realWorld()])
  return [(await findRunning(world, dataDirOf(flags.dataDir)))?.kafka ?? fallbackBroker]
}
async function onGroups<T>(flags: PlaceFlags, use: (groups: KafkaGroups) => Promise<T>): Promise<T> {
  const brokers = await brokersOf(flags)
  const [{ kafkaGroups }, world] = await Promise.all([import('../connect/kafka-groups.ts'), realWorld()])
  const groups = kafkaGroups(world, { brokers, clientId: 'millrace-groups', access: accessFromEnvironment() })
  try {
    // Whether anyone is there is found out first: then an error is one of the group.
    await groups.topicNames().catch((error: unknown) => {
      throw new CommandError(
        exitCodes.unreachable,
        {
          what: 'no Kafka broker answers',
          where: brokers.join(', '),
          cause: error instanceof Error ? (explain(error).explanation.cause ?? error.message) : String(error),
          cure: 'start one (millrace start, millrace broker), or name another with --brokers',
        },
        { cause: error },
      )
    })
    return await use(groups)
  } finally {
    await groups.close()
  }
}

const placeOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`
/** From the start, where nothing was committed. */
const lagIn = ({ committed, start, end }: GroupOffset): number => Math.max(0, end - Math.max(committed ?? start, start))
const lagOf = (offsets: readonly GroupOffset[]): number => offsets.reduce((sum, each) => sum + lagIn(each), 0)

async function groupNamed(groups: KafkaGroups, id: string, usage: string): Promise<ListedGroup> {
  const listed = await groups.list()
  const found = listed.find(({ group }) => group === id)
  if (found !== undefined) return found
  throw notFound(
    'group',
    id,
    listed.map(({ group }) => group),
    `millrace groups ${usage}`,
  )
}
function mustBeEmpty({ group, state }: ListedGroup, what: string): void {
  if (state === 'Empty' || state === 'Dead') return
  throw new CommandError(exitCodes.refused, {
    what: `group ${group} has members, and cannot be ${what} under them`,
    value: state,
    cure: 'stop them first; one that was killed counts until its session ends',
  })
}

async function resetGroup(
  groups: KafkaGroups,
  id: string,
  to: ResetTo,
  flags: ResetFlags,
  out: Output,
): Promise<undefined> {
  const known = (await groups.list()).find(({ group }) => group === id)
  // Offsets may be set before a group first reads: then its topics are named.
  if (known === undefined && flags.topic === undefined) await groupNamed(groups, id, 'reset')
  if (known !== undefined) mustBeEmpty(known, 'reset')
  if (flags.topic !== undefined) {
    const names = await groups.topicNames()
    const missing = flags.topic.find((topic) => !names.includes(topic))
    if (missing !== undefined) throw notFound('topic', missing, names, `millrace groups reset ${id} --topic`)
  }
  const offsets = await groups.offsets(id, flags.topic)
  const times = to.to === 'datetime' ? await groups.offsetsAt(offsets, to.timeMs) : null
  const rows = offsets.flatMap((each, i) => {
    const offset = newOffset(to, { ...each, atTime: times?.[i] ?? null })
    return offset === null ? [] : [{ ...each, offset, lag: each.end - offset }]
  })
  if (rows.length === 0) {
    throw new CommandError(exitCodes.notFound, {
      what: `group ${id} has committed nothing that could be set`,
      cure: 'name topics with --topic, and a place to go to (--to-earliest, --to-latest …)',
    })
  }
  if (flags.execute === true) await groups.commit(id, rows)
  out.table(
    [
      { name: 'topic' },
      { name: 'partition', alignRight: true },
      { name: 'committed', title: 'was', alignRight: true },
      { name: 'offset', title: flags.execute === true ? 'is' : 'would be', alignRight: true },
      { name: 'lag', alignRight: true },
    ],
    rows.map(({ topic, partition, committed, offset, lag }) => ({ topic, partition, committed, offset, lag })),
  )
  out.say('')
  const lag = formatCount(rows.reduce((sum, row) => sum + row.lag, 0))
  if (flags.execute === true) out.say(`${id} goes on there, ${lag} messages behind`)
  else out.say(`Nothing was changed: add --execute. ${id} would be ${lag} messages behind.`)
  return undefined
}

function resetOf(flags: ResetFlags): ResetTo {
  const asked: ResetTo[] = []
  if (flags.toEarliest === true) asked.push({ to: 'earliest' })
  if (flags.toLatest === true) asked.push({ to: 'latest' })
  if (flags.toDatetime !== undefined) asked.push({ to: 'datetime', timeMs: flags.toDatetime })
  if (flags.toOffset !== undefined) asked.push({ to: 'offset', offset: flags.toOffset })
  if (flags.shiftBy !== undefined) asked.push({ to: 'shift', by: flags.shiftBy })
  const [one] = asked
  if (one !== undefined && asked.length === 1) return one
  throw new CommandError(exitCodes.usage, {
    what: `a reset goes to one place, and ${asked.length === 0 ? 'none' : 'more'} was named`,
    cure: 'use one of --to-earliest, --to-latest, --to-datetime, --to-offset, --shift-by',
  })
}
function timeOf(text: string): number {
  const timeMs = parseInstant(text)
  if (Number.isFinite(timeMs)) return timeMs
  throw new CommandError(exitCodes.usage, {
    what: 'this is no time',
    where: '--to-datetime',
    value: text,
    cure: 'write it as 2026-11-21T08:00:00Z',
  })
}
function wholeNumber(flag: string, text: string, min = -Number.MAX_SAFE_INTEGER): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(value) && value >= min) return value
  throw new CommandError(exitCodes.usage, {
    what: 'this is no whole number that could be used here',
    where: flag,
    value: text,
    ...(min === 0 ? { cause: 'offsets begin at 0' } : {}),
  })
}
const collect = (name: string, before: readonly string[] = []): readonly string[] => [...before, name]
