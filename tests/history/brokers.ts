// The brokers that a history is recorded on, in processes that can be killed, paused and started again at one address: ours,
// Apache Kafka, or one that is there already and is left in peace.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RandomStream } from '../../src/std/random.ts'
import { type KafkaNode, startKafka } from '../../tools/kafka-node.ts'

export interface BrokerUnderTest {
  readonly name: string
  /** `host:port`, the same in every life. */
  readonly address: string
  /** False: it is another's, and runs. */
  readonly canBeKilled: boolean
  /** Resolves when clients are served. */
  start(): Promise<void>
  kill(): Promise<void>
  /** Starts it and kills it so soon after, ready or not. */
  startAndKill(afterMs: number): Promise<void>
  /** SIGSTOP and SIGCONT. */
  pause(): void
  resume(): void
  /** What it said on stderr in all its lives. */
  complaints(): string
  close(): Promise<void>
}

/** The program that people start. */
export const millrace = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/**
 * A port below those that systems hand out to connecting sockets: a client that knocks at a port of that range while
 * nobody listens may be given that very port, and talk to itself.
 */
export async function quietPort(random: RandomStream): Promise<number> {
  for (;;) {
    const port = 15_000 + random.below(15_000)
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.on('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!isFree) continue
    await new Promise((resolve) => server.close(resolve))
    return port
  }
}

export interface OurBroker extends BrokerUnderTest {
  readonly dataDir: string
}
/** Our broker by the command that people type, or by another program that takes the same arguments after its own. */
export async function ourBroker(random: RandomStream, program: readonly string[] = [millrace]): Promise<OurBroker> {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-history-'))
  const port = await quietPort(random)
  let child: ChildProcess | null = null
  let said = ''
  const launch = (): { readonly ready: Promise<void>; readonly ended: Promise<void> } => {
    const started = spawn(
      process.execPath,
      [...program, 'broker', '--json', '--data-dir', dataDir, '--kafka-port', String(port)],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    child = started
    started.stderr.on('data', (bytes: Buffer) => {
      said += bytes.toString()
    })
    const ended = new Promise<void>((resolve) => started.on('exit', () => resolve()))
    const ready = new Promise<void>((resolve, reject) => {
      started.stdout.on('data', (bytes: Buffer) => {
        if (bytes.includes('"ready":true')) resolve()
      })
      void ended.then(() => reject(new Error(`the broker ended before it was ready:\n${said}`)))
    })
    return { ready, ended }
  }
  let ended: Promise<void> = Promise.resolve()
  const kill = async (): Promise<void> => {
    child?.kill('SIGKILL')
    await ended
  }
  return {
    name: 'Millrace',
    address: `127.0.0.1:${port}`,
    canBeKilled: true,
    dataDir,
    async start() {
      const life = launch()
      ended = life.ended
      await life.ready
    },
    kill,
    async startAndKill(afterMs) {
      const life = launch()
      life.ready.catch(() => {})
      ended = life.ended
      await new Promise((resolve) => setTimeout(resolve, afterMs))
      await kill()
    },
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    complaints: () => said,
    async close() {
      await kill()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** Apache Kafka from its jars (`fetchKafka`), one node on an empty folder. */
export async function apacheKafka(random: RandomStream, libs: string): Promise<BrokerUnderTest> {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-history-kafka-'))
  const [port, controllerPort] = [await quietPort(random), await quietPort(random)]
  let node: KafkaNode | null = null
  const start = async (): Promise<void> => {
    node = await startKafka({ libs, dataDir, port, controllerPort })
  }
  return {
    name: 'Apache Kafka',
    address: `127.0.0.1:${port}`,
    canBeKilled: true,
    start,
    kill: async () => await node?.kill(),
    async startAndKill(afterMs) {
      const starting = startKafka({
        libs,
        dataDir,
        port,
        controllerPort,
        launched: (child) => setTimeout(() => child.kill('SIGKILL'), afterMs),
      })
      // It does not get as far as to serve; when it does, it is killed all the same.
      await starting.then(async (started) => await started.kill()).catch(() => {})
    },
    pause: () => void node?.process.kill('SIGSTOP'),
    resume: () => void node?.process.kill('SIGCONT'),
    complaints: () => '',
    async close() {
      await node?.kill()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** A broker that runs already. */
export function foreignBroker(address: string): BrokerUnderTest {
  const refuse = (): never => {
    throw new Error(`the broker at ${address} is another's and is not to be killed`)
  }
  return {
    name: address,
    address,
    canBeKilled: false,
    async start() {},
    kill: refuse,
    startAndKill: refuse,
    pause: refuse,
    resume: refuse,
    complaints: () => '',
    async close() {},
  }
}
