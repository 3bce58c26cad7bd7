// `millrace start`: opens the whole house, says where it is, keeps it open until it is told to stop.
import { readFileSync } from 'node:fs'
import type { StartSettings } from '../platform.ts'
import { formatBytes, parsePort, parseRate } from './amounts.ts'
import { accessOptions, type BrokerFlags, brokerSettings, placeOptions } from './broker-options.ts'
import { type Define, examples } from './command.ts'
import { CommandError, exitCodes, withPortFlag } from './errors.ts'
import { mustExist } from './files.ts'
import { logLines } from './log-lines.ts'
import { clean, type Output } from './output.ts'
import { type ProfileFlag, parseProfile } from './produce-modes.ts'
import { openInBrowser, screenFolder } from './screen-files.ts'
import { stayUntilStopped, watchSignals } from './stopping.ts'
import { ownVersion, realWorld, terminalOutput } from './terminal.ts'
import { type FolderToWatch, parseWatch } from './watched.ts'

interface Flags extends BrokerFlags {
  readonly port: number
  readonly rate: number
  readonly seed?: string
  readonly profile?: ProfileFlag
  readonly generate: boolean
  readonly watch: readonly FolderToWatch[]
  readonly metricsFile?: string
  readonly lake: boolean
  readonly sql: boolean
  readonly delayRules?: string
  readonly open: boolean
}

export const define: Define = (command, act) => {
  command
    .description(
      'Start everything: broker, generator, pipelines and dashboard. Stops with Ctrl-C and goes on where it was at the next start.',
    )
    .option(
      '--port <port>',
      'dashboard and API; 0 picks a free one',
      (text) => parsePort('--port', text),
      portFrom('PORT', 8080),
    )
  placeOptions(command)
    .option('--rate <events/s>', 'sales per second of the generator', (text) => parseRate('--rate', text), 50)
    .option('--seed <text>', 'of the generator: the same seed, the same shop (default: a new one each time)')
    .option('--profile <name>', 'of the generator: default (rates as documented) or realistic', parseProfile)
    .option('--no-generate', 'nothing is generated: only what you send')
    .option(
      '--watch <folder=topic>',
      'take in the NDJSON files of a folder, each line once, as they come; may be given again',
      (text: string, before: readonly FolderToWatch[]) => [...before, parseWatch('--watch', text)],
      [],
    )
    .option(
      '--metrics-file <file>',
      'product metrics, a JSON object a line (default: output/metrics.json in the data directory)',
    )
    .option('--no-lake', 'nothing is written as Parquet while it runs (reports still bring in what they need)')
    .option('--sql', 'answer questions in SQL: read-only, in a process of its own, within limits', false)
    .option(
      '--delay-rules <file>',
      'JSON: bands of delay, what counts as delayed, hours of a high delay (default: as the documents say)',
    )
    .option('--no-open', 'do not open the browser')
  accessOptions(command).action(
    act(async (globals, parsed) => {
      const flags = parsed.opts<Flags>()
      const out = terminalOutput(globals)
      const broker = brokerSettings(flags, out)
      const brokers = process.env.KAFKA_BOOTSTRAP_SERVERS || process.env.KAFKA_BROKERS
      if (brokers) out.warn(`KAFKA_BROKERS is set (${brokers}) and not used: start always opens a broker of its own`)
      const stopping = watchSignals(out)
      const [{ startPlatform }, world, screen] = await Promise.all([
        import('../platform.ts'),
        realWorld(),
        screenFolder(out),
      ])
      stopping.check()
      const settings: StartSettings = {
        ...broker,
        host: flags.host,
        port: flags.port,
        rate: flags.rate,
        seed: flags.seed ?? world.random.fork('seed').u32().toString(36),
        generate: flags.generate,
        ...(flags.profile === undefined ? {} : { profile: flags.profile }),
        watch: flags.watch,
        metricsFile: flags.metricsFile ?? (broker.dataDir === null ? null : `${broker.dataDir}/output/metrics.json`),
        lake: flags.lake,
        sql: flags.sql,
        ...(await delayRulesIn(flags.delayRules)),
        serving: servingPlace(),
        screen,
        version: ownVersion(),
        log: await logLines(out, process.env, process.stderr.isTTY),
      }
      const startedMs = performance.now()
      let isReady = false
      // Until it is ready, news are steps on the way; after that, they are troubles someone should see.
      const tell = ({ text }: { readonly text: string }): void =>
        isReady ? out.warn(clean(text)) : out.progress(out.style('dim', text))
      const platform = await startPlatform(world, settings, tell).catch((error: unknown) => {
        throw withPortFlag(error, flags)
      })
      isReady = true
      out.progress('')
      out.detail(
        `ready after ${Math.round(performance.now() - startedMs)} ms, ${formatBytes(process.memoryUsage.rss())} of memory`,
      )
      if (out.form === 'text' || out.form === 'plain') printReady(out, settings, platform)
      else out.print(JSON.stringify({ ready: true, url: platform.url, kafka: platform.kafka }))
      if (flags.open && screen !== null && out.form === 'text') openInBrowser(platform.url)
      return await stayUntilStopped(platform, stopping)
    }),
  )
  examples(command, [
    ['millrace start', 'a shop with 50 sales a second'],
    ['millrace start --no-generate', 'only what you send to it'],
    ['millrace start --no-generate --watch ./exports=orders', 'files as they come'],
    ['millrace start --ephemeral --rate 500 --seed demo', 'leaves nothing behind'],
    ['millrace start --port 0 --kafka-port 0 --json --no-open', 'for scripts'],
  ])
}

async function delayRulesIn(file: string | undefined): Promise<Pick<StartSettings, 'delayRules'>> {
  if (file === undefined) return {}
  mustExist(file, 'file of delay rules')
  const { parseDelayRules } = await import('../commerce/commerce.ts')
  return { delayRules: parseDelayRules(readFileSync(file, 'utf8')) }
}

/** PostgreSQL if its address is given. A password is in there: never a flag. */
function servingPlace(): NonNullable<StartSettings['serving']> | null {
  const url = process.env.DATABASE_URL
  if (url === undefined || url === '') return null
  if (!/^postgres(ql)?:\/\//.test(url)) {
    throw new CommandError(exitCodes.usage, {
      what: 'DATABASE_URL is no address of PostgreSQL',
      where: 'environment',
      cure: 'write postgres://user@host:5432/database, or unset it to have the tables in SQLite',
    })
  }
  return { kind: 'postgres', url, allowUnsynced: process.env.MILLRACE_SERVING_ALLOW_UNSYNCED === 'true' }
}

function portFrom(name: string, otherwise: number): number {
  const text = process.env[name]
  return text === undefined || text === '' ? otherwise : parsePort(`${name} (environment)`, text)
}

function printReady(
  out: Output,
  settings: StartSettings,
  { url, kafka }: { readonly url: string; readonly kafka: string },
): void {
  const kept =
    settings.dataDir === null
      ? 'nowhere: it is forgotten at the end (--ephemeral)'
      : settings.durability === 'power'
        ? `${settings.dataDir}, on disk before it is acknowledged`
        : `${settings.dataDir}, synced once a second: a power cut may lose the last second (--durability process)`
  const line = (name: string, text: string): void => out.print(`  ${out.style('dim', name.padEnd(10))} ${text}`)
  out.print(`${out.style('bold', `Millrace ${ownVersion()}`)} is running`)
  out.print('')
  line(
    settings.screen === null ? 'API' : 'Dashboard',
    out.style('cyan', settings.screen === null ? `${url}/api/v1/kpis` : url),
  )
  line('Kafka', kafka)
  line('Data', kept)
  line(
    'Generator',
    settings.generate
      ? `${settings.rate} sales/s and the rest of the shop, seed ${settings.seed}`
      : 'off: send your own (millrace produce, any Kafka client)',
  )
  if (settings.serving?.kind === 'postgres') line('Tables', 'in PostgreSQL (DATABASE_URL)')
  for (const { folder, topic } of settings.watch ?? []) line('Files', `${clean(folder)} into ${topic}`)
  out.print('')
  out.print(`  Ctrl-C stops it. Next: ${out.style('cyan', 'millrace kpis --watch')}`)
}
