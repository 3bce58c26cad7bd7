// `millrace restore`: a data directory from a backup, every file checked first.

import { tellBackup } from './backup.ts'
import { type Define, examples } from './command.ts'
import { absolute } from './files.ts'
import { dataDirOf, realWorld, terminalOutput } from './terminal.ts'

export const define: Define = (command, act) => {
  command
    .description(
      'Make a data directory from a backup. Every file is checked before anything is written; a folder with something in it is refused.',
    )
    .argument('<backup>', 'the folder that millrace backup made')
    .option('--data-dir <folder>', 'where to; must be empty or not there (default: MILLRACE_DATA_DIR or ./.millrace)')
    .action(
      act(async (globals, parsed) => {
        const out = terminalOutput(globals)
        const dataDir = dataDirOf(parsed.opts<{ readonly dataDir?: string }>().dataDir)
        const [{ restoreBackup }, world] = await Promise.all([import('../broker/care/backup.ts'), realWorld()])
        tellBackup(out, await restoreBackup(world, absolute(parsed.args[0] ?? ''), dataDir))
        out.say(`Next: millrace start --data-dir ${dataDir}`)
        return undefined
      }),
    )
  examples(command, [
    ['millrace restore /backups/2026-11-21', 'into ./.millrace'],
    ['millrace restore /backups/today --data-dir /srv/new', 'beside the old one'],
  ])
}
