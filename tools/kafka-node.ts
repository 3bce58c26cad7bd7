// A real Apache Kafka on this machine, without containers: its jars by Maven (whose settings say from where), one node in
// KRaft mode, killed or stopped at will. What tests and benchmarks hold our broker against.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectSocket, createServer } from 'node:net'
import { join } from 'node:path'

export const kafkaVersion = '4.3.1'
/** Kafka logs through the interface of SLF4J 1; without a binding it says nothing of why it does not start. */
const loggingVersion = '2.25.4'
const readyMsMax = 60_000

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>kafka-node</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${kafkaVersion}</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>${kafkaVersion}</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>${loggingVersion}</version></dependency>
  </dependencies>
</project>
`
const logging = `<Configuration status="WARN"><Appenders><Console name="c"><PatternLayout pattern="[%d] %p %m (%c)%n"/></Console></Appenders><Loggers><Root level="\${sys:kafka.loglevel:-INFO}"><AppenderRef ref="c"/></Root></Loggers></Configuration>
`

/** Why no Kafka can be had on this machine, or null. Without Maven the jars must be there already. */
export function missingForKafka(folder: string): string | null {
  if (spawnSync('java', ['-version']).status !== 0)
    return 'java is not installed (Debian: apt-get install openjdk-17-jre)'
  if (existsSync(libsIn(folder))) return null
  return spawnSync('mvn', ['-v']).status === 0 ? null : 'maven is not installed (Debian: apt-get install maven)'
}

/** Where the jars are: the name carries the version, so that another version is fetched beside it. */
export const libsIn = (folder: string): string => join(folder, `kafka-${kafkaVersion}`)

/** Fetches the jars into `folder` unless they are there (about 55 MB); returns the folder that holds them. */
export function fetchKafka(folder: string): string {
  const libs = libsIn(folder)
  if (existsSync(libs)) return libs
  const part = `${libs}.part`
  rmSync(part, { recursive: true, force: true })
  mkdirSync(part, { recursive: true })
  writeFileSync(join(part, 'pom.xml'), pom)
  writeFileSync(join(part, 'log4j2.xml'), logging)
  const run = spawnSync(
    'mvn',
    ['-B', '-q', 'dependency:copy-dependencies', '-DoutputDirectory=.', '-DincludeScope=runtime'],
    {
      cwd: part,
      encoding: 'utf8',
    },
  )
  if (run.status !== 0) throw new Error(`mvn could not fetch Kafka ${kafkaVersion}:\n${run.stdout}${run.stderr}`)
  // Whole or not at all: a fetch that was cut off must not pass for one that was done.
  renameSync(part, libs)
  return libs
}

/** Arguments of java that run a class of Kafka, e.g. `org.apache.kafka.tools.TopicCommand`. */
export function javaArguments(libs: string, className: string, ...args: string[]): string[] {
  return ['-Dkafka.loglevel=WARN', '-Xmx512m', '-cp', `${join(libs, '*')}:${libs}`, className, ...args]
}

export interface KafkaNodeSettings {
  /** Jars, from `fetchKafka`. */
  readonly libs: string
  /** Its data and its log; made and formatted if it is not there. */
  readonly dataDir: string
  /** Of the clients; the controller takes the next free one that is found. */
  readonly port: number
  readonly controllerPort: number
  /** server.properties beyond those that one node needs. */
  readonly properties?: Readonly<Record<string, string>>
  /** Goes on when the process that started it ends. */
  readonly detached?: boolean
  /** Told of the process as soon as there is one, long before it serves. */
  readonly launched?: (child: ChildProcess) => void
}
export interface KafkaNode {
  readonly address: string
  readonly pid: number
  readonly process: ChildProcess
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  /** SIGTERM, and SIGKILL after 20 s. */
  stop(): Promise<void>
}

function propertiesOf({ dataDir, port, controllerPort, properties }: KafkaNodeSettings): string {
  const all: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': join(dataDir, 'data'),
    'num.partitions': '6',
    'default.replication.factor': '1',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.num.partitions': '4',
    // Ours has no such wait either; with it each group test would take three seconds longer.
    'group.initial.rebalance.delay.ms': '0',
    'auto.create.topics.enable': 'true',
    ...properties,
  }
  return `${Object.entries(all)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')}\n`
}

/** Starts it and waits until it takes connections; throws with the end of its log if it does not. */
export async function startKafka(settings: KafkaNodeSettings): Promise<KafkaNode> {
  const { libs, dataDir, port } = settings
  mkdirSync(dataDir, { recursive: true })
  const config = join(dataDir, 'server.properties')
  writeFileSync(config, propertiesOf(settings))
  if (!existsSync(join(dataDir, 'data', 'meta.properties'))) format(libs, config)
  const logFile = join(dataDir, 'kafka.log')
  const log = openSync(logFile, 'a')
  const child = spawn(
    'java',
    ['-Xms256m', '-Xmx1g', '-XX:+UseG1GC', '-cp', `${join(libs, '*')}:${libs}`, 'kafka.Kafka', config],
    { stdio: ['ignore', log, log], detached: settings.detached ?? false },
  )
  closeSync(log)
  settings.launched?.(child)
  if (settings.detached) child.unref()
  let isGone = false
  const gone = new Promise<void>((resolve) => {
    child.on('exit', () => {
      isGone = true
      resolve()
    })
  })
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await gone
  }
  for (const endMs = Date.now() + readyMsMax; !(await takesConnections(port)); ) {
    if (isGone || Date.now() > endMs) {
      await kill()
      const tail = readFileSync(logFile, 'utf8').split('\n').slice(-15).join('\n')
      throw new Error(`Kafka did not start on port ${port}; the end of ${logFile}:\n${tail}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return {
    address: `127.0.0.1:${port}`,
    pid: child.pid!,
    process: child,
    kill,
    async stop() {
      child.kill('SIGTERM')
      const forced = setTimeout(() => child.kill('SIGKILL'), 20_000)
      await gone
      clearTimeout(forced)
    },
  }
}

function format(libs: string, config: string): void {
  const tool = (...args: string[]): string => {
    const run = spawnSync('java', javaArguments(libs, 'kafka.tools.StorageTool', ...args), { encoding: 'utf8' })
    if (run.status !== 0) throw new Error(`StorageTool ${args.join(' ')}:\n${run.stdout}${run.stderr}`)
    return run.stdout
  }
  const id = tool('random-uuid').trim().split('\n').at(-1)!
  tool('format', '-t', id, '-c', config)
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectSocket({ host: '127.0.0.1', port })
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

/** Ports that nobody listens on at the moment. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
