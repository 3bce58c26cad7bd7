// `millrace watch`: the NDJSON files of folders into topics of a broker that runs somewhere, a Millrace or Apache Kafka:
// each line once, in transactions, until it is told to stop.
import { formatCount, parseBrokers } from './amounts.ts'
import { type Define, examples } from './command.ts'
import { CommandError, exitCodes } from './errors.ts'
import { accessFromEnvironment } from './kafka-environment.ts'
import { clean } from './output.ts'
import { stayUntilStopped, watchSignals } from './stopping.ts'
import { brokersFromEnvironment, dataDirOf, realWorld, terminalOutput } from './terminal.ts'
import { parseWatch } from './watched.ts'

interface Flags {
  readonly brokers?: string
  readonly dataDir?: string
  readonly once?: true
}

const fallbackBroker = '127.0.0.1:9092'
const progressMs = 200
const troubleMs = 10_000

export const define: Define = (command, act) => {
  command
    .description(
      'Take in the NDJSON files of folders (*.ndjson, *.jsonl, also .gz), each line once: files may grow, be rotated and packed, and the watch may be stopped or killed and started again. Lines that break the contract of the topic go to its dead letters, with file and line.',
    )
    .argument('<folder=topic...>', 'a folder and the topic that its lines go to')
    .option('--once', 'take in what is there, then end')
    .option(
      '--brokers <list>',
      `Kafka addresses, host:port,… (default: KAFKA_BROKERS, else the Millrace that runs here, else ${fallbackBroker})`,
    )
    .option(
      '--data-dir <folder>',
      'find the Millrace that runs on this folder (default: MILLRACE_DATA_DIR or ./.millrace)',
    )
    .action(
      act(async (globals, parsed) => {
        const flags = parsed.opts<Flags>()
        const out = terminalOutput(globals)
        const wanted = parsed.args.map((text) => parseWatch('', text))
        const stopping = watchSignals(out)
        const [{ openKafkaLog }, { startWatching }, world] = await Promise.all([
          import('../connect/kafka-log.ts'),
          import('../platform/watching.ts'),
          realWorld(),
        ])
        const brokers = await brokersOf(flags)
        const access = accessFromEnvironment()
        const log = await openKafkaLog(world, { brokers, clientId: 'millrace-watch', access }).catch(
          (error: unknown) => {
            throw new CommandError(
              exitCodes.unreachable,
              {
                what: 'no Kafka broker answers',
                where: brokers.join(', '),
                cause: error instanceof Error ? error.message : String(error),
                cure: 'start one (millrace start, millrace broker), or name another with --brokers',
              },
              { cause: error },
            )
          },
        )
        try {
          const watching = await startWatching(world, log, wanted)
          const totals = (): { readonly records: number; readonly deadLetters: number } => {
            const counts = watching.folders.map(({ watch }) => watch.counts())
            return {
              records: counts.reduce((sum, { records }) => sum + records, 0),
              deadLetters: counts.reduce((sum, { deadLetters }) => sum + deadLetters, 0),
            }
          }
          for (const { folder, topic } of wanted)
            out.say(`taking ${clean(folder)} into ${topic} on ${brokers.join(', ')}`)
          let told = ''
          let toldMs = 0
          const telling = setInterval(() => {
            out.progress(`${formatCount(totals().records)} records, ${formatCount(totals().deadLetters)} dead letters`)
            const { state, detail } = watching.component()
            if (state === 'ok' || (detail === told && performance.now() - toldMs < troubleMs)) return
            told = detail
            toldMs = performance.now()
            out.warn(clean(detail))
          }, progressMs)
          let exitCode: number | undefined
          try {
            if (flags.once) {
              await Promise.race([watching.settled(), stopping.requested])
              await watching.stop()
            } else exitCode = await stayUntilStopped(watching, stopping)
          } finally {
            clearInterval(telling)
          }
          const { state, detail } = watching.component()
          out.progress('')
          const { records, deadLetters } = totals()
          if (out.form === 'json' || out.form === 'ndjson') out.print(JSON.stringify({ records, deadLetters }))
          else out.print(`${formatCount(records)} records taken in, ${formatCount(deadLetters)} dead letters`)
          stopping.check()
          if (flags.once && state !== 'ok') {
            out.warn(clean(detail))
            return exitCodes.failed
          }
          return exitCode
        } finally {
          await log.close()
        }
      }),
    )
  examples(command, [
    ['millrace watch ./exports=orders', 'into the Millrace that runs here'],
    ['millrace watch ./exports=orders --once', 'what is there now'],
    ['millrace watch a=orders b=sales --brokers kafka:9092', 'into Apache Kafka'],
  ])
}

async function brokersOf(flags: Flags): Promise<readonly string[]> {
  if (flags.brokers !== undefined) return parseBrokers('--brokers', flags.brokers)
  const fromEnvironment = brokersFromEnvironment()
  if (fromEnvironment !== undefined) return parseBrokers('KAFKA_BROKERS (environment)', fromEnvironment)
  const [{ findRunning }, world] = await Promise.all([import('../platform/running.ts'), realWorld()])
  return [(await findRunning(world, dataDirOf(flags.dataDir)))?.kafka ?? fallbackBroker]
}
