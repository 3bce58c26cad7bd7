// `millrace contracts`: what each topic promises, for people or as an Open Data Contract.
import type { Contract } from '../query/contract.ts'
import { type Define, examples } from './command.ts'
import { exitCodes } from './errors.ts'
import { notFound } from './names.ts'
import { terminalOutput } from './terminal.ts'

export const define: Define = (command, act) => {
  command.description('What each topic promises: fields, types, rules, key, event time.')
  const ls = command
    .command('ls')
    .summary('list them')
    .description('List the contracts: topic, version, partitions, key, event time, what the topic holds.')
    .action(
      act(async (globals) => {
        const out = terminalOutput(globals)
        const { contracts } = await import('../commerce/commerce.ts')
        const rows = [...contracts.values()].map(({ topic, version, partitions, key, eventTime, origin, doc }) => ({
          name: topic,
          version,
          partitions,
          key,
          event_time: eventTime,
          origin: origin ?? 'input',
          doc,
        }))
        out.table(
          [
            { name: 'name', title: 'topic' },
            { name: 'version', alignRight: true },
            { name: 'partitions', alignRight: true },
            { name: 'key' },
            { name: 'event_time', title: 'event time' },
            { name: 'origin' },
            { name: 'doc', title: 'what it holds' },
          ],
          rows,
        )
        out.say('')
        out.say('Next: millrace contracts show sales')
        return undefined
      }),
    )
  const show = command
    .command('show')
    .summary('show one')
    .description('Show the contract of a topic: a page for people, or an Open Data Contract (ODCS v3.1.0) with --odcs.')
    .argument('<topic>', 'its name (millrace contracts ls)')
    .option('--odcs', 'as ODCS v3.1.0, in JSON, which is YAML too')
    .action(
      act(async (globals, parsed) => {
        const out = terminalOutput(globals)
        const contract = await contractNamed(parsed.args[0] ?? '')
        const { odcs, topicPage } = await import('../commerce/commerce.ts')
        if (out.form === 'ndjson') out.print(JSON.stringify(odcs(contract)))
        else if (parsed.opts<{ odcs?: boolean }>().odcs || out.form === 'json')
          out.print(JSON.stringify(odcs(contract), null, 2))
        else out.print(topicPage(contract).trimEnd())
        return undefined
      }),
    )
  const diff = command
    .command('diff')
    .summary('what changed between versions')
    .description(
      'What changed between two versions of a contract (default: the last two), and whether old records are still read ' +
        'by the new version (backward) and new ones by the old (forward). Exit code 1: old records are not.',
    )
    .argument('<topic>', 'its name (millrace contracts ls)')
    .argument('[from]', 'version')
    .argument('[to]', 'version')
    .action(
      act(async (globals, parsed) => {
        const out = terminalOutput(globals)
        const { topic } = await contractNamed(parsed.args[0] ?? '')
        const { contractChanges, contractVersions, isBreaking } = await import('../commerce/commerce.ts')
        const versions = contractVersions(topic)
        const numbered = (text: string | undefined, otherwise: number): Contract => {
          const found = versions.find(({ version }) => version === Number(text ?? otherwise))
          if (found !== undefined) return found
          const known = versions.map(({ version }) => String(version))
          throw notFound(`version of ${topic}`, String(text ?? otherwise), known, `millrace contracts diff ${topic}`)
        }
        const to = numbered(parsed.args[2], versions.length)
        const from = numbered(parsed.args[1], Math.max(1, to.version - 1))
        const changes = contractChanges(from, to)
        if (changes.length === 0 && (out.form === 'text' || out.form === 'plain')) {
          out.say(`${topic} has not changed between versions ${from.version} and ${to.version}`)
          return undefined
        }
        out.table(
          [{ name: 'path', title: 'field' }, { name: 'change' }, { name: 'backward' }, { name: 'forward' }],
          changes.map(({ path, change, backward, forward }) => ({
            path,
            change,
            backward: backward ? 'yes' : 'no',
            forward: forward ? 'yes' : 'no',
          })),
        )
        return isBreaking(changes) ? exitCodes.failed : undefined
      }),
    )
  examples(command, [
    ['millrace contracts ls', 'topics, keys, meaning'],
    ['millrace contracts show sales', 'fields, types, rules'],
  ])
  examples(ls, [
    ['millrace contracts ls', 'a table'],
    ['millrace contracts ls --plain | cut -f1', 'only the names'],
  ])
  examples(diff, [
    ['millrace contracts diff transactions', 'what the newest version changed'],
    ['millrace contracts diff transactions 1 2 --json', 'two versions, for scripts'],
  ])
  examples(show, [
    ['millrace contracts show transactions', 'for people'],
    ['millrace contracts show sales --odcs > sales.odcs.yaml', 'for other tools'],
  ])
}

async function contractNamed(topic: string): Promise<Contract> {
  const { contracts } = await import('../commerce/commerce.ts')
  const found = contracts.get(topic)
  if (found === undefined) throw notFound('contract for topic', topic, [...contracts.keys()], 'millrace contracts show')
  return found
}
