// `millrace broker`: only the broker, for Kafka clients.
import type { StartSettings } from '../platform.ts'
import { parsePort } from './amounts.ts'
import { type Define, durabilityOption, examples } from './command.ts'
import { CommandError, exitCodes, withPortFlag } from './errors.ts'
import { logLines } from './log-lines.ts'
import { stayUntilStopped, watchSignals } from './stopping.ts'
import { dataDirOf, ownVersion, realWorld, terminalOutput } from './terminal.ts'

interface Flags {
  readonly kafkaPort: number
  readonly host: string
  readonly dataDir?: string
  readonly ephemeral?: true
  readonly durability: StartSettings['durability']
}

export const define: Define = (command, act) => {
  command
    .description('Start only the broker. Any Kafka client connects to it as to Kafka.')
    .option('--kafka-port <port>', 'Kafka clients; 0 picks a free one', (text) => parsePort('--kafka-port', text), 9092)
    .option('--host <address>', 'address to listen on', process.env.HOST || '127.0.0.1')
    .option('--data-dir <folder>', 'where the data is kept (default: MILLRACE_DATA_DIR or ./.millrace)')
    .option('--ephemeral', 'keep the data in memory and forget it at the end')
    .addOption(durabilityOption())
    .action(
      act(async (globals, parsed) => {
        const flags = parsed.opts<Flags>()
        const out = terminalOutput(globals)
        if (flags.ephemeral && flags.dataDir !== undefined)
          throw new CommandError(exitCodes.usage, {
            what: '--ephemeral and --data-dir contradict each other',
            cause: 'ephemeral data is kept nowhere',
            cure: 'leave one of them out',
          })
        const stopping = watchSignals(out)
        const [{ startBroker }, world, log] = await Promise.all([
          import('../platform/broker-alone.ts'),
          realWorld(),
          logLines(out, process.env, process.stderr.isTTY),
        ])
        stopping.check()
        const dataDir = flags.ephemeral ? null : dataDirOf(flags.dataDir)
        const broker = await startBroker(world, {
          dataDir,
          host: flags.host,
          kafkaPort: flags.kafkaPort,
          durability: flags.durability,
          log,
        }).catch((error: unknown) => {
          throw withPortFlag(error, flags)
        })
        if (out.form === 'text' || out.form === 'plain') {
          out.print(
            `${out.style('bold', `Millrace ${ownVersion()}`)}, the broker alone, listens on ${out.style('cyan', broker.kafka)}`,
          )
          out.print(`  Data in ${dataDir ?? 'memory, forgotten at the end'}. Ctrl-C stops it.`)
          out.print(`  Next: millrace produce sales --rate 1000 --duration 10s --brokers ${broker.kafka}`)
        } else out.print(JSON.stringify({ ready: true, kafka: broker.kafka }))
        return await stayUntilStopped(broker, stopping)
      }),
    )
  examples(command, [
    ['millrace broker', 'listen on 127.0.0.1:9092'],
    ['millrace broker --kafka-port 0 --ephemeral --json', 'for tests of your own'],
  ])
}
