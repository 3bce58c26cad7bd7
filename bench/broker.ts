// Section `broker`: produce with acks=all and consume, by a plain loader and by the application's client, for both
// durabilities; cold start, start with a large log, memory, many connections.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { gather, measureInChild } from './child.ts'
import { apiVersionsFrame, KafkaConnection } from './kafka-wire.ts'
import { memoryOf } from './memory.ts'
import { processorMsOf } from './processor.ts'
import type { Measured, Unit } from './report.ts'
import type { Bench, Section } from './section.ts'
import { freePort, sleep, startServer, withDataDir } from './server.ts'

export const durabilities = ['power', 'process'] as const
type Target = (typeof durabilities)[number] | 'kafka'

const recordBytes = 300
const partitions = 3
const inFlight = 8
const timed = z.object({ seconds: z.number(), records: z.int() })

interface Rates {
  readonly loader64: number
  readonly loader16: number
  readonly fetcher: number
  readonly clientProduce: number
  readonly clientConsume: number
  readonly kafkajsConsume: number
}
interface Held {
  readonly idleMB: number
  readonly loadedMB: number
  readonly peakMB: number
}

export const broker: Section = async (bench) => {
  const { options, say } = bench
  const rates = new Map<Target, Rates[]>()
  const held: Held[] = []
  /** Of a million records. */
  const processorMs: number[] = []
  const coldMs: number[] = []
  const readyMs: number[] = []
  const crowd: number[] = []
  const sizes = { records: options.quick ? 50_000 : 1_500_000, logMiB: options.quick ? 32 : 1_024 }
  const note = (target: Target, found: Rates): void => {
    rates.set(target, [...(rates.get(target) ?? []), found])
  }
  for (let round = 1; round <= options.runs; round++) {
    say(`broker, cold start, run ${round} of ${options.runs}`)
    coldMs.push(await withDataDir(options.dir, coldStart))
    for (const durability of durabilities) {
      say(`broker, durability ${durability}, run ${round} of ${options.runs}`)
      await withDataDir(options.dir, async (dataDir) => {
        const server = await startServer(
          'broker',
          '--kafka-port',
          '0',
          '--durability',
          durability,
          '--data-dir',
          dataDir,
        )
        try {
          await sleep(1_000)
          const idle = memoryOf(server.pid)
          note(durability, await ratesOf(bench, server.kafka, `bench-${round}`))
          const usedBefore = processorMsOf(server.pid)
          if (durability === 'power') await load(server.kafka, 'bench-memory', sizes.records)
          const used = processorMsOf(server.pid)
          if (durability === 'power' && usedBefore !== null && used !== null)
            processorMs.push(((used - usedBefore) * 1e6) / sizes.records)
          const loaded = memoryOf(server.pid)
          if (durability === 'power' && idle !== null && loaded !== null)
            held.push({
              idleMB: idle.residentBytes / 1e6,
              loadedMB: loaded.residentBytes / 1e6,
              peakMB: loaded.peakBytes / 1e6,
            })
        } finally {
          await server.stop()
        }
      })
    }
    say(`broker, killed with ${sizes.logMiB} MiB of log, run ${round} of ${options.runs}`)
    readyMs.push(await withDataDir(options.dir, (dataDir) => readyAfterKill(dataDir, sizes.logMiB)))
    say(`broker, 1,000 connections, run ${round} of ${options.runs}`)
    crowd.push(await withDataDir(options.dir, (dataDir) => ofCrowd(dataDir, options.quick ? 2 : 20)))
    if (options.kafka !== null) {
      if (round === 1) {
        // Its compiler needs some work to get going; ours starts cold in every round.
        say(`Apache Kafka at ${options.kafka}, warming up`)
        await ratesOf(bench, options.kafka, `millrace-bench-${Date.now()}-0`)
      }
      say(`Apache Kafka at ${options.kafka}, run ${round} of ${options.runs}`)
      note('kafka', await ratesOf(bench, options.kafka, `millrace-bench-${Date.now()}-${round}`))
    }
  }
  const { loader, client } = amounts(bench)
  return {
    title: `Broker: records of ${recordBytes} bytes, ${partitions} partitions, acks=all`,
    measured: [
      ...rateRows(rates, 'produce, loader, 64 KiB batches', (rate) => rate.loader64),
      ...rateRows(rates, 'produce, loader, 16 KiB batches', (rate) => rate.loader16),
      ...rateRows(rates, 'produce, @platformatic/kafka', (rate) => rate.clientProduce),
      ...rateRows(rates, 'consume, plain fetch', (rate) => rate.fetcher),
      ...rateRows(rates, 'consume, @platformatic/kafka', (rate) => rate.clientConsume),
      ...rateRows(rates, 'consume, kafkajs eachBatch', (rate) => rate.kafkajsConsume),
      alone('cold start to the first ApiVersions answer', 'ms', coldMs),
      alone(`ready after a kill with ${sizes.logMiB} MiB of log, slowest of ${killsInRound} a run`, 'ms', readyMs),
      alone('1,000 connections, a partition each, 16 KiB batches', 'records/s', crowd),
      ...(processorMs.length === 0
        ? []
        : [alone('processor time of the broker for a million records, loader, 64 KiB batches', 'ms', processorMs)]),
      ...(held.length === 0
        ? []
        : [
            alone(
              'memory idle',
              'MB',
              held.map((one) => one.idleMB),
            ),
            alone(
              `memory after ${sizes.records.toLocaleString('en-US')} records`,
              'MB',
              held.map((one) => one.loadedMB),
            ),
            alone(
              'most memory',
              'MB',
              held.map((one) => one.peakMB),
            ),
          ]),
    ],
    notes: [
      `the loader sends ${loader.toLocaleString('en-US')} records in batches encoded beforehand, ${inFlight} in flight on one connection, each loader and client in a process of its own; all that was acknowledged was read back, offsets without a gap`,
      `synced: acknowledged after fdatasync (--durability power, the default). The peer in those rows is our own --durability process${options.kafka === null ? '' : ', or Apache Kafka'}, which like Kafka does not wait for the disk`,
      `@platformatic/kafka sends ${client.toLocaleString('en-US')} records, 1,000 a call, 4 calls in flight, idempotent; it reads by its low-level fetch, without a group`,
    ],
    skipped: options.kafka === null ? ['Apache Kafka: --peers puts one on this machine'] : [],
  }
}

function amounts({ options }: Bench): { readonly loader: number; readonly client: number } {
  return options.quick ? { loader: 50_000, client: 20_000 } : { loader: 400_000, client: 150_000 }
}

async function ratesOf(bench: Bench, kafka: string, prefix: string): Promise<Rates> {
  const { loader, client } = amounts(bench)
  const rate = async (file: string, given: object): Promise<number> => {
    const { seconds, records } = await measureInChild(file, { kafka, partitions, recordBytes, ...given }, timed)
    return records / seconds
  }
  const large = { topic: `${prefix}-64k`, records: loader, batchBytes: 64 * 1024, inFlight }
  const small = { topic: `${prefix}-16k`, records: loader / 2, batchBytes: 16 * 1024, inFlight }
  const ofClient = { topic: `${prefix}-client`, records: client }
  const loader64 = await rate('./loader-child.ts', large)
  const fetcher = await rate('./fetcher-child.ts', large)
  const loader16 = await rate('./loader-child.ts', small)
  const connection = await KafkaConnection.open(kafka)
  await connection.createTopic(ofClient.topic, partitions)
  connection.close()
  const clientProduce = await rate('./client-child.ts', { ...ofClient, action: 'produce' })
  const clientConsume = await rate('./client-child.ts', { ...ofClient, action: 'consume' })
  const kafkajsConsume = await rate('./client-child.ts', { ...ofClient, action: 'consume-kafkajs' })
  return { loader64, loader16, fetcher, clientProduce, clientConsume, kafkajsConsume }
}

/** Records of one loader with 64 KiB batches. */
function load(kafka: string, topic: string, records: number): Promise<{ seconds: number; records: number }> {
  const given = { kafka, topic, partitions, recordBytes, records, batchBytes: 64 * 1024, inFlight }
  return measureInChild('./loader-child.ts', given, timed)
}

/** Starts in a run, each after a SIGKILL; the slowest of them all is told. */
const killsInRound = 5
async function readyAfterKill(dataDir: string, logMiB: number): Promise<number> {
  const start = () => startServer('broker', '--kafka-port', '0', '--data-dir', dataDir)
  let server = await start()
  await load(server.kafka, 'bench-log', Math.ceil((logMiB * 1_048_576) / recordBytes))
  let slowest = 0
  for (let kill = 0; kill < killsInRound; kill++) {
    await load(server.kafka, `bench-more-${kill}`, 2_000)
    await server.kill()
    server = await start()
    slowest = Math.max(slowest, server.readyMs)
  }
  await server.stop()
  return slowest
}

async function ofCrowd(dataDir: string, batches: number): Promise<number> {
  const server = await startServer('broker', '--kafka-port', '0', '--data-dir', dataDir)
  try {
    const given = { kafka: server.kafka, topic: 'bench-crowd', connections: 1_000, batches, recordBytes }
    const { seconds, records } = await measureInChild('./crowd-child.ts', given, timed)
    return records / seconds
  } finally {
    await server.stop()
  }
}

function rateRows(
  rates: ReadonlyMap<Target, readonly Rates[]>,
  what: string,
  pick: (rate: Rates) => number,
): Measured[] {
  const of = (target: Target): number[] => (rates.get(target) ?? []).map(pick)
  const row = (
    how: string,
    ours: Target,
    peer: { readonly name: string; readonly target: Target } | null,
  ): Measured => ({
    what: `${what}, ${how}`,
    unit: 'records/s',
    ours: of(ours),
    peer: peer === null ? null : { name: peer.name, values: of(peer.target) },
  })
  const kafka = { name: 'Apache Kafka', target: 'kafka' } as const
  const unsynced = row('synced', 'power', { name: 'ours, not synced', target: 'process' })
  if (!rates.has('kafka')) return [unsynced]
  return [unsynced, row('synced', 'power', kafka), row('not synced', 'process', kafka)]
}

function alone(what: string, unit: Unit, ours: readonly number[]): Measured {
  return { what, unit, ours, peer: null }
}

/** From the start of the process until it answers ApiVersions, as a client that waits for it would see. */
async function coldStart(dataDir: string): Promise<number> {
  const port = await freePort()
  const launcher = fileURLToPath(new URL('../bin/millrace.mjs', import.meta.url))
  const startedMs = performance.now()
  const child = spawn(
    process.execPath,
    [launcher, 'broker', '--kafka-port', String(port), '--data-dir', dataDir, '--json'],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const { complaints } = gather(child)
  const exited = new Promise<void>((resolve) => child.on('exit', () => resolve()))
  try {
    while (performance.now() - startedMs < 30_000 && child.exitCode === null) {
      const connection = await KafkaConnection.open(`127.0.0.1:${port}`).catch(() => null)
      if (connection === null) {
        await sleep(2)
        continue
      }
      await connection.send(apiVersionsFrame())
      connection.close()
      return performance.now() - startedMs
    }
    throw new Error(`the broker did not answer:\n${complaints()}`)
  } finally {
    child.kill('SIGTERM')
    await exited
  }
}
