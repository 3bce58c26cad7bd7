// What a flow left behind: the records of its result topics, late topics and dead letters, and how they are printed in
// the form of a flow file.
import { deadLetterTopic, lateTopic, resultTopic } from '../../src/connect/outputs.ts'
import type { LedgerLine, ResultBatch } from '../../src/engine/engine.ts'
import { encodeKey, encodeRow } from '../../src/engine/engine.ts'
import type { Log } from '../../src/log/log.ts'
import type { Plan } from '../../src/query/plan.ts'
import { offset, partitionId } from '../../src/std/units.ts'
import {
  baseOffset,
  lastOffset,
  recordHeaders,
  recordSlots,
  recordsOf,
  walkRecords,
} from '../../src/wire/record-batch.ts'
import type { Flow } from './flow-file.ts'
import { timeText } from './times.ts'

export interface ReadRecord {
  readonly topic: string
  readonly partition: number
  readonly key: string | null
  readonly value: Uint8Array | null
  readonly headers: ReadonlyMap<string, string>
}
export interface Outcome {
  /** By plan: its changelog, in the order of each partition. */
  readonly results: ReadonlyMap<string, readonly ReadRecord[]>
  readonly late: readonly ReadRecord[]
  readonly dead: readonly ReadRecord[]
  readonly ledger: readonly LedgerLine[]
  /** By plan: key (null for plans that append) and row of a bounded run over what the topics hold. */
  readonly bounded: ReadonlyMap<string, readonly { readonly key: string | null; readonly row: string }[]>
}

const decoder = new TextDecoder()

/** Every record of a topic, partition by partition. */
export async function readTopic(log: Log, topic: string): Promise<ReadRecord[]> {
  const records: ReadRecord[] = []
  const slots = recordSlots(256)
  const text = (bytes: Uint8Array, start: number, end: number): string | null =>
    start < 0 ? null : decoder.decode(bytes.subarray(start, end))
  for (let partition = 0; partition < (log.topic(topic)?.partitions ?? 0); partition++) {
    const { start, end } = log.offsets(topic, partitionId(partition))
    for (let next: number = start; next < end; ) {
      for (const batch of await log.read(topic, partitionId(partition), offset(next), 1 << 20)) {
        if (baseOffset(batch) !== next) throw new Error(`${topic}/${partition} has a gap at offset ${next}`)
        const { bytes, start: from, end: to } = recordsOf(batch)
        for (let at = from; at < to; ) {
          at = walkRecords(bytes, at, to, slots)
          for (let row = 0; row < slots.count; row++) {
            const headers = recordHeaders(bytes, slots.headersStart[row]!)
            const [valueStart, valueEnd] = [slots.valueStart[row]!, slots.valueEnd[row]!]
            records.push({
              topic,
              partition,
              key: text(bytes, slots.keyStart[row]!, slots.keyEnd[row]!),
              value: valueStart < 0 ? null : bytes.slice(valueStart, valueEnd),
              headers: new Map(headers.map(({ name, value }) => [name, decoder.decode(value ?? new Uint8Array(0))])),
            })
          }
        }
        next = lastOffset(batch) + 1
      }
    }
  }
  return records
}

export async function readOutcome(
  log: Log,
  flow: Flow,
  ledger: readonly LedgerLine[],
  bounded: ReadonlyMap<string, readonly ResultBatch[]>,
): Promise<Outcome> {
  const results = new Map<string, readonly ReadRecord[]>()
  for (const plan of flow.plans) results.set(plan.name, await readTopic(log, resultTopic(plan)))
  const late: ReadRecord[] = []
  const dead: ReadRecord[] = []
  for (const topic of topicsOf(flow)) {
    late.push(...(await readTopic(log, lateTopic(topic))))
    dead.push(...(await readTopic(log, deadLetterTopic(topic))))
  }
  const rows = [...bounded].map(([plan, batches]) => {
    const all = batches.flatMap((batch) =>
      Array.from({ length: batch.count }, (_, row) => ({ key: encodeKey(batch, row), row: encodeRow(batch, row) })),
    )
    return [plan, all] as const
  })
  return { results, late, dead, ledger, bounded: new Map(rows) }
}
export function topicsOf(flow: Flow): string[] {
  return [...new Set(flow.plans.flatMap((plan) => Object.keys(plan.contracts)))]
}

// --- as text ---

/** A flat JSON object, values as they are written: no digit is lost to a double. */
export function members(json: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const [, name, value] of json.matchAll(/"((?:[^"\\]|\\.)*)":("(?:[^"\\]|\\.)*"|[^,}]+)/g))
    found.set(name!, value!)
  return found
}
const plain = (value: string): string => {
  if (!value.startsWith('"')) return value
  const text: unknown = JSON.parse(value)
  return typeof text === 'string' && /^[\p{L}\p{N}_.:+-]+$/u.test(text) && !/^(null|true|false|-?\d.*)$/.test(text)
    ? text
    : value.replaceAll(' ', '\\u0020')
}

interface PrintedRow {
  /** Of the window, for the order; 0 for plans without. */
  readonly startMs: number
  readonly cells: readonly string[]
}
function boundMs(value: string, plan: Plan): number {
  const { times } = plan.output
  return times === 'epoch-seconds'
    ? Number(value) * 1000
    : times === 'epoch-milliseconds'
      ? Number(value)
      : Date.parse(JSON.parse(value) as string)
}
function printedRow(plan: Plan, json: string, withTiming: boolean): PrintedRow {
  const row = members(json)
  const timing = JSON.parse(row.get('timing') ?? '""') as string
  row.delete('timing')
  const [start, end] = [row.get('window_start'), row.get('window_end')]
  const cells: string[] = []
  let startMs = 0
  if (start !== undefined && end !== undefined) {
    startMs = boundMs(start, plan)
    cells.push(`${timeText(startMs)}..${timeText(boundMs(end, plan))}`)
    row.delete('window_start')
    row.delete('window_end')
  }
  if (withTiming) cells.push(timing)
  cells.push(...[...row.values()].map(plain))
  return { startMs, cells }
}
function heading(plan: Plan, withTiming: boolean): string[] {
  const columns = (plan.nodes.at(-1)?.columns ?? []).map(({ name }) => name)
  const rest = columns.filter((name) => name !== 'window_start' && name !== 'window_end')
  if (plan.output.finalColumn !== null) rest.push(plan.output.finalColumn)
  return [...(rest.length < columns.length ? ['window'] : []), ...(withTiming ? ['timing'] : []), ...rest]
}
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  )
}
/** A tombstone as a row: the columns of its key. */
function takenBack(plan: Plan, key: string): string {
  const changelog = plan.nodes.at(-1)?.changelog
  const names = changelog?.mode === 'upsert' ? changelog.key : []
  const values = JSON.parse(key) as unknown[]
  const cells = names.map((name, i) => `${JSON.stringify(name)}:${JSON.stringify(values[i])}`)
  return `{${[...cells, '"timing":"taken-back"'].join(',')}}`
}
/** Sorted by window, then by text; a history (rows with their keys) keeps the order of each key. */
function table(
  plan: Plan,
  rows: readonly { readonly key: string | null; readonly row: string }[],
  history: boolean,
): string[] {
  if (rows.length === 0) return []
  const printed = rows.map(({ key, row }) => ({
    key: key ?? '',
    ...printedRow(plan, row === '' ? takenBack(plan, key ?? '[]') : row, history),
  }))
  printed.sort((a, b) => a.startMs - b.startMs || (history ? compare(a.key, b.key) : compareAll(a.cells, b.cells)))
  return aligned([heading(plan, history), ...printed.map(({ cells }) => cells)])
}
const numeric = new Intl.Collator('en', { numeric: true })
const compare = (a: string, b: string): number => numeric.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0)
function compareAll(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return compare(a[i]!, b[i]!)
  return 0
}
const valueText = (record: ReadRecord): string => (record.value === null ? '' : decoder.decode(record.value))

/** The last row per key that was not taken back, or every row of a plan that appends. */
export function finalRows(plan: Plan, records: readonly ReadRecord[]): string[] {
  const last = new Map<string, string>()
  for (const [i, record] of records.entries()) {
    if (record.value === null) last.delete(record.key ?? '')
    else last.set(record.key ?? `${plan.name} ${i}`, valueText(record))
  }
  return [...last.values()]
}

/** The section of a flow file with this heading. */
export function printSection(flow: Flow, outcome: Outcome, name: string): string[] {
  const topics = topicsOf(flow)
  const where = (record: ReadRecord): string => {
    const topic = record.headers.get('dlq.original.topic') ?? ''
    const partition = `${topic === topics[0] ? '' : `${topic}/`}${record.headers.get('dlq.original.partition')}`
    return `${partition}@${record.headers.get('dlq.original.offset')}`
  }
  if (name === 'late') {
    const rows = outcome.late.map((record) => [
      where(record),
      record.headers.get('late.plan') ?? '',
      timeText(Number(record.headers.get('late.event-time-ms'))),
      'behind',
      timeText(Number(record.headers.get('late.watermark-ms'))),
    ])
    return aligned(rows.sort(compareAll))
  }
  if (name === 'dead letters') {
    const rows = outcome.dead.map((record) => [
      where(record),
      record.headers.get('dlq.reason') ?? '',
      record.headers.get('dlq.rule') ?? '',
    ])
    return aligned(rows.sort(compareAll))
  }
  const [kind, planName] = name.includes(' ') ? name.split(' ') : ['table', name]
  const plan = flow.plans.find((one) => one.name === planName)
  if (plan === undefined) throw new Error(`${flow.name}: there is no plan '${planName}'`)
  if (kind === 'bounded') return table(plan, outcome.bounded.get(plan.name) ?? [], false)
  const records = outcome.results.get(plan.name) ?? []
  if (kind === 'rows')
    return table(
      plan,
      records.map((record) => ({ key: record.key, row: valueText(record) })),
      true,
    )
  return table(
    plan,
    finalRows(plan, records).map((row) => ({ key: null, row })),
    false,
  )
}

/** Expected and found, as a diff of lines; null where they agree. */
export function difference(heading: string, expected: readonly string[], found: readonly string[]): string | null {
  const single = found.map((line) => line.replaceAll(/\s+/g, ' '))
  if (expected.length === single.length && expected.every((line, i) => line === single[i])) return null
  const lines = [`--- ${heading}`]
  // The longest common subsequence, by the textbook: sections are a few lines.
  const longest = Array.from({ length: expected.length + 1 }, () => new Uint32Array(single.length + 1))
  for (let i = expected.length - 1; i >= 0; i--)
    for (let j = single.length - 1; j >= 0; j--)
      longest[i]![j] =
        expected[i] === single[j] ? longest[i + 1]![j + 1]! + 1 : Math.max(longest[i + 1]![j]!, longest[i]![j + 1]!)
  let [i, j] = [0, 0]
  while (i < expected.length || j < single.length) {
    if (i < expected.length && j < single.length && expected[i] === single[j]) {
      lines.push(`  ${found[j]}`)
      i++
      j++
    } else if (j >= single.length || (i < expected.length && longest[i + 1]![j]! >= longest[i]![j + 1]!)) {
      lines.push(`- ${expected[i++]}`)
    } else lines.push(`+ ${found[j++]}`)
  }
  return lines.join('\n')
}
