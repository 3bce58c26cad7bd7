// Recomputes the windows of a pipeline that late records are missing from, out of the log, and tells the rows that differ:
// one commit with the place up to which the marks are done, so that a run that dies has done nothing and one that is
// repeated tells nothing twice.
//
// A window is recomputed only once the job can change it no more: a row on time says that a window which ends later, by all
// the lateness there may be, has closed. What the log no longer holds whole is left to the lake.
import { openJob } from '../engine/engine.ts'
import { type Log, LogError } from '../log/log.ts'
import type { Plan } from '../query/plan.ts'
import { restrictedTo, type WindowRange } from '../query/reprocessing.ts'
import { assert } from '../std/assert.ts'
import { offset, partitionId } from '../std/units.ts'
import { baseOffset, maxTimestampMs } from '../wire/record-batch.ts'
import type { World } from '../world/world.ts'
import { Appends } from './appends.ts'
import type { Reprocessed } from './connect.ts'
import { type DirtyRange, dirtyWindows, isWindowed, reprocessedRecord } from './dirty-windows.ts'
import { resultTopic } from './outputs.ts'
import { recordSource } from './record-source.ts'
import { ResultTable, windowOf } from './result-table.ts'
import { readRecords } from './topic-records.ts'

/** Read between two looks at the world. */
const stepBytes = 1 << 20

export async function reprocessPlan(world: World, log: Log, plan: Plan): Promise<Reprocessed> {
  const topic = resultTopic(plan)
  const info = log.topic(topic)
  const nothing = { recomputed: 0, waiting: 0, notInTheLog: [], rows: 0 }
  if (info === null || !isWindowed(plan)) return nothing
  const { ranges, marks } = await dirtyWindows(log, topic)
  if (ranges.length === 0) return nothing
  const closedMs = (await closedUpTo(log, topic, plan)) - latenessOf(plan)
  const settled = ranges.filter(({ toMs }) => toMs <= closedMs)
  const waiting = ranges.filter(({ toMs }) => toMs > closedMs)
  const wholeFromMs = await wholeFrom(log, plan)
  const [inLog, gone]: [DirtyRange[], DirtyRange[]] = [[], []]
  for (const range of settled) {
    const restricted = restrictedTo(plan, range)
    ;(restricted === null || neededFrom(restricted, range) < wholeFromMs ? gone : inLog).push(range)
  }
  const appends = new Appends()
  let rows = 0
  if (inLog.length > 0) {
    const table = await recomputed(world, log, plan, inLog)
    const isDirty = (window: WindowRange | null): boolean =>
      window !== null && inLog.some(({ fromMs, toMs }) => window.fromMs >= fromMs && window.toMs <= toMs)
    await table.compareWith(log, topic, isDirty)
    rows = table.tell({ topic, partitions: info.partitions }, appends, () => {})
  }
  const notDone = [...waiting, ...gone]
  const done = Math.min(marks, ...notDone.map(({ mark }) => mark))
  if (inLog.length > 0) {
    const job = `reprocess.${plan.name}`
    const { epoch, cursor } = await log.takeJob(job)
    const record = reprocessedRecord(world.clock, topic, done, rows)
    await log.commit({ job, epoch, previous: cursor, cursor, appends: [...appends.take(), record] })
  }
  return { recomputed: inLog.length, waiting: waiting.length, notInTheLog: gone, rows }
}

/** Of the records in the log, the rows of the windows in the ranges. */
async function recomputed(world: World, log: Log, plan: Plan, ranges: readonly WindowRange[]): Promise<ResultTable> {
  const all = {
    fromMs: Math.min(...ranges.map(({ fromMs }) => fromMs)),
    toMs: Math.max(...ranges.map(({ toMs }) => toMs)),
  }
  const restricted = restrictedTo(plan, all)
  assert(restricted !== null, `plan ${plan.name} can be computed for a range`)
  const partitions = Object.fromEntries(
    Object.keys(plan.contracts).map((topic) => [topic, log.topic(topic)?.partitions ?? 0]),
  )
  const job = openJob([restricted], { bounded: true, judgesFuture: true, partitions })
  const push = recordSource(job)
  const table = new ResultTable(plan, world.clock, 'late')
  const neededMs = neededFrom(restricted, all)
  for (const [topic, count] of Object.entries(partitions)) {
    const futureMs = plan.nodes.reduce(
      (most, node) => (node.kind === 'source' && node.topic === topic ? Math.max(most, node.futureLimitMs) : most),
      0,
    )
    for (let partition = 0; partition < count; partition++) {
      const { start, end } = log.offsets(topic, partitionId(partition))
      for (let next: number = start; next < end; ) {
        const read = await log.readCommitted(topic, partitionId(partition), offset(next), stepBytes)
        // No record is further ahead of its arrival than the limit: this batch came before all that is needed.
        for (const batch of read.batches)
          if (maxTimestampMs(batch) + futureMs >= neededMs) push(topic, partition, baseOffset(batch), batch)
        for (const batch of job.take().results) table.add(batch)
        if (read.next === next) break
        next = read.next
        await new Promise<void>((resolve) => world.clock.soon(resolve))
      }
    }
  }
  job.finish()
  for (const batch of job.take().results) table.add(batch)
  return table
}

/** The earliest event time that a restricted plan lets pass. */
function neededFrom(restricted: Plan, { fromMs }: WindowRange): number {
  let least = fromMs
  for (const node of restricted.nodes)
    if (node.kind === 'filter' && node.id.endsWith('~') && node.condition.op === 'and') {
      const { left } = node.condition
      if (left.op === 'compare' && left.right.op === 'literal') least = Math.min(least, Number(left.right.value))
    }
  return least
}

/** From this event time on the log has everything; -Infinity where nothing was dropped. */
async function wholeFrom(log: Log, plan: Plan): Promise<number> {
  let fromMs = Number.NEGATIVE_INFINITY
  for (const [topic, { futureLimitMs }] of Object.entries(plan.contracts)) {
    for (let partition = 0; partition < (log.topic(topic)?.partitions ?? 0); partition++) {
      const { start, end } = log.offsets(topic, partitionId(partition))
      if (start === 0) continue
      if (start >= end) throw new LogError('OFFSET_OUT_OF_RANGE', `${topic}-${partition} holds nothing any more`)
      const read = await log.readCommitted(topic, partitionId(partition), start, 1)
      const first = read.batches[0]
      // What was dropped arrived before this; its event time may be a little ahead of its arrival.
      if (first !== undefined) fromMs = Math.max(fromMs, maxTimestampMs(first) + futureLimitMs)
    }
  }
  return fromMs
}

/** End of the last window of which a row came on time: all before it have closed. */
async function closedUpTo(log: Log, topic: string, plan: Plan): Promise<number> {
  const decoder = new TextDecoder()
  let closedMs = Number.NEGATIVE_INFINITY
  for (let partition = 0; partition < (log.topic(topic)?.partitions ?? 0); partition++)
    await readRecords(log, topic, partitionId(partition), (key, value) => {
      if (key === null || value === null || !decoder.decode(value.subarray(-20)).includes('"on-time"')) return
      closedMs = Math.max(closedMs, windowOf(plan, decoder.decode(key))?.toMs ?? closedMs)
    })
  return closedMs
}
/** How far behind it may still change a window: each window of the plan waits for what comes before it. */
function latenessOf(plan: Plan): number {
  return plan.latenessMs * plan.nodes.filter(({ kind }) => kind === 'window-aggregate').length
}
