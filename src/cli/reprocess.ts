// `millrace reprocess`: recomputes the windows that records came too late for, out of the log of a data directory that
// nobody holds.
import { instantText } from '../std/instant.ts'
import { type Define, examples } from './command.ts'
import { CommandError, exitCodes } from './errors.ts'
import { pipelineNamed } from './names.ts'
import { notRunning, runningUrl, type Where } from './server.ts'
import { dataDirOf, realWorld, terminalOutput } from './terminal.ts'

export const define: Define = (command, act) => {
  command
    .description(
      'Recompute the windows that records came too late for: their pipeline marked them, and all their records are in the log. Rows that differ are told as corrections; doing it again tells nothing.',
    )
    .argument('[pipeline]', 'only this one (millrace pipelines ls)')
    .option(
      '--data-dir <folder>',
      'the data; stop the Millrace that runs on it (default: MILLRACE_DATA_DIR or ./.millrace)',
    )
    .action(
      act(async (globals, parsed) => {
        const out = terminalOutput(globals)
        const name = parsed.args[0]
        const names = name === undefined ? [] : [(await pipelineNamed(name, 'millrace reprocess')).name]
        const flags = parsed.opts<Where>()
        const dataDir = dataDirOf(flags.dataDir)
        if ((await runningUrl(flags)) !== null)
          throw new CommandError(exitCodes.refused, {
            what: `a Millrace runs on ${dataDir}`,
            cause: 'a data directory has one owner',
            cure: 'stop it, and start it again afterwards',
          })
        const world = await realWorld()
        if (world.fs.stat(dataDir) === null) throw notRunning(flags, 'millrace reprocess')
        const { reprocessData } = await import('../platform/reprocessing.ts')
        const done = await reprocessData(world, dataDir, names)
        out.table(
          [
            { name: 'pipeline' },
            { name: 'recomputed', title: 'ranges recomputed', alignRight: true },
            { name: 'rows', title: 'rows corrected', alignRight: true },
            { name: 'waiting', title: 'still open', alignRight: true },
            { name: 'gone', title: 'not in the log', alignRight: true },
          ],
          done.map(({ pipeline, recomputed, rows, waiting, notInTheLog }) => ({
            pipeline,
            recomputed,
            rows,
            waiting,
            gone: notInTheLog.length,
          })),
        )
        for (const { pipeline, notInTheLog } of done)
          for (const { fromMs, toMs } of notInTheLog)
            out.say(`${pipeline}: ${instantText(fromMs)} to ${instantText(toMs)} is for the lake`)
        if (done.length === 0) out.say('no window lacks a late record')
        return undefined
      }),
    )
  examples(command, [
    ['millrace reprocess', 'all pipelines'],
    ['millrace reprocess product-metrics --data-dir ./shop', 'one of them'],
  ])
}
