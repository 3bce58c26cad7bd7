// `millrace produce`: sends generated traffic, or the lines of a file, over the Kafka protocol.
import type { KafkaProducerSettings } from '../connect/kafka-producer.ts'
import type { RecordProducer } from '../connect/record-producer.ts'
import type { LateBatchSettings, Scenario, Traffic } from '../generate/generate.ts'
import {
  formatCount,
  formatDuration,
  parseBrokers,
  parseCount,
  parseDurationMs,
  parseFactor,
  parseRate,
} from './amounts.ts'
import { type Define, examples } from './command.ts'
import { CommandError, exitCodes, explain } from './errors.ts'
import { mustExist } from './files.ts'
import { accessFromEnvironment } from './kafka-environment.ts'
import { chunksOf, linesOf } from './lines.ts'
import { notFound } from './names.ts'
import type { Output } from './output.ts'
import { type ProfileFlag, parseProfile, parseSpeed, parseStartTime, shopClock } from './produce-modes.ts'
import { type Stopping, stdinUntilStopped, watchSignals } from './stopping.ts'
import { brokersFromEnvironment, dataDirOf, realWorld, terminalOutput } from './terminal.ts'

interface Flags extends Modes {
  readonly rate?: number
  readonly duration?: number
  readonly seed?: string
  readonly brokers?: string
  readonly dataDir?: string
  readonly input?: string
}

/** Ways to generate other than a steady rate. `true`: as many as usual. */
interface Modes {
  readonly burst?: number | true
  readonly lateBatch?: number | true
  readonly demo?: boolean
  readonly faults?: number | true
  readonly drift?: number
  readonly profile?: ProfileFlag
  readonly speed?: number
  readonly startTime?: number
}

/** Generated records are handed over so often; what was due in between goes together. */
const turnMs = 5
/** Before others get a turn (acknowledgements, Ctrl-C). */
const recordsPerTurnMax = 5_000
const burstCyclesMax = 10_000
const lateBatchMax = 100_000
const fallbackBroker = '127.0.0.1:9092'

export const define: Define = (command, act) => {
  command
    .description('Send records: generated ones at a steady rate or all at once, or the lines of a file as they are.')
    .argument('<what>', 'generated: a topic of the shop, store, ecommerce or shop (everything); with --input any topic')
    .option(
      '--rate <events/s>',
      'how many a second (generated: as the shop does, 50 for sales; with --input: as fast as it goes)',
      (text) => parseRate('--rate', text),
    )
    .option('--duration <time>', 'stop after 60s, 15m, 1h (default: at Ctrl-C)', (text) =>
      parseDurationMs('--duration', text),
    )
    .option('--seed <text>', 'the same seed, the same shop (default: a new one each time)')
    .option(
      '--burst [cycles]',
      'ecommerce: so many orders with all that belongs to them at once (20), then stop',
      (text) => parseCount('--burst', text, burstCyclesMax),
    )
    .option(
      '--late-batch [records]',
      'marketplace-sales: one batch that was held back for 12 to 80 hours (BATCH_SIZE, else 20), then stop',
      (text) => parseCount('--late-batch', text, lateBatchMax),
    )
    .option('--demo', 'marketplace-sales: every record says which delay it was made to have (DELAY_DEMO_MODE)')
    .option(
      '--faults [times]',
      'a share of the records is doubled, broken or misdated, each labelled on ground-truth; times the usual share',
      (text) => parseFactor('--faults', text),
    )
    .option(
      '--drift <after>',
      'after this time records come more and more in a second form, as contracts allow it',
      (text) => parseDurationMs('--drift', text),
    )
    .option(
      '--profile <name>',
      'default: rates as documented; realistic: funnel and hours of real shops, programs, declined cards, figures that go wrong',
      parseProfile,
    )
    .option(
      '--speed <times>',
      'the shop lives so many times faster, or max, until it has caught up with now',
      parseSpeed,
    )
    .option(
      '--start-time <instant>',
      'begin in the past, e.g. 2026-01-05T00:00:00Z (default: now; with --speed the duration before it)',
      parseStartTime(Date.now()),
    )
    .option('--input <file>', 'send its lines instead, one record each; - is stdin')
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
        const name = parsed.args[0] ?? ''
        const flags = withEnvironment(name, parsed.opts<Flags>())
        const out = terminalOutput(globals)
        const { scenarios } = await import('../generate/generate.ts')
        const scenario = flags.input === undefined ? scenarios.get(name) : undefined
        if (flags.input === undefined && scenario === undefined) throw cannotGenerate(name, [...scenarios.keys()])
        checkTogether(name, flags)
        const stopping = watchSignals(out)
        const [{ kafkaProducer }, world] = await Promise.all([import('../connect/kafka-producer.ts'), realWorld()])
        const settings: KafkaProducerSettings = {
          brokers: await brokersOf(flags),
          clientId: 'millrace-produce',
          access: accessFromEnvironment(),
        }
        const isLabelled = flags.faults !== undefined || flags.drift !== undefined || flags.profile === 'realistic'
        const labels = isLabelled ? ['ground-truth'] : []
        await prepareTopics(
          scenario === undefined ? [name] : [...new Set([...scenario.topics, ...scenario.beside, ...labels])],
          settings,
          scenario !== undefined,
        )
        stopping.check()
        const producer = kafkaProducer(world, settings)
        const startedMs = performance.now()
        let failed = true
        try {
          if (scenario !== undefined) await generate(scenario, flags, producer, stopping, out)
          else await sendLines(name, flags.input ?? '-', flags.rate, producer, stopping, out)
          await producer.flush()
          failed = false
        } finally {
          // After a failure closing would only repeat it; after success it must not fail unseen.
          await (failed ? producer.close().catch(() => {}) : producer.close())
        }
        const seconds = (performance.now() - startedMs) / 1_000
        const { records, acknowledged } = producer.counts()
        out.progress('')
        if (out.form === 'json' || out.form === 'ndjson')
          out.print(JSON.stringify({ topic: name, sent: records, acknowledged, seconds: Number(seconds.toFixed(3)) }))
        else {
          const rate = formatCount(Math.round(records / Math.max(seconds, 0.001)))
          out.print(
            `sent ${formatCount(records)} records to ${name} in ${formatDuration(seconds * 1_000)} (${rate}/s), all acknowledged`,
          )
        }
        stopping.check()
        return undefined
      }),
    )
  examples(command, [
    ['millrace produce sales --rate 1000 --duration 60s', 'a busy minute'],
    ['millrace produce sales --rate 10k --seed demo', 'repeatable, until Ctrl-C'],
    ['millrace produce store --faults', 'visits, purchases and stock; some records are broken on purpose'],
    ['millrace produce store --profile realistic --duration 7d --speed max', 'a week'],
    ['millrace produce ecommerce --burst', 'twenty orders at once, with customers, items and suspicions'],
    ['SALES_PER_HOUR=3600 millrace produce marketplace-sales --demo --duration 10m', 'the delay demonstration'],
    ['millrace produce marketplace-sales --late-batch 50', 'a late batch'],
    ['millrace produce orders --input orders.ndjson', 'the lines of a file'],
    ["jq -c '.[]' sales.json | millrace produce sales --input -", 'from a pipe'],
  ])
}

function cannotGenerate(topic: string, known: readonly string[]): CommandError {
  const error = notFound('generator for topic', topic, known, 'millrace produce')
  return new CommandError(error.exitCode, {
    ...error.explanation,
    cause: `generated are ${known.join(', ')}`,
    cure: error.explanation.cure ?? `send records of your own: millrace produce ${topic} --input FILE`,
  })
}

async function brokersOf(flags: Flags): Promise<readonly string[]> {
  if (flags.brokers !== undefined) return parseBrokers('--brokers', flags.brokers)
  const fromEnvironment = brokersFromEnvironment()
  if (fromEnvironment !== undefined) return parseBrokers('KAFKA_BROKERS (environment)', fromEnvironment)
  const [{ findRunning }, world] = await Promise.all([import('../platform/running.ts'), realWorld()])
  return [(await findRunning(world, dataDirOf(flags.dataDir)))?.kafka ?? fallbackBroker]
}

/** What the delay demonstration takes from its environment; flags go first. */
function withEnvironment(name: string, flags: Flags): Flags {
  if (name !== 'marketplace-sales' || flags.input !== undefined) return flags
  const { SALES_PER_HOUR: perHour, DELAY_DEMO_MODE: demo, LATE_ARRIVAL_BATCH: late, BATCH_SIZE: size } = process.env
  const isSet = (text: string | undefined, variable: string): boolean => {
    if (text === undefined || text === '' || text === 'false' || text === '0') return false
    if (text === 'true' || text === '1') return true
    throw new CommandError(exitCodes.usage, {
      what: `${variable} cannot be used as given`,
      where: `${variable} (environment)`,
      value: text,
      cause: 'it is neither true nor false',
      cure: `set ${variable}=true, or leave it out`,
    })
  }
  const lateBatch = flags.lateBatch ?? (isSet(late, 'LATE_ARRIVAL_BATCH') ? true : undefined)
  const batchSize =
    size === undefined || size === '' ? true : parseCount('BATCH_SIZE (environment)', size, lateBatchMax)
  const rate =
    perHour === undefined || perHour === '' ? undefined : parseRate('SALES_PER_HOUR (environment)', perHour) / 3_600
  const isDemo = flags.demo ?? isSet(demo, 'DELAY_DEMO_MODE')
  return {
    ...flags,
    ...(lateBatch === undefined ? {} : { lateBatch: lateBatch === true ? batchSize : lateBatch }),
    ...(flags.rate === undefined && rate !== undefined && lateBatch === undefined ? { rate } : {}),
    ...(isDemo && lateBatch === undefined ? { demo: true } : {}),
  }
}

/** Flags that go with any generated traffic. */
const anyTraffic = ['--faults', '--drift', '--profile', '--speed', '--start-time']

/** Flags that make no sense together are refused before anything is sent. */
function checkTogether(name: string, flags: Flags): void {
  const refuse = (what: string, cause: string, cure: string): never => {
    throw new CommandError(exitCodes.usage, { what, cause, cure })
  }
  const modes = [
    ...(flags.burst === undefined ? [] : ['--burst']),
    ...(flags.lateBatch === undefined ? [] : ['--late-batch']),
    ...(flags.demo === undefined ? [] : ['--demo']),
    ...(flags.faults === undefined ? [] : ['--faults']),
    ...(flags.drift === undefined ? [] : ['--drift']),
    ...(flags.profile === undefined ? [] : ['--profile']),
    ...(flags.speed === undefined ? [] : ['--speed']),
    ...(flags.startTime === undefined ? [] : ['--start-time']),
  ]
  if (flags.input !== undefined) {
    if (flags.seed !== undefined || flags.duration !== undefined || modes.length > 0)
      refuse(
        `--input goes without ${[...new Set(['--seed', '--duration', ...modes])].join(' and ')}`,
        'what is in the file is sent, to its end',
        'leave them out; --rate may be used with --input',
      )
    if (flags.input !== '-') mustExist(flags.input, 'file')
    return
  }
  const [first = '', ...others] = modes.filter((mode) => !anyTraffic.includes(mode))
  if (others.length > 0)
    refuse(
      `${first} goes without ${others.join(' and ')}`,
      'each is a traffic of its own',
      'run them one after the other',
    )
  const wanted = { '--burst': 'ecommerce', '--late-batch': 'marketplace-sales', '--demo': 'marketplace-sales' }[first]
  if (wanted !== undefined && name !== wanted)
    refuse(`${first} is not for ${name}`, `only ${wanted} has it`, `millrace produce ${wanted} ${first}`)
  const once = first === '--burst' || first === '--late-batch'
  const with_ = ['--rate', '--duration'].filter((_, i) => (i === 0 ? flags.rate : flags.duration) !== undefined)
  const refused = [...with_, ...modes.filter((mode) => anyTraffic.includes(mode))]
  if (once && refused.length > 0)
    refuse(`${first} goes without ${refused.join(' and ')}`, 'all of it is sent at once', 'leave them out')
}

/** Topics of the shop are made when they are missing; any other must be there. */
async function prepareTopics(
  topics: readonly string[],
  settings: KafkaProducerSettings,
  generated: boolean,
): Promise<void> {
  const [{ contracts }, { ensureKafkaTopics, kafkaTopicNames }] = await Promise.all([
    import('../commerce/commerce.ts'),
    import('../connect/kafka-topics.ts'),
  ])
  const names = await kafkaTopicNames(settings).catch((error: unknown) => {
    throw new CommandError(
      exitCodes.unreachable,
      {
        what: 'no Kafka broker answers',
        where: settings.brokers.join(', '),
        cause: error instanceof Error ? (explain(error).explanation.cause ?? error.message) : String(error),
        cure: 'start one (millrace start, millrace broker), or name another with --brokers',
      },
      { cause: error },
    )
  })
  const missing = topics.filter((topic) => !names.includes(topic))
  if (missing.length === 0) return
  const wanted = missing.map((topic) => {
    const contract = contracts.get(topic)
    if (contract === undefined)
      throw notFound(
        'topic',
        topic,
        [...new Set([...names, ...contracts.keys()])],
        `millrace produce${generated ? '' : ' --input FILE'}`,
      )
    return { name: topic, partitions: contract.partitions }
  })
  await ensureKafkaTopics(settings, wanted)
}

async function generate(
  scenario: Scenario,
  flags: Flags,
  producer: RecordProducer,
  stopping: Stopping,
  out: Output,
): Promise<void> {
  const [{ ecommerceBurst, lateBatch }, world] = await Promise.all([import('../generate/generate.ts'), realWorld()])
  const seed = flags.seed ?? world.random.fork('seed').u32().toString(36)
  const startMs = Date.now()
  if (flags.burst !== undefined) {
    out.say(`producing a burst of orders, seed ${seed}`)
    ecommerceBurst(seed, { atMs: startMs, ...(flags.burst === true ? {} : { cycles: flags.burst }) }, producer)
    return
  }
  if (flags.lateBatch !== undefined) {
    const settings: LateBatchSettings = {
      releaseMs: startMs,
      ...(flags.lateBatch === true ? {} : { size: flags.lateBatch }),
    }
    out.say(`produced ${lateBatch(seed, settings, producer)}, seed ${seed}`)
    return
  }
  const ratePerSecond = flags.rate ?? scenario.ratePerSecond
  const { duration: durationMs, speed, startTime } = flags
  const clock = shopClock(startMs, { startMs: startTime, speed, durationMs })
  const traffic = await trafficOf(scenario, seed, ratePerSecond, clock.startMs, flags)
  const endMs = durationMs === undefined ? Number.POSITIVE_INFINITY : clock.startMs + durationMs
  out.say(
    `producing ${formatCount(Number(ratePerSecond.toPrecision(3)))} ${scenario.name}/s, seed ${seed}${flags.duration === undefined ? ', until Ctrl-C' : ` for ${formatDuration(flags.duration)}`}`,
  )
  while (!stopping.signal.aborted) {
    const nowMs = Date.now()
    const shopMs = clock.at(nowMs)
    const untilMs = Math.min(shopMs, endMs)
    const sent = traffic.produceUntil(untilMs, producer, recordsPerTurnMax)
    await producer.room()
    if (sent >= recordsPerTurnMax) {
      await new Promise((resolve) => setImmediate(resolve))
      continue
    }
    if (shopMs >= endMs) return
    progress(out, producer, nowMs - startMs)
    await new Promise((resolve) => setTimeout(resolve, turnMs))
  }
}

async function trafficOf(
  scenario: Scenario,
  seed: string,
  ratePerSecond: number,
  startMs: number,
  flags: Flags,
): Promise<Traffic> {
  const { faultSharesDefault, faults, marketplaceTraffic, withDrift, withFaults } = await import(
    '../generate/generate.ts'
  )
  const { profile = 'documents', drift } = flags
  // Who asks for a rate by default wants it at once; a realistic shop sleeps at night.
  const settings = { ratePerSecond, startMs, steady: profile !== 'realistic', profile }
  const plain =
    flags.demo === true ? marketplaceTraffic(seed, { ...settings, demo: true }) : scenario.traffic(seed, settings)
  const drifting = { fromMs: startMs + (drift ?? 0), mixedMs: drift ?? 0, topics: scenario.topics }
  const clean = drift === undefined ? plain : withDrift(seed, plain, drifting)
  if (flags.faults === undefined) return clean
  const times = flags.faults === true ? 1 : flags.faults
  return withFaults(seed, clean, {
    shares: Object.fromEntries(faults.map((fault) => [fault, faultSharesDefault[fault] * times])),
  })
}

async function sendLines(
  topic: string,
  input: string,
  rate: number | undefined,
  producer: RecordProducer,
  stopping: Stopping,
  out: Output,
): Promise<void> {
  const { contracts } = await import('../commerce/commerce.ts')
  const keyField = contracts.get(topic)?.key
  const startMs = performance.now()
  let sent = 0
  const lines = input === '-' ? linesOf('stdin', stdinUntilStopped(stopping)) : linesOf(input, chunksOf(input))
  for await (const line of lines) {
    if (stopping.signal.aborted) return
    producer.record(topic, keyOf(line, keyField), line, Date.now())
    sent++
    await producer.room()
    const aheadMs = rate === undefined ? 0 : (sent / rate) * 1_000 - (performance.now() - startMs)
    if (aheadMs > turnMs) await new Promise((resolve) => setTimeout(resolve, aheadMs))
    if (sent % 1_000 === 0) progress(out, producer, performance.now() - startMs)
  }
}

function progress(out: Output, producer: RecordProducer, elapsedMs: number): void {
  const { records, acknowledged } = producer.counts()
  out.progress(
    `${formatCount(records)} sent, ${formatCount(acknowledged)} acknowledged, ${formatCount(Math.round((records / Math.max(elapsedMs, 1)) * 1_000))}/s`,
  )
}

/** The value of the contract's key field, so that records of one key stay in order; null (any partition) if there is none. */
export function keyOf(line: Buffer, field: string | undefined): Buffer | null {
  if (field === undefined) return null
  try {
    const value: unknown = Reflect.get(Object(JSON.parse(line.toString('utf8'))), field)
    return typeof value === 'string' || typeof value === 'number' ? Buffer.from(String(value)) : null
  } catch {
    // Not JSON: it is sent as it is, and the pipeline puts it aside with the reason.
    return null
  }
}
