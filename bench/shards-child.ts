// B1 from Kafka record batches, in a process of its own: on one thread, or with so many shards. Tells how long it took and
// how much of a core each thread was busy, so that a busy machine cannot hide what the work costs.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { recordSource } from '../src/connect/record-source.ts'
import { Sharding } from '../src/connect/sharding.ts'
import { encodeRow, openJob } from '../src/engine/engine.ts'
import type { Cursor, LogEntry } from '../src/log/log.ts'
import { lsn, offset, partitionId } from '../src/std/units.ts'
import { BatchWriter } from '../src/wire/batch-writer.ts'
import { setBaseOffset } from '../src/wire/record-batch.ts'
import { nodeWorld } from '../src/world/node.ts'
import { givenToChild, tellParent } from './child.ts'
import { workOf } from './work.ts'

const given = givenToChild(z.object({ input: z.string(), shards: z.int(), runs: z.int() }))
const partitions = 4
const recordsPerBatch = 1000
/** Later than every event: none is from the future. */
const arrivalMs = Date.UTC(2030, 0, 1)
const { plan } = workOf('sales-window')
const [topic] = Object.keys(plan.contracts)
if (topic === undefined) throw new Error('the plan reads a topic')

function batches(): LogEntry[] {
  const made: LogEntry[] = []
  const writers = Array.from({ length: partitions }, () => ({ writer: new BatchWriter(), next: 0 }))
  const finish = (partition: number): void => {
    const one = writers[partition]!
    if (one.writer.count === 0) return
    const { count } = one.writer
    const bytes = one.writer.finish()
    setBaseOffset(bytes, one.next)
    made.push({
      kind: 'batch',
      lsn: lsn(made.length),
      after: String(made.length) as Cursor,
      topic: topic ?? '',
      partition: partitionId(partition),
      baseOffset: offset(one.next),
      lastOffset: offset(one.next + count - 1),
      bytes,
    })
    one.next += count
  }
  const file = readFileSync(given.input)
  let record = 0
  for (let at = 0; at < file.length; record++) {
    const end = file.indexOf(10, at)
    const partition = record % partitions
    const { writer } = writers[partition]!
    writer.append(null, file.subarray(at, end), arrivalMs)
    if (writer.count === recordsPerBatch) finish(partition)
    at = end + 1
  }
  writers.forEach((_, partition) => {
    finish(partition)
  })
  return made
}

/** Processor time of each thread of this process, ms, by its id. Linux alone tells it. */
function threads(): Map<string, number> {
  const found = new Map<string, number>()
  if (!existsSync('/proc/self/task')) return found
  for (const task of readdirSync('/proc/self/task')) {
    try {
      found.set(task, Number(readFileSync(`/proc/self/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e6)
    } catch {
      // It has ended meanwhile.
    }
  }
  return found
}

const entries = batches()
const records = entries.reduce(
  (sum, entry) => sum + (entry.kind === 'batch' ? entry.lastOffset - entry.baseOffset + 1 : 0),
  0,
)
const world = nodeWorld()
const seconds: number[] = []
const jobNs: number[] = []
const shardNs: number[] = []
let rows = 0
let hash = 0
/** The first half warms both sides up: threads compile for themselves. */
const half = (entries.length >> 3) * 4
const measured = records - Math.min(records, half * recordsPerBatch)
for (let run = 0; run < given.runs; run++) {
  const settings = { bounded: false, partitions: { [topic]: partitions } }
  const job = openJob([plan], settings)
  const push = recordSource(job)
  const sharding = new Sharding(
    world,
    job,
    { plans: [plan], settings, partitionsOf: () => partitions, shardsMax: given.shards, always: given.shards > 0 },
    {
      inline: (entry) => {
        if (entry.kind === 'batch') push(entry.topic, entry.partition, entry.baseOffset, entry.bytes)
      },
      done: () => {},
    },
  )
  rows = 0
  hash = 0
  const deliver = (): void => {
    for (const batch of job.take().results)
      for (let row = 0; row < batch.count; row++) {
        rows++
        const text = encodeRow(batch, row)
        for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
      }
  }
  // The threads are there before the clock starts.
  while (given.shards > 0 && sharding.shards === 0) {
    await world.clock.sleep(5)
    await sharding.take([])
  }
  let before = threads()
  let ownBefore = process.threadCpuUsage()
  let startedMs = performance.now()
  for (let at = 0; at < entries.length; at += 4) {
    // The first half warms both sides up: threads compile for themselves.
    if (at === half) {
      await sharding.settle()
      before = threads()
      ownBefore = process.threadCpuUsage()
      startedMs = performance.now()
    }
    await sharding.take(entries.slice(at, at + 4))
    deliver()
  }
  await sharding.settle()
  job.finish()
  deliver()
  seconds.push((performance.now() - startedMs) / 1000)
  const own = process.threadCpuUsage(ownBefore)
  // The shards are the busiest of the others.
  const others = [...threads()]
    .filter(([task]) => task !== String(process.pid))
    .map(([task, ms]) => ms - (before.get(task) ?? 0))
    .sort((a, b) => b - a)
    .slice(0, given.shards)
  jobNs.push(((own.user + own.system) * 1e3) / measured)
  shardNs.push((others.reduce((sum, ms) => sum + ms, 0) * 1e6) / measured)
  await sharding.stop()
}
tellParent({ seconds, jobNs, shardNs, records: measured, rows, hash })
