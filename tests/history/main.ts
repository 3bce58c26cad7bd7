// `npm run history -- [--kills N] [--seed S] [--pace brisk] [--pause] [--broker kafka | host:port [--runs N]]
// [--recovery]`: the history check until so many kills have landed, a fresh broker, history and seed for each 25 of them, or
// until a fault is found. Keeps the history of a run with faults. Apache Kafka is killed while it recovers only if
// --recovery asks for it; a broker that is another's is not killed but worked on, run after run.
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { randomStream } from '../../src/std/random.ts'
import { fetchKafka, missingForKafka } from '../../tools/kafka-node.ts'
import { apacheKafka, type BrokerUnderTest, foreignBroker, ourBroker } from './brokers.ts'
import { briskRun, pausedRun, recordRun, slowRun, usualRun } from './run.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1' },
    kills: { type: 'string', default: '100' },
    pace: { type: 'string', default: 'usual' },
    seed: { type: 'string', default: process.env.MILLRACE_SEED ?? String(Date.now()) },
    broker: { type: 'string', default: process.env.TEST_KAFKA ?? 'millrace' },
    pause: { type: 'boolean', default: false },
    recovery: { type: 'boolean', default: false },
  },
})
const kills = Number(values.kills)
const isWhole = (each: number): boolean => Number.isInteger(each) && each >= 1
if (!isWhole(Number(values.runs)) || !isWhole(kills) || !['usual', 'brisk'].includes(values.pace)) {
  process.stderr.write('history: --runs and --kills are whole numbers, --pace is usual or brisk\n')
  process.exit(2)
}
/** Of one history: it stays small enough to be read when it has a fault. */
const killsPerRunMax = 25
const isOurs = values.broker === 'millrace'
const canBeKilled = isOurs || values.broker === 'kafka'
const runs = canBeKilled ? Math.ceil(kills / killsPerRunMax) : Number(values.runs)
const clusterDir = fileURLToPath(new URL('../../.cluster', import.meta.url))

async function brokerFor(seed: string): Promise<BrokerUnderTest> {
  const random = randomStream(seed).fork('port')
  if (values.broker === 'millrace') return await ourBroker(random)
  if (values.broker !== 'kafka') return foreignBroker(values.broker)
  const missing = missingForKafka(clusterDir)
  if (missing !== null) {
    process.stderr.write(`history: ${missing}\n`)
    process.exit(1)
  }
  return await apacheKafka(random, fetchKafka(clusterDir))
}

const ourPace = values.pace === 'brisk' ? briskRun : usualRun
const usual = isOurs ? ourPace : { ...slowRun, recoveryMsMax: values.recovery ? 4_000 : 0 }
const settings = values.pause ? pausedRun : usual
let landed = 0
let done = 0
for (let run = 0; run < runs; run++) {
  // The first has the seed as it was given, so that it replays the run that printed it.
  const seed = run === 0 ? values.seed : `${values.seed}/${run}`
  const broker = await brokerFor(seed)
  const killsNow = broker.canBeKilled ? Math.min(killsPerRunMax, kills - landed) : 0
  process.stdout.write(`run ${run + 1} of ${runs} on ${broker.name}, seed ${seed}\n`)
  try {
    const report = await recordRun(broker, { ...settings, seed, kills: killsNow })
    landed += report.killsUnderLoad + report.killsWhileStarting
    done++
    process.stdout.write(`  ${report.summary}\n`)
    if (report.faults.length > 0) {
      const file = join(tmpdir(), `millrace-history-${Date.now()}.json`)
      writeFileSync(file, JSON.stringify(report.history))
      process.stdout.write(`${report.faults.join('\n')}\n${broker.complaints()}\n`)
      process.stdout.write(`history: faults in run ${run + 1}; its history is in ${file}\n`)
      process.stdout.write(`replay: npm run history -- --kills ${killsNow} --pace ${values.pace} --seed ${seed}\n`)
      process.exitCode = 1
      break
    }
  } finally {
    await broker.close()
  }
}
if (process.exitCode !== 1) process.stdout.write(`${done} runs, ${landed} kills that landed, 0 anomalies\n`)
// A client that does not let go of a socket must not keep the command.
setTimeout(() => process.exit(), 2_000).unref()
