// The engine alone under a steady rate, in a process of its own: from when a record is due until what it brought is there as
// bytes. Records come when they are due, whatever the engine is at: what waits behind a pause counts.
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { encodeRows, openJob, type SourceBatch } from '../src/engine/engine.ts'
import { givenToChild, tellParent } from './child.ts'
import { workOf } from './work.ts'

const given = givenToChild(
  z.object({ input: z.string(), ratePerSecond: z.number(), seconds: z.number(), warmSeconds: z.number() }),
)

const { plan } = workOf('sales-window')
const [topic = ''] = Object.keys(plan.contracts)
const count = given.ratePerSecond * (given.seconds + given.warmSeconds)
const bytes = readFileSync(given.input)
const starts = new Int32Array(count)
const ends = new Int32Array(count)
for (let i = 0, at = 0; i < count; i++) {
  const end = bytes.indexOf(10, at)
  if (end < 0) throw new Error(`the input holds ${i} records, ${count} are needed`)
  starts[i] = at
  ends[i] = end
  at = end + 1
}
const offsets = Float64Array.from({ length: count }, (_, i) => i)
const arrivals = new Float64Array(count).fill(Number.NaN)

const job = openJob([plan], { bounded: false, partitions: { [topic]: 1 } })
const latencies = new Float64Array(count)
let rows = 0
let written = 0
const deliver = (): void => {
  for (const batch of job.take().results) {
    rows += batch.count
    written += encodeRows(batch).bytes.length
  }
}
const startedMs = performance.now()
const dueMs = (record: number): number => startedMs + (record * 1000) / given.ratePerSecond
let tickedMs = startedMs
for (let from = 0; from < count; ) {
  const nowMs = performance.now()
  if (nowMs - tickedMs >= 1000) {
    tickedMs = nowMs
    job.tick({ atMs: nowMs, interval: true, idle: [] })
    deliver()
  }
  const to = Math.min(count, Math.floor(((nowMs - startedMs) * given.ratePerSecond) / 1000) + 1)
  if (to === from) continue
  const batch: SourceBatch = {
    topic,
    partition: 0,
    bytes,
    count: to - from,
    starts: starts.subarray(from, to),
    ends: ends.subarray(from, to),
    offsets: offsets.subarray(from, to),
    arrivals: arrivals.subarray(from, to),
  }
  job.push(batch)
  deliver()
  const outMs = performance.now()
  for (let record = from; record < to; record++) latencies[record] = outMs - dueMs(record)
  from = to
}
const measured = latencies.subarray(given.ratePerSecond * given.warmSeconds).toSorted()
const at = (share: number): number => measured[Math.min(measured.length - 1, Math.floor(measured.length * share))] ?? 0
tellParent({ p50: at(0.5), p99: at(0.99), p999: at(0.999), rows, written })
