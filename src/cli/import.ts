// `millrace import`: brings a real data set in, as events in the order of their times.
import { formatCount, formatDuration, parseBrokers } from './amounts.ts'
import { type Define, examples } from './command.ts'
import { mustExist } from './files.ts'
import { accessFromEnvironment } from './kafka-environment.ts'
import { notFound } from './names.ts'
import { watchSignals } from './stopping.ts'
import { dataDirOf, realWorld, terminalOutput } from './terminal.ts'

const dataSets = ['online-retail']

interface Flags {
  readonly brokers?: string
  readonly dataDir?: string
}

export const define: Define = (command, act) => {
  command
    .description(
      'Bring a real data set in: its lines become events, in the order of their times. Uses a running Millrace if there is one; else opens the data directory itself.',
    )
    .argument('<data-set>', `what the file holds: ${dataSets.join(', ')}`)
    .argument('<file>', 'CSV, gzipped or not')
    .option('--brokers <list>', 'Kafka addresses, host:port,… (default: the Millrace that holds the data directory)')
    .option(
      '--data-dir <folder>',
      'the data, or the Millrace that runs on it (default: MILLRACE_DATA_DIR or ./.millrace)',
    )
    .action(
      act(async (globals, parsed) => {
        const [dataSet = '', file = ''] = parsed.args
        const out = terminalOutput(globals)
        if (!dataSets.includes(dataSet)) throw notFound('data set', dataSet, dataSets, 'millrace import')
        mustExist(file, 'file')
        const flags = parsed.opts<Flags>()
        const stopping = watchSignals(out)
        const [{ findRunning }, { importOnlineRetail }, world] = await Promise.all([
          import('../platform/running.ts'),
          import('../platform/import.ts'),
          realWorld(),
        ])
        const dataDir = dataDirOf(flags.dataDir)
        const running = flags.brokers === undefined ? await findRunning(world, dataDir) : null
        const target =
          flags.brokers !== undefined
            ? { brokers: parseBrokers('--brokers', flags.brokers), access: accessFromEnvironment() }
            : running !== null
              ? { brokers: [running.kafka], access: accessFromEnvironment() }
              : { dataDir }
        out.detail(
          'brokers' in target ? `to the broker at ${target.brokers.join(', ')}` : `to the data directory ${dataDir}`,
        )
        const startedMs = performance.now()
        const done = await importOnlineRetail(world, {
          file,
          target,
          progress: ({ rows, fraction }) => {
            stopping.check()
            out.progress(progressLine(rows, fraction, performance.now() - startedMs))
          },
        })
        out.progress('')
        if (out.form === 'json' || out.form === 'ndjson') out.print(JSON.stringify(done))
        else
          out.print(
            `imported ${formatCount(done.rows)} lines in ${formatDuration(done.seconds * 1_000)} (${formatCount(Math.round(done.rows / Math.max(done.seconds, 0.001)))}/s)`,
          )
        out.say('Next: millrace report run monthly-revenue')
        return undefined
      }),
    )
  examples(command, [
    ['millrace import online-retail online-retail.csv.gz', 'half a million order lines'],
    ['millrace report run monthly-revenue', 'then: their revenue per month'],
  ])
}

const barCells = 24

/** `████████░░░░░░░░  52 %  281,600 lines  410,000/s  2 s to go`. */
export function progressLine(rows: number, fraction: number, elapsedMs: number): string {
  const part = Math.min(1, Math.max(0, fraction))
  const full = Math.round(part * barCells)
  const rate = Math.round((rows / Math.max(elapsedMs, 1)) * 1_000)
  const left = part > 0.02 && part < 1 ? `  ${formatDuration((elapsedMs / part) * (1 - part))} to go` : ''
  return `${'█'.repeat(full)}${'░'.repeat(barCells - full)}  ${String(Math.floor(part * 100)).padStart(3)} %  ${formatCount(rows)} lines  ${formatCount(rate)}/s${left}`
}
