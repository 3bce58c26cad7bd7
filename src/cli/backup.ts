// `millrace backup`: all of the broker at one moment, from a stopped data directory or from the Millrace that runs on it.
import type { Backup } from '../broker/care/backup.ts'
import { formatBytes, formatCount } from './amounts.ts'
import { type Define, examples } from './command.ts'
import { absolute } from './files.ts'
import type { Output } from './output.ts'
import { watchSignals } from './stopping.ts'
import { dataDirOf, realWorld, terminalOutput } from './terminal.ts'

export const define: Define = (command, act) => {
  command
    .description(
      'Copy all of the broker, as it is at one moment, into a folder: topics, groups, jobs. A running Millrace is asked to do it, and goes on meanwhile. On the same disk files are linked, so it takes little room until they change; copy the folder elsewhere to be safe from a lost disk.',
    )
    .argument('<folder>', 'where to; must be empty or not there')
    .option('--data-dir <folder>', 'of what (default: MILLRACE_DATA_DIR or ./.millrace)')
    .action(
      act(async (globals, parsed) => {
        const out = terminalOutput(globals)
        const target = absolute(parsed.args[0] ?? '')
        const dataDir = dataDirOf(parsed.opts<{ readonly dataDir?: string }>().dataDir)
        const [{ findRunning }, { askForBackup }, { backupStopped }, world] = await Promise.all([
          import('../platform/running.ts'),
          import('../platform/backup-requests.ts'),
          import('../broker/care/backup.ts'),
          realWorld(),
        ])
        const running = await findRunning(world, dataDir)
        const stopping = watchSignals(out)
        const backup =
          running === null
            ? await backupStopped(world, dataDir, target)
            : await askForBackup(world, dataDir, target, () => stopping.check())
        tellBackup(out, backup)
        out.say(`Next: millrace restore ${target} --data-dir FOLDER`)
        return undefined
      }),
    )
  examples(command, [
    ['millrace backup /backups/2026-11-21', 'of ./.millrace, running or not'],
    ['millrace backup /backups/today --data-dir /srv/millrace', 'of another one'],
  ])
}

export function tellBackup(out: Output, backup: Backup): void {
  if (out.form === 'json' || out.form === 'ndjson') {
    out.print(JSON.stringify(backup))
    return
  }
  const at = backup.lsn === null ? 'as it was left' : `up to LSN ${formatCount(backup.lsn)}`
  out.print(`${backup.folder}: ${formatCount(backup.files)} files, ${formatBytes(backup.bytes)}, ${at}`)
}
