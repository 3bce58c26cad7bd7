// `millrace explain`: a pipeline's Plan, as people read it or as the data it is.
import { type Define, examples } from './command.ts'
import { pipelineNamed } from './names.ts'
import { terminalOutput } from './terminal.ts'

export const define: Define = (command, act) => {
  command
    .description('Show how a pipeline is computed: its Plan, from the result down to the topics it reads.')
    .argument('<pipeline>', 'its name (millrace pipelines ls)')
    .action(
      act(async (globals, { args }) => {
        const out = terminalOutput(globals)
        const [{ plan }, { explain }] = await Promise.all([
          pipelineNamed(args[0] ?? '', 'millrace explain'),
          import('../query/query.ts'),
        ])
        if (out.form === 'json') out.print(JSON.stringify(plan, null, 2))
        else if (out.form === 'ndjson') out.print(JSON.stringify(plan))
        else out.print(explain(plan).trimEnd())
        return undefined
      }),
    )
  examples(command, [
    ['millrace explain sales-window', 'the operators, their columns and keys'],
    ['millrace explain sales-window --json', 'the Plan itself, as JSON'],
  ])
}
