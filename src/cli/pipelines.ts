// `millrace pipelines ls`: what is computed, and from which topics.
import { type Define, examples } from './command.ts'
import { terminalOutput } from './terminal.ts'

export const define: Define = (command, act) => {
  command.description('What Millrace computes, and from what.')
  const ls = command
    .command('ls')
    .summary('list them')
    .description('List the pipelines: their names, the topics they read, what they compute.')
    .action(
      act(async (globals) => {
        const out = terminalOutput(globals)
        const { pipelines } = await import('../commerce/commerce.ts')
        const rows = [...pipelines.values()].map(({ name, reads, doc }) => ({ name, reads: reads.join(', '), doc }))
        out.table(
          [{ name: 'name', title: 'pipeline' }, { name: 'reads' }, { name: 'doc', title: 'what it computes' }],
          rows,
        )
        out.say('')
        out.say(`Next: millrace explain ${rows[0]?.name ?? ''} · millrace run ${rows[0]?.name ?? ''} --input FILE`)
        return undefined
      }),
    )
  examples(command, [['millrace pipelines ls', 'names, topics, meaning']])
  examples(ls, [
    ['millrace pipelines ls', 'a table'],
    ['millrace pipelines ls --plain | cut -f1', 'only the names'],
  ])
}
