// `millrace version`: what runs here.
import { type Define, examples } from './command.ts'
import { ownVersion, terminalOutput } from './terminal.ts'

export const define: Define = (command, act) => {
  command.description('Print the versions of Millrace, Node and this platform.').action(
    act(async (globals) => {
      const out = terminalOutput(globals)
      const parts = {
        millrace: ownVersion(),
        node: process.versions.node,
        platform: `${process.platform}-${process.arch}`,
      }
      if (out.form === 'json' || out.form === 'ndjson') out.print(JSON.stringify(parts))
      else if (out.form === 'plain') out.print(Object.values(parts).join('\t'))
      else out.print(`millrace ${parts.millrace} (Node ${parts.node}, ${parts.platform})`)
      return undefined
    }),
  )
  examples(command, [
    ['millrace version', 'for people'],
    ['millrace version --json', 'for programs'],
  ])
}
