// One life of a broker whose journal is settled all the time, in the simulated world: what it finds is compared with what
// was promised, then it appends, settles, drops and follows until it dies.
import { batchOf, produced, valuesOf } from '../../src/broker/broker.suite.ts'
import { type Broker, openBroker } from '../../src/broker/broker.ts'
import type { SettledFaults } from '../../src/broker/settled/keeping.ts'
import type { RandomStream } from '../../src/std/random.ts'
import { offset, partitionId } from '../../src/std/units.ts'
import type { World } from '../../src/world/world.ts'
import { Violation } from '../journal/oracle.ts'
import type { SimProcess } from '../world.ts'

const partitions = 2
const topics = ['a', 'b'] as const

/** What was said to producers and jobs, over all lives. */
export interface Promised {
  /** By `topic-partition@offset`. */
  readonly values: Map<string, string>
  /** Everything that was ever sent. */
  readonly sent: Set<string>
  /** Ticks that were durable, in order. */
  readonly ticks: number[]
  /** The idempotent producer: a new one after each batch of which nobody knows what became. */
  producer: number
  /** Its next sequence, and what its last acknowledged batch got. */
  sequence: number
  lastAcked: { readonly sequence: number; readonly offset: number } | null
  /** Records of `b-0` before this offset were deleted. */
  start: number
  ticksSent: number
}
export function nothingPromised(): Promised {
  return {
    values: new Map(),
    sent: new Set(),
    ticks: [],
    producer: 7,
    sequence: 0,
    lastAcked: null,
    start: 0,
    ticksSent: 0,
  }
}

export interface SettledScript {
  readonly random: RandomStream
  readonly promised: Promised
  readonly faults: SettledFaults
  readonly steps: number
  /** The disk may have no room, for ever. */
  readonly mayStayFull?: boolean
}
export interface SettledMet {
  settledLsn: number
  files: number
  dropped: number
}

const must = (holds: boolean, message: () => string): void => {
  if (!holds) throw new Violation(message())
}

export function openSettling(world: World, faults: SettledFaults): Promise<Broker> {
  return openBroker(world, {
    dataDir: '/data',
    durability: 'power',
    freeBytesMin: 0,
    segmentBytes: 1500,
    cacheBytes: 0,
    retention: {
      checkEveryMs: 20,
      settleAfterMs: 400,
      logBytesMax: Number.MAX_SAFE_INTEGER,
      fileBytesMax: 1200,
      tiers: { faults, openFilesMax: 2, keeper: { bufferBytesMax: 500, openFilesMax: 2, sliceBytes: 300 } },
    },
  })
}

/** Answers what the log was like when it was left; throws a Violation for a broken promise. */
export async function runSettledLife(world: World, process: SimProcess, script: SettledScript): Promise<SettledMet> {
  const { random, promised, steps, faults } = script
  const broker = await openSettling(world, faults)
  const said = <T>(run: () => T): T | undefined => (process.alive ? run() : undefined)
  for (const name of topics) {
    // Whoever died in between may have made it, and told nobody.
    if (broker.topic(name) === null) await broker.createTopic({ name, partitions })
  }
  await checkPromises(broker, promised)
  if (promised.sequence !== (promised.lastAcked?.sequence ?? -1) + 1) {
    promised.producer++
    promised.sequence = 0
    promised.lastAcked = null
  }
  for (let step = 0; step < steps && process.alive; step++) {
    const what = random.below(12)
    const topic = topics[random.below(2)]!
    const partition = partitionId(random.below(partitions))
    if (what < 7) {
      const value = `${promised.sent.size} ${'v'.repeat(random.below(250))}`
      promised.sent.add(value)
      const { baseOffset } = await broker.append(topic, partition, batchOf([value]))
      said(() => promised.values.set(`${topic}-${partition}@${baseOffset}`, value))
    } else if (what === 7) {
      const sequence = promised.sequence++
      const { producer } = promised
      promised.sent.add(`${producer}/0/${sequence}`)
      const { baseOffset } = await broker.append('a', partitionId(0), produced(producer, 0, sequence))
      said(() => {
        promised.values.set(`a-0@${baseOffset}`, `${producer}/0/${sequence}`)
        promised.lastAcked = { sequence, offset: baseOffset }
      })
    } else if (what === 8) {
      const tick = promised.ticksSent++
      await broker.tick('job', new Uint8Array([tick >> 8, tick]))
      said(() => promised.ticks.push(tick))
    } else if (what === 9) {
      const { start, end } = broker.offsets('b', partitionId(0))
      const before = start + random.below(end - start + 1)
      const now = await broker.deleteRecords('b', partitionId(0), offset(before))
      said(() => {
        promised.start = now
      })
    } else await world.clock.sleep(random.float() * 30)
  }
  // What is finished is settled in the end.
  for (let i = 0; i < 200 && process.alive && broker.stats().journal.segments > 1; i++) await world.clock.sleep(10)
  const isSettled = !process.alive || script.mayStayFull === true || broker.stats().journal.segments <= 1
  must(isSettled, () => `not settled: ${broker.trouble()?.message}`)
  if (broker.trouble() === null || script.mayStayFull !== true) await checkPromises(broker, promised)
  const { settledLsn, settledFiles } = broker.stats().retention
  const met = { settledLsn, files: settledFiles, dropped: broker.offsets('b', partitionId(0)).start }
  if (random.below(2) === 0) await broker.close()
  return met
}

async function checkPromises(broker: Broker, promised: Promised): Promise<void> {
  must(broker.trouble() === null, () => `a crash was taken for damage: ${broker.trouble()?.message}`)
  const found = new Map<string, string>()
  const seen = new Set<string>()
  for (const topic of topics) {
    for (let partition = 0; partition < partitions; partition++) {
      const { start, end } = broker.offsets(topic, partitionId(partition))
      const isCut = topic === 'b' && partition === 0
      must(isCut ? start >= promised.start : start === 0, () => `${topic}-${partition} begins at ${start}`)
      for (let at: number = start; at < end; ) {
        const batches = await broker.read(topic, partitionId(partition), offset(at), 400)
        must(batches.length > 0, () => `${topic}-${partition} has nothing at ${at}`)
        for (const batch of batches) {
          for (const value of valuesOf(batch)) {
            must(promised.sent.has(value), () => `${topic}-${partition}@${at} is a value nobody sent: ${value}`)
            must(!seen.has(value), () => `${value} is there twice`)
            seen.add(value)
            found.set(`${topic}-${partition}@${at++}`, value)
          }
        }
      }
    }
  }
  for (const [place, value] of promised.values) {
    const isDeleted = place.startsWith('b-0@') && Number(place.slice(4)) < broker.offsets('b', partitionId(0)).start
    must(isDeleted || found.get(place) === value, () => `${place} was acknowledged as ${value}, is ${found.get(place)}`)
  }
  follow(broker, promised, found)
  const { lastAcked, producer } = promised
  if (lastAcked !== null && promised.sequence === lastAcked.sequence + 1) {
    const again = await broker.append('a', partitionId(0), produced(producer, 0, lastAcked.sequence))
    must(
      again.baseOffset === lastAcked.offset,
      () => `a repeated batch got ${again.baseOffset}, not ${lastAcked.offset}`,
    )
  }
}

/** In order, once, the same as by offset; and every tick that was durable. */
function follow(broker: Broker, promised: Promised, found: ReadonlyMap<string, string>): void {
  const follower = broker.follow({ job: 'job', topics, from: broker.origin() })
  const followed = new Map<string, string>()
  const ticks: number[] = []
  let last = 0
  for (let entries = follower.poll(700); entries.length > 0; entries = follower.poll(700)) {
    for (const entry of entries) {
      must(entry.lsn > last, () => `entry ${entry.lsn} after ${last}`)
      last = entry.lsn
      if (entry.kind === 'tick') ticks.push(entry.payload[0]! * 256 + entry.payload[1]!)
      else {
        let at: number = entry.baseOffset
        for (const value of valuesOf(entry.bytes)) followed.set(`${entry.topic}-${entry.partition}@${at++}`, value)
      }
    }
  }
  follower.close()
  for (const [place, value] of found) must(followed.get(place) === value, () => `${place} was not followed`)
  for (const [place, value] of followed) {
    // What was deleted may lie in a file that is still there.
    must(place.startsWith('b-0@') || found.get(place) === value, () => `${place} was followed, and is not there`)
  }
  let next = 0
  for (const tick of promised.ticks) {
    while (next < ticks.length && ticks[next] !== tick) next++
    must(next < ticks.length, () => `tick ${tick} is gone, or out of order`)
  }
}
