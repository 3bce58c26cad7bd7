// `millrace doctor broker`: what lies in a data directory, and what is wrong with it. Changes nothing.
import type { Inspection } from '../broker/care/inspect.ts'
import { formatBytes, formatCount } from './amounts.ts'
import type { Act, Define } from './command.ts'
import { examples } from './command.ts'
import { type ExitCode, exitCodes } from './errors.ts'
import { clean, type Output } from './output.ts'
import { dataDirOf, realWorld, terminalOutput } from './terminal.ts'

/** Lines of a list that are shown to people; programs get all. */
const linesShown = 50

export function defineDoctorBroker(parent: Parameters<Define>[0], act: Act): void {
  const command = parent
    .command('broker')
    .summary('read a stopped data directory and tell what is in it')
    .description(
      'Read all of a data directory that no Millrace holds: topics, groups, jobs, damage. Changes nothing; every byte of the journal is checked.',
    )
    .argument('[data-dir]', 'the folder (default: MILLRACE_DATA_DIR or ./.millrace)')
    .action(
      act(async (globals, parsed) => {
        const out = terminalOutput(globals)
        const [{ inspectDataDirectory }, world] = await Promise.all([import('../broker/care/inspect.ts'), realWorld()])
        const found = await inspectDataDirectory(
          world,
          dataDirOf(parsed.args[0] ?? parsed.optsWithGlobals<{ readonly dataDir?: string }>().dataDir),
        )
        if (out.form === 'json' || out.form === 'ndjson') out.print(JSON.stringify(found))
        else tell(out, found)
        return exitCodeOf(found)
      }),
    )
  examples(command, [
    ['millrace doctor broker', 'what is in ./.millrace'],
    ['millrace doctor broker /srv/millrace --json', 'for programs; exit code 1 with damage'],
  ])
}

function exitCodeOf({ problem, damage }: Inspection): ExitCode {
  if (problem?.code === 'DATA_DIRECTORY_IN_USE') return exitCodes.refused
  if (problem?.code === 'ENOENT' || problem?.code === 'EMPTY') return exitCodes.notFound
  return problem !== null || damage !== null ? exitCodes.failed : exitCodes.ok
}

function tell(out: Output, found: Inspection): void {
  const { problem, damage, inventory } = found
  const line = (name: string, text: string): void => out.print(`${out.style('dim', name.padEnd(10))} ${clean(text)}`)
  line('folder', `${found.dataDir}, ${formatBytes(found.bytes)}, format ${found.format ?? 'unknown'}`)
  const journalBytes = found.segments.reduce((sum, { bytes }) => sum + bytes, 0)
  line('journal', `${formatCount(found.segments.length)} segments, ${formatBytes(journalBytes)}`)
  if (inventory !== null) {
    const { lastLsn, copiedEntries } = inventory.journal
    const tail =
      copiedEntries === 0 ? '' : `; a start copies the ${formatCount(copiedEntries)} that nothing witnesses yet`
    line('entries', `up to LSN ${formatCount(lastLsn)}${tail}`)
    const partitions = inventory.topics.flatMap((topic) =>
      topic.partitions.map((each) => ({ topic: topic.name, ...each })),
    )
    line('topics', `${formatCount(inventory.topics.length)}, partitions ${formatCount(partitions.length)}`)
    for (const { topic, partition, start, end, bytes, damage: why } of partitions.slice(0, linesShown)) {
      const state = why === null ? '' : `  ${out.style('red', 'read-only: damaged')}`
      out.print(
        `  ${clean(`${topic}-${partition}`.padEnd(36))} ${String(start).padStart(12)} to ${String(end).padEnd(12)} ${formatBytes(bytes)}${state}`,
      )
    }
    if (partitions.length > linesShown) out.print(`  … and ${partitions.length - linesShown} more (--json shows all)`)
    line('groups', formatCount(inventory.groups.length))
    for (const { group, offsets } of inventory.groups.slice(0, linesShown)) {
      out.print(`  ${clean(group)}: offsets in ${offsets.length} partitions`)
    }
    line('jobs', formatCount(inventory.jobs.length))
    for (const { job, epoch, cursor } of inventory.jobs.slice(0, linesShown)) {
      out.print(`  ${clean(job)}: at LSN ${clean(cursor)}, owner ${epoch}`)
    }
  }
  if (found.strangers.length > 0) line('not ours', found.strangers.slice(0, linesShown).join(', '))
  out.print('')
  if (problem !== null) {
    out.print(`${out.style('red', '✗')} ${clean(problem.message)}`)
    if (problem.cure !== null) out.print(`  ${out.style('cyan', '→')} ${clean(problem.cure)}`)
  } else if (damage !== null) {
    out.print(`${out.style('red', '✗')} ${clean(damage.message)}`)
    out.print(`  ${out.style('cyan', '→')} ${damage.cure}`)
  } else out.print(`${out.style('green', '✓')} all that was durable is there`)
}
