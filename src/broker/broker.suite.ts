// What the broker's tests stand on: a disk in memory that outlives brokers, lives with process ids of their own, batches.
import { LogError, type LogErrorCode } from '../log/log.ts'
import { randomStream } from '../std/random.ts'
import { offset, partitionId } from '../std/units.ts'
import { type BatchProducer, BatchWriter } from '../wire/batch-writer.ts'
import type { Compression } from '../wire/compression.ts'
import { recordSlots, recordsOf, walkRecords } from '../wire/record-batch.ts'
import { nodeWorld } from '../world/node.ts'
import type { FileSystem, World } from '../world/world.ts'
import { type Broker, type BrokerSettings, openBroker } from './broker.ts'
import { memoryFileSystem } from './journal/memory-files.ts'
import { keeperInThisThread } from './settled/same-thread.ts'

export const dataDir = '/data'
export const p0 = partitionId(0)
export const p1 = partitionId(1)

export const refused = (code: LogErrorCode) => (error: unknown) => error instanceof LogError && error.code === code

export interface Machine {
  readonly fs: FileSystem
  /** A process: its own id, its own random numbers. Earlier ones are dead from then on. */
  life(): World
  open(settings?: Partial<BrokerSettings>): Promise<Broker>
}
export function machine(seed = 'machine', fs: FileSystem = memoryFileSystem(1 << 28, () => 0)): Machine {
  let pid = 1000
  const life = (): World => {
    const own = ++pid
    const world = {
      ...nodeWorld(),
      fs,
      random: randomStream(`${seed}/${own}`),
      host: {
        pid: own,
        cores: 1,
        bootId: 'boot',
        name: 'test',
        env: () => undefined,
        isAlive: (asked: number) => asked === pid,
        birthOf: String,
        secretBytes: (count: number) => new Uint8Array(count).fill(7),
      },
    }
    // No other thread would see these files.
    return { ...world, threads: keeperInThisThread(world) }
  }
  return {
    fs,
    life,
    open: (settings) => openBroker(life(), { dataDir, durability: 'power', freeBytesMin: 0, ...settings }),
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export interface BatchOptions {
  readonly producer?: BatchProducer
  readonly compression?: Compression
  /** Of the records in turn; default 1000, 1001 … */
  readonly timestamps?: readonly number[]
}
export function batchOf(values: readonly string[], options: BatchOptions = {}): Uint8Array {
  const writer = new BatchWriter({ compression: options.compression ?? 'none' })
  for (const [i, value] of values.entries()) {
    writer.append(encoder.encode(`k${i}`), encoder.encode(value), options.timestamps?.[i] ?? 1000 + i)
  }
  return writer.finish(options.producer ?? null)
}
/** A batch of an idempotent producer: `count` records from this sequence on. */
export function produced(producerId: number, producerEpoch: number, baseSequence: number, count = 1): Uint8Array {
  const values = Array.from({ length: count }, (_, i) => `${producerId}/${producerEpoch}/${baseSequence + i}`)
  return batchOf(values, { producer: { producerId: BigInt(producerId), producerEpoch, baseSequence } })
}
export function valuesOf(batch: Uint8Array): string[] {
  const { bytes, start, end } = recordsOf(batch)
  const slots = recordSlots(1000)
  walkRecords(bytes, start, end, slots)
  return Array.from({ length: slots.count }, (_, i) =>
    decoder.decode(bytes.subarray(slots.valueStart[i]!, slots.valueEnd[i]!)),
  )
}
/** All values of a partition, read in small pieces. */
export async function readValues(broker: Broker, topic: string, partition = p0): Promise<string[]> {
  const values: string[] = []
  for (;;) {
    const from = offset(broker.offsets(topic, partition).start + values.length)
    const batches = await broker.read(topic, partition, from, 100)
    if (batches.length === 0) return values
    for (const batch of batches) values.push(...valuesOf(batch))
  }
}
