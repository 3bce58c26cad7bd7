// `npm run history -- [--runs N] [--seed S] [--kills K] [--pause] [--broker kafka | host:port]
// [--recovery]`: run after run of the history check, with a fresh seed each, until one finds a fault or all are done. Keeps
// the history of a run with faults. Apache Kafka is killed while it recovers only if --recovery asks for it.
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { randomStream } from '../../src/std/random.ts'
import { fetchKafka, missingForKafka } from '../../tools/kafka-node.ts'
import { apacheKafka, type BrokerUnderTest, foreignBroker, ourBroker } from './brokers.ts'
import { pausedRun, recordRun, slowRun, usualRun } from './run.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100' },
    kills: { type: 'string', default: '10' },
    seed: { type: 'string', default: process.env.MILLRACE_SEED ?? String(Date.now()) },
    broker: { type: 'string', default: process.env.TEST_KAFKA ?? 'millrace' },
    pause: { type: 'boolean', default: false },
    recovery: { type: 'boolean', default: false },
  },
})
const runs = Number(values.runs)
const kills = Number(values.kills)
if (!Number.isInteger(runs) || runs < 1 || !Number.isInteger(kills) || kills < 0) {
  process.stderr.write(`history: --runs and --kills are whole numbers, not ${values.runs} and ${values.kills}\n`)
  process.exit(2)
}
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

const usual = values.broker === 'millrace' ? usualRun : { ...slowRun, recoveryMsMax: values.recovery ? 4_000 : 0 }
/** By command all kills are done, however slow. */
const killingMsMax = Number.POSITIVE_INFINITY
const settings = values.pause ? pausedRun : usual
for (let run = 0; run < runs; run++) {
  // The first has the seed as it was given, so that it replays the run that printed it.
  const seed = run === 0 ? values.seed : `${values.seed}/${run}`
  const broker = await brokerFor(seed)
  process.stdout.write(`run ${run + 1} of ${runs} on ${broker.name}, seed ${seed}\n`)
  try {
    const report = await recordRun(broker, { ...settings, seed, kills: broker.canBeKilled ? kills : 0, killingMsMax })
    process.stdout.write(`  ${report.summary}\n`)
    if (report.faults.length > 0) {
      const file = join(tmpdir(), `millrace-history-${Date.now()}.json`)
      writeFileSync(file, JSON.stringify(report.history))
      process.stdout.write(`${report.faults.join('\n')}\n${broker.complaints()}\n`)
      process.stdout.write(`history: faults in run ${run + 1}; its history is in ${file}\n`)
      process.stdout.write(`replay: npm run history -- --runs 1 --kills ${kills} --seed ${seed}\n`)
      process.exitCode = 1
      break
    }
  } finally {
    await broker.close()
  }
}
if (process.exitCode !== 1) process.stdout.write(`${runs} runs, 0 anomalies\n`)
// A client that does not let go of a socket must not keep the command.
setTimeout(() => process.exit(), 2_000).unref()
