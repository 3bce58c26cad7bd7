// `millrace doctor`: looks at the machine, the disk, the ports and the data directory; each finding names its cure.
import { parsePort } from './amounts.ts'
import { type Define, examples } from './command.ts'
import { defineDoctorBroker } from './doctor-broker.ts'
import { type Check, checks } from './doctor-checks.ts'
import { exitCodes } from './errors.ts'
import { clean } from './output.ts'
import { dataDirOf, realWorld, terminalOutput } from './terminal.ts'

interface Flags {
  readonly dataDir?: string
  readonly port: number
  readonly kafkaPort: number
}

export const define: Define = (command, act) => {
  command
    .description('Look for what would keep Millrace from working here, and say how to cure it.')
    .option('--data-dir <folder>', 'where the data is or shall be kept (default: MILLRACE_DATA_DIR or ./.millrace)')
    .option('--port <port>', 'that the dashboard shall use', (text) => parsePort('--port', text), 8080)
    .option('--kafka-port <port>', 'that the broker shall use', (text) => parsePort('--kafka-port', text), 9092)
    .action(
      act(async (globals, parsed) => {
        const flags = parsed.opts<Flags>()
        const out = terminalOutput(globals)
        const world = await realWorld()
        const found: Check[] = []
        for (const check of checks) found.push(...(await check(world, { ...flags, dataDir: dataDirOf(flags.dataDir) })))
        const worst = found.some(({ level }) => level === 'bad')
          ? 'bad'
          : found.some(({ level }) => level === 'warning')
            ? 'warning'
            : 'ok'
        if (out.form === 'json') out.print(JSON.stringify({ verdict: worst, checks: found }))
        else if (out.form === 'ndjson') for (const check of found) out.print(JSON.stringify(check))
        else if (out.form === 'plain')
          for (const { level, name, found: text, cure } of found)
            out.print([level, name, clean(text), cure ?? ''].join('\t'))
        else {
          const marks = { ok: out.style('green', '✓'), warning: out.style('yellow', '!'), bad: out.style('red', '✗') }
          for (const { level, name, found: text, cure } of found) {
            out.print(`${marks[level]} ${name.padEnd(15)} ${clean(text)}`)
            if (cure !== undefined && level !== 'ok') out.print(`  ${' '.repeat(15)} ${out.style('cyan', '→')} ${cure}`)
          }
          const words = {
            ok: 'all is well',
            warning: 'it works, with the remarks above',
            bad: 'what is marked ✗ keeps Millrace from working',
          }
          out.print('')
          out.print(words[worst])
        }
        return worst === 'bad' ? exitCodes.failed : exitCodes.ok
      }),
    )
  defineDoctorBroker(command, act)
  examples(command, [
    ['millrace doctor', 'before the first start, or when something is odd'],
    ['millrace doctor --data-dir /srv/millrace --port 80', 'with the settings you mean to use'],
    ['millrace doctor --json', 'for programs; exit code 1 when something is bad'],
    ['millrace doctor broker ./.millrace', 'what a stopped one has stored'],
  ])
}
