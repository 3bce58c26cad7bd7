// Which windows of a pipeline lack records that came after its lateness. Each such record marks the windows it belongs to in
// the commit that puts it into `<topic>.late`; whoever recomputes them, from the log or from the lake, reads the marks.
//
// Topic `<result topic>.dirty`, one partition, compacted, internal to the house. Key and value, JSON:
//
//   [<from ms>,<to ms>]   {"v":1,"plan":…,"from":<ISO>,"to":<ISO>,"late":{"topic":…,"partition":…,"offset":…,"eventTimeMs":…}}
//   "reprocessed"         {"v":1,"marks":<marks below this offset are done>,"rows":<told the last time>}
//
// `from` is the start of the first window that the record belongs to, `to` the end of the last; `late` is the newest record
// that marked them (all of them are in `<topic>.late`, by plan). A mark depends on its record alone. Changing this needs a
// format version.
import type { LateRecord } from '../engine/engine.ts'
import type { Commit, Log, TopicSpec } from '../log/log.ts'
import type { Plan } from '../query/plan.ts'
import type { WindowRange } from '../query/reprocessing.ts'
import { instantText } from '../std/instant.ts'
import { partitionId } from '../std/units.ts'
import { BatchWriter } from '../wire/batch-writer.ts'
import type { Clock } from '../world/world.ts'
import { readRecords } from './topic-records.ts'

const only = partitionId(0)
const doneKey = '"reprocessed"'

export function dirtyTopic(resultTopic: string): string {
  return `${resultTopic}.dirty`
}
export function dirtyTopicSpec(resultTopic: string): TopicSpec {
  return { name: dirtyTopic(resultTopic), partitions: 1, configs: { 'cleanup.policy': 'compact' } }
}
/** Do its rows say of which window they are? */
export function isWindowed(plan: Plan): boolean {
  const changelog = plan.nodes.at(-1)?.changelog
  return changelog?.mode === 'upsert' && changelog.key.includes('window_start') && changelog.key.includes('window_end')
}

export function dirtyMark(
  { plan, topic, partition, offset, eventTimeMs }: LateRecord,
  { fromMs, toMs }: WindowRange,
): { readonly key: string; readonly value: string } {
  const late = { topic, partition, offset, eventTimeMs }
  const value = { v: 1, plan, from: instantText(fromMs, true), to: instantText(toMs, true), late }
  return { key: `[${fromMs},${toMs}]`, value: JSON.stringify(value) }
}

export interface DirtyRange extends WindowRange {
  /** Offset of the newest mark of it. */
  readonly mark: number
}
export interface DirtyWindows {
  /** Each holds all windows that some late record belongs to, and they have not been recomputed since. */
  readonly ranges: readonly DirtyRange[]
  /** What to hand to `reprocessedRecord` when all of them are done; of those that are not, the least `mark`. */
  readonly marks: number
}
/** What is marked of a pipeline now, by its result topic. */
export async function dirtyWindows(log: Log, resultTopic: string): Promise<DirtyWindows> {
  const topic = dirtyTopic(resultTopic)
  if (log.topic(topic) === null) return { ranges: [], marks: 0 }
  const decoder = new TextDecoder()
  const marks = new Map<string, number>()
  let [done, end] = [0, 0]
  await readRecords(log, topic, only, (key, value, offset) => {
    end = offset + 1
    if (key === null || value === null) return
    const name = decoder.decode(key)
    if (name === doneKey) done = (JSON.parse(decoder.decode(value)) as { readonly marks: number }).marks
    else marks.set(name, offset)
  })
  const ranges = [...marks]
    .filter(([, offset]) => offset >= done)
    .map(([key, mark]): DirtyRange => {
      const [fromMs = 0, toMs = 0] = JSON.parse(key) as number[]
      return { fromMs, toMs, mark }
    })
  return { ranges: ranges.sort((a, b) => a.fromMs - b.fromMs || a.toMs - b.toMs), marks: end }
}
/** Goes into the commit that has the recomputed rows. */
export function reprocessedRecord(
  clock: Clock,
  resultTopic: string,
  marks: number,
  rows: number,
): Commit['appends'][number] {
  const encoder = new TextEncoder()
  const writer = new BatchWriter()
  writer.append(encoder.encode(doneKey), encoder.encode(JSON.stringify({ v: 1, marks, rows })), clock.nowMs())
  return { topic: dirtyTopic(resultTopic), partition: only, batch: writer.finish() }
}
