// `millrace broker repair`: makes a damaged data directory writable again, without what is lost; says before what that is.
import { formatCount } from './amounts.ts'
import type { Act, Define } from './command.ts'
import { examples } from './command.ts'
import { exitCodes } from './errors.ts'
import { clean } from './output.ts'
import { dataDirOf, realWorld, terminalOutput } from './terminal.ts'

const linesShown = 50

export function defineBrokerRepair(parent: Parameters<Define>[0], act: Act): void {
  const command = parent
    .command('repair')
    .summary('make a damaged data directory writable again')
    .description(
      'Make a stopped, damaged data directory writable again. Alone it only tells what would be lost. Damaged files are kept in the folder quarantine.',
    )
    .argument('[data-dir]', 'the folder (default: MILLRACE_DATA_DIR or ./.millrace)')
    .option('--accept-loss', 'do it: what is damaged is lost to everyone but the quarantine')
    .action(
      act(async (globals, parsed) => {
        const out = terminalOutput(globals)
        const dataDir = dataDirOf(parsed.args[0] ?? parsed.optsWithGlobals<{ readonly dataDir?: string }>().dataDir)
        const acceptLoss = parsed.opts<{ readonly acceptLoss?: true }>().acceptLoss === true
        const [{ repairDataDirectory }, world] = await Promise.all([import('../broker/care/repair.ts'), realWorld()])
        const repair = await repairDataDirectory(world, dataDir, { acceptLoss })
        if (out.form === 'json' || out.form === 'ndjson') out.print(JSON.stringify(repair))
        else {
          if (repair.isWhole) out.print(`${dataDir} is whole: there is nothing to repair`)
          else {
            const verb = repair.repaired ? 'are lost' : 'would be lost'
            out.print(`${formatCount(repair.lostEntries)} entries of the journal and what is named below ${verb}`)
            for (const { topic, partition, from, to } of repair.lostOffsets.slice(0, linesShown)) {
              out.print(`  ${clean(topic)}-${partition}: offsets ${from} to ${to - 1}`)
            }
            if (repair.lostOffsets.length > linesShown)
              out.print(`  … and ${repair.lostOffsets.length - linesShown} more (--json shows all)`)
            for (const { what, entries } of repair.lostOfTheHouse)
              out.print(`  ${what}: ${formatCount(entries)} entries`)
            if (repair.unknownEntries > 0)
              out.print(
                `  ${formatCount(repair.unknownEntries)} entries of which nobody can tell whose they were: perhaps the last of some partitions`,
              )
          }
          if (repair.quarantine !== null) out.print(`The damaged files are kept in ${repair.quarantine}`)
        }
        if (repair.repaired) out.say('Next: millrace start')
        else if (!repair.isWhole)
          out.say(
            `Next: restore a backup (millrace restore), or accept it: millrace broker repair ${dataDir} --accept-loss`,
          )
        return !repair.isWhole && !repair.repaired ? exitCodes.failed : exitCodes.ok
      }),
    )
  examples(command, [
    ['millrace broker repair', 'what would be lost of ./.millrace'],
    ['millrace broker repair /srv/millrace --accept-loss', 'lose it, and go on'],
  ])
}
