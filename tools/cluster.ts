// `npm run cluster -- up | down | kafka CLASS ARGS… | libs`: Apache Kafka on this machine, in .cluster/ (or --dir), for
// comparing: the tests of strangers' clients (TEST_KAFKA=host:port), the history check, benchmarks. Needs Java and Maven.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { fetchKafka, freePorts, javaArguments, kafkaVersion, missingForKafka, startKafka } from './kafka-node.ts'

const usage = `npm run cluster -- up               fetch Kafka ${kafkaVersion} if need be, start one node, print its address
npm run cluster -- down             stop it; its data stays
npm run cluster -- kafka CLASS …    run one of Kafka's own tools against whatever address you give it
npm run cluster -- libs             fetch if need be, print the folder of the jars

options, before the word: --dir FOLDER (default .cluster), --port PORT (default 39192)
for example:
  npm run cluster -- up
  TEST_KAFKA=127.0.0.1:39192 npm test -- tests/clients
  npm run cluster -- kafka org.apache.kafka.tools.TopicCommand --bootstrap-server 127.0.0.1:39192 --list
`

const given = process.argv.slice(2)
// What follows the word belongs to Kafka's tool, whatever it looks like.
const wordAt = given.findIndex((argument, i) => !argument.startsWith('-') && !given[i - 1]?.startsWith('--'))
const { values } = parseArgs({
  args: wordAt < 0 ? given : given.slice(0, wordAt),
  options: {
    dir: { type: 'string', default: fileURLToPath(new URL('../.cluster', import.meta.url)) },
    port: { type: 'string', default: '39192' },
    help: { type: 'boolean', default: false },
  },
})
const word = wordAt < 0 ? '' : given[wordAt]!
const folder = resolve(values.dir)
const pidFile = join(folder, 'kafka.pid')

process.exitCode = await run()

async function run(): Promise<number> {
  if (values.help) {
    process.stdout.write(usage)
    return 0
  }
  if (!['up', 'down', 'kafka', 'libs'].includes(word)) {
    process.stderr.write(usage)
    return 2
  }
  if (word === 'down') return await down()
  const missing = missingForKafka(folder)
  if (missing !== null) {
    process.stderr.write(`cluster: ${missing}\n`)
    return 1
  }
  const libs = fetchKafka(folder)
  switch (word) {
    case 'libs':
      process.stdout.write(`${libs}\n`)
      return 0
    case 'kafka':
      return spawnSync('java', javaArguments(libs, ...toolArguments()), { stdio: 'inherit' }).status ?? 1
    default:
      return await up(libs)
  }
}

function toolArguments(): [string, ...string[]] {
  const [className, ...rest] = given.slice(wordAt + 1)
  if (className !== undefined) return [className, ...rest]
  process.stderr.write(usage)
  process.exit(2)
}

async function up(libs: string): Promise<number> {
  const running = runningPid()
  if (running !== null) {
    process.stdout.write(`Kafka runs already (process ${running})\n`)
    return 0
  }
  const [controllerPort] = await freePorts(1)
  const node = await startKafka({
    libs,
    dataDir: join(folder, 'kafka'),
    port: Number(values.port),
    controllerPort: controllerPort!,
    detached: true,
  })
  writeFileSync(pidFile, `${node.pid}\n`)
  process.stdout.write(`Kafka ${kafkaVersion} listens on ${node.address}; npm run cluster -- down stops it\n`)
  return 0
}

async function down(): Promise<number> {
  const pid = runningPid()
  if (pid !== null) {
    process.kill(pid, 'SIGTERM')
    for (let i = 0; runningPid() !== null; i++) {
      if (i === 200) process.kill(pid, 'SIGKILL')
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  rmSync(pidFile, { force: true })
  process.stdout.write(pid === null ? 'Kafka does not run\n' : 'Kafka is stopped\n')
  return 0
}

/** The process of the node, if it is still there and still Kafka: numbers of processes come back. */
function runningPid(): number | null {
  if (!existsSync(pidFile)) return null
  const pid = Number(readFileSync(pidFile, 'utf8'))
  const listed = spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).stdout
  return listed.includes('kafka.Kafka') ? pid : null
}
