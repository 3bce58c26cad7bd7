// `millrace produce`: sends generated traffic, or the lines of a file, to a topic over the Kafka protocol.
import type { KafkaProducerSettings } from '../connect/kafka-producer.ts'
import type { RecordProducer } from '../connect/record-producer.ts'
import { assert } from '../std/assert.ts'
import { formatCount, formatDuration, parseBrokers, parseDurationMs, parseRate } from './amounts.ts'
import { type Define, examples } from './command.ts'
import { CommandError, exitCodes, explain } from './errors.ts'
import { mustExist } from './files.ts'
import { chunksOf, linesOf } from './lines.ts'
import { notFound } from './names.ts'
import type { Output } from './output.ts'
import { type Stopping, stdinUntilStopped, watchSignals } from './stopping.ts'
import { brokersFromEnvironment, dataDirOf, realWorld, terminalOutput } from './terminal.ts'

interface Flags {
  readonly rate?: number
  readonly duration?: number
  readonly seed?: string
  readonly brokers?: string
  readonly dataDir?: string
  readonly input?: string
}

/** Generated records are handed over so often; what was due in between goes together. */
const turnMs = 5
/** Before others get a turn (acknowledgements, Ctrl-C). */
const recordsPerTurnMax = 5_000
const fallbackBroker = '127.0.0.1:9092'

export const define: Define = (command, act) => {
  command
    .description('Send records to a topic: generated ones at a steady rate, or the lines of a file as they are.')
    .argument('<topic>', 'one of the shop (millrace contracts ls) to generate; with --input any topic')
    .option(
      '--rate <events/s>',
      'how many a second (generated: as the shop does, 50 for sales; with --input: as fast as it goes)',
      (text) => parseRate('--rate', text),
    )
    .option('--duration <time>', 'stop after 60s, 15m, 1h (default: at Ctrl-C)', (text) =>
      parseDurationMs('--duration', text),
    )
    .option('--seed <text>', 'the same seed, the same shop (default: a new one each time)')
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
        const topic = parsed.args[0] ?? ''
        const flags = parsed.opts<Flags>()
        const out = terminalOutput(globals)
        const { generators } = await import('../generate/generate.ts')
        if (flags.input === undefined && !generators.has(topic)) throw cannotGenerate(topic, [...generators.keys()])
        if (flags.input !== undefined) {
          if (flags.seed !== undefined || flags.duration !== undefined)
            throw new CommandError(exitCodes.usage, {
              what: '--input goes without --seed and --duration',
              cause: 'what is in the file is sent, to its end',
              cure: 'leave them out; --rate may be used with --input',
            })
          if (flags.input !== '-') mustExist(flags.input, 'file')
        }
        const stopping = watchSignals(out)
        const [{ kafkaProducer }, world] = await Promise.all([import('../connect/kafka-producer.ts'), realWorld()])
        const settings: KafkaProducerSettings = { brokers: await brokersOf(flags), clientId: 'millrace-produce' }
        await prepareTopic(topic, settings, flags.input === undefined)
        stopping.check()
        const producer = kafkaProducer(world, settings)
        const startedMs = performance.now()
        let failed = true
        try {
          if (flags.input === undefined) await generate(topic, flags, producer, stopping, out)
          else await sendLines(topic, flags.input, flags.rate, producer, stopping, out)
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
          out.print(JSON.stringify({ topic, sent: records, acknowledged, seconds: Number(seconds.toFixed(3)) }))
        else {
          const rate = formatCount(Math.round(records / Math.max(seconds, 0.001)))
          out.print(
            `sent ${formatCount(records)} records to ${topic} in ${formatDuration(seconds * 1_000)} (${rate}/s), all acknowledged`,
          )
        }
        stopping.check()
        return undefined
      }),
    )
  examples(command, [
    ['millrace produce sales --rate 1000 --duration 60s', 'a busy minute'],
    ['millrace produce sales --rate 10k --seed demo', 'repeatable, until Ctrl-C'],
    ['millrace produce user-events --rate 20', 'visitors of the store'],
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

/** Topics of the shop are made when they are missing; any other must be there. */
async function prepareTopic(topic: string, settings: KafkaProducerSettings, generated: boolean): Promise<void> {
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
  if (names.includes(topic)) return
  const contract = contracts.get(topic)
  if (contract === undefined)
    throw notFound(
      'topic',
      topic,
      [...new Set([...names, ...contracts.keys()])],
      `millrace produce${generated ? '' : ' --input FILE'}`,
    )
  await ensureKafkaTopics(settings, [{ name: topic, partitions: contract.partitions }])
}

async function generate(
  topic: string,
  flags: Flags,
  producer: RecordProducer,
  stopping: Stopping,
  out: Output,
): Promise<void> {
  const [{ generators, ratesDefault }, world] = await Promise.all([import('../generate/generate.ts'), realWorld()])
  const seed = flags.seed ?? world.random.fork('seed').u32().toString(36)
  const ratePerSecond = flags.rate ?? ratesDefault.get(topic)
  const startMs = Date.now()
  const endMs = flags.duration === undefined ? Number.POSITIVE_INFINITY : startMs + flags.duration
  const make = generators.get(topic)
  // The caller has looked: only topics that can be made up come here.
  assert(make !== undefined && ratePerSecond !== undefined, `no generator for ${topic}`)
  const traffic = make(seed, { ratePerSecond, startMs, steady: true })
  out.say(
    `producing ${formatCount(Number(ratePerSecond.toPrecision(3)))} ${topic}/s, seed ${seed}${flags.duration === undefined ? ', until Ctrl-C' : ` for ${formatDuration(flags.duration)}`}`,
  )
  while (!stopping.signal.aborted) {
    const nowMs = Date.now()
    const untilMs = Math.min(nowMs, endMs)
    const sent = traffic.produceUntil(untilMs, producer, recordsPerTurnMax)
    await producer.room()
    if (sent === recordsPerTurnMax) {
      await new Promise((resolve) => setImmediate(resolve))
      continue
    }
    if (nowMs >= endMs) return
    progress(out, producer, nowMs - startMs)
    await new Promise((resolve) => setTimeout(resolve, turnMs))
  }
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
