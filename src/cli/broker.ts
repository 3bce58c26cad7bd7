// `millrace broker`: only the broker, for Kafka clients.
import { parsePort } from './amounts.ts'
import { accessOptions, type BrokerFlags, brokerSettings, placeOptions } from './broker-options.ts'
import { defineBrokerRepair } from './broker-repair.ts'
import { type Define, examples } from './command.ts'
import { withPortFlag } from './errors.ts'
import { logLines } from './log-lines.ts'
import { stayUntilStopped, watchSignals } from './stopping.ts'
import { ownVersion, realWorld, terminalOutput } from './terminal.ts'

export const define: Define = (command, act) => {
  placeOptions(command.description('Start only the broker. Any Kafka client connects to it as to Kafka.'))
  accessOptions(command)
    .option(
      '--http-port <port>',
      'health and metrics for this machine (/readyz, /metrics); 0 picks a free one',
      (text) => parsePort('--http-port', text),
    )
    .action(
      act(async (globals, parsed) => {
        const flags = parsed.opts<BrokerFlags & { readonly httpPort?: number }>()
        const out = terminalOutput(globals)
        const settings = brokerSettings(flags, out)
        const stopping = watchSignals(out)
        const [{ startBroker }, world, log] = await Promise.all([
          import('../platform/broker-alone.ts'),
          // Nothing in a broker alone keeps Node's pool busy, and a thread less is 30 MB and 0.1 s less.
          realWorld({ syncs: 'pool' }),
          logLines(out, process.env, process.stderr.isTTY),
        ])
        stopping.check()
        const { dataDir } = settings
        const broker = await startBroker(world, {
          ...settings,
          log,
          httpPort: flags.httpPort ?? null,
          version: ownVersion(),
        }).catch((error: unknown) => {
          throw withPortFlag(error, flags)
        })
        if (out.form === 'text' || out.form === 'plain') {
          out.print(
            `${out.style('bold', `Millrace ${ownVersion()}`)}, the broker alone, listens on ${out.style('cyan', broker.kafka)}`,
          )
          out.print(`  Data in ${dataDir ?? 'memory, forgotten at the end'}. Ctrl-C stops it.`)
          if (broker.url !== null) out.print(`  Health and metrics: ${broker.url}/readyz and ${broker.url}/metrics`)
          out.print(`  Next: millrace produce sales --rate 1000 --duration 10s --brokers ${broker.kafka}`)
        } else
          out.print(
            JSON.stringify({ ready: true, kafka: broker.kafka, ...(broker.url === null ? {} : { url: broker.url }) }),
          )
        return await stayUntilStopped(broker, stopping)
      }),
    )
  defineBrokerRepair(command, act)
  examples(command, [
    ['millrace broker', 'listen on 127.0.0.1:9092'],
    ['millrace broker --kafka-port 0 --ephemeral --json', 'for tests of your own'],
    ['millrace broker repair', 'when its data are damaged'],
    ['millrace broker --host 0.0.0.0 --sasl --users users --super-user admin', 'other machines must log in'],
  ])
}
