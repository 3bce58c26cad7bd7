// Judges a Kafka history: every anomaly of anomalies.ts, each with examples. Pure, and linear but for one sort of each
// key's offsets. After jepsen.tests.kafka, with torn transactions and garbage added.
import { Findings } from './anomalies.ts'
import { type Edges, findCycle } from './cycles.ts'
import type { History, Key, Op, Poll, Value } from './history.ts'

export interface Verdict {
  readonly findings: Findings
  readonly ops: number
  readonly sent: number
  /** Values that were read by a poll that succeeded. */
  readonly read: number
  /** Milliseconds from the acknowledgement of a value to its first read, over all that were read after it. */
  readonly lagMs: { readonly median: number; readonly most: number }
}

/** What is known of every value, in parallel columns. */
interface Values {
  /** Index of the operation that sent it, -1: nobody did. */
  readonly writer: Int32Array
  readonly key: Int32Array
  readonly isRead: Uint8Array
  readonly readMs: Float64Array
  /** Lowest and highest index in the version order of its key, -1: unknown. */
  readonly first: Int32Array
  readonly last: Int32Array
}
/** The versions of one key: offset to index, dense, gaps left out; and the values by index. */
interface Versions {
  readonly indexOf: ReadonlyMap<number, number>
  readonly values: Int32Array
}

/** Throws if the history is not one: a value sent twice. */
export function check(history: History): Verdict {
  const findings = new Findings()
  const values = columns(history)
  markReads(history, values, findings)
  const isCommitted = committedOps(history, values)
  const versions = versionOrders(history, values, isCommitted, findings)
  findDuplicates(history, values, findings)
  findLost(history, values, isCommitted, findings)
  if (history.caughtUp) findTorn(history, values, findings)
  judgePolls(history, values, versions, findings)
  judgeSends(history, values, isCommitted, findings)
  judgeCycles(history, values, versions, isCommitted, findings)
  let read = 0
  let sent = 0
  for (let value = 0; value < values.writer.length; value++) {
    if (values.writer[value]! >= 0) sent++
    read += values.isRead[value]!
  }
  return { findings, ops: history.ops.length, sent, read, lagMs: lagOf(history, values) }
}

function columns(history: History): Values {
  let count = 0
  for (const { sends, polls } of history.ops) {
    for (const { value } of sends) count = Math.max(count, value + 1)
    for (const poll of polls) for (const value of poll.values) count = Math.max(count, value + 1)
  }
  const writer = new Int32Array(count).fill(-1)
  const key = new Int32Array(count).fill(-1)
  for (const [i, { sends }] of history.ops.entries()) {
    for (const send of sends) {
      if (writer[send.value] !== -1) throw new Error(`value ${send.value} is sent twice: this is no history`)
      writer[send.value] = i
      key[send.value] = send.key
    }
  }
  return {
    writer,
    key,
    isRead: new Uint8Array(count),
    readMs: new Float64Array(count).fill(Number.POSITIVE_INFINITY),
    first: new Int32Array(count).fill(-1),
    last: new Int32Array(count).fill(-1),
  }
}

const place = (history: History, key: Key, offset: number | string): string => `${history.keys[key] ?? key}@${offset}`

/** Which values were read by polls that succeeded; garbage, aborted reads, and reads of one's own uncommitted sends. */
function markReads(history: History, values: Values, findings: Findings): void {
  for (const [at, op] of history.ops.entries()) {
    for (const { key, offsets, values: read } of op.polls) {
      for (let i = 0; i < read.length; i++) {
        const value = read[i]!
        if (values.key[value] !== key) {
          const to = (): string => history.keys[values.key[value] ?? -1] ?? 'nothing'
          findings.add(
            'garbage-read',
            () => `${readAt(history, op, key, offsets[i]!)}: value ${value}, sent to ${to()}`,
          )
          continue
        }
        const writer = values.writer[value]!
        if (writer === at) {
          findings.add('precommitted-read', () => `${readAt(history, op, key, offsets[i]!)}: value ${value}`)
        }
        if (op.outcome !== 'ok') continue
        values.isRead[value] = 1
        if (op.endMs < values.readMs[value]!) values.readMs[value] = op.endMs
        const { outcome, process } = history.ops[writer]!
        if (outcome !== 'fail') continue
        findings.add(
          'G1a-aborted-read',
          () => `${readAt(history, op, key, offsets[i]!)}: value ${value}, which process ${process} had aborted`,
        )
      }
    }
  }
}
const readAt = (history: History, { process }: Op, key: Key, offset: number): string =>
  `${place(history, key, offset)} read by process ${process}`

/** An unclear operation is committed if somebody read what it sent. */
function committedOps(history: History, values: Values): Uint8Array {
  return Uint8Array.from(history.ops, ({ outcome, sends }) =>
    outcome === 'ok' || (outcome === 'info' && sends.some(({ value }) => values.isRead[value] === 1)) ? 1 : 0,
  )
}

function versionOrders(history: History, values: Values, isCommitted: Uint8Array, findings: Findings): Versions[] {
  // Almost always one value at an offset; the others, where there are any, stand beside.
  const orders = history.keys.map(() => ({ at: new Map<number, Value>(), others: new Map<number, Set<Value>>() }))
  const note = (key: Key, offset: number, value: Value): void => {
    const { at, others } = orders[key]!
    const known = at.get(offset)
    if (known === undefined) at.set(offset, value)
    else if (known !== value) others.set(offset, (others.get(offset) ?? new Set()).add(value))
  }
  for (const [i, { sends, polls }] of history.ops.entries()) {
    if (isCommitted[i] === 1) for (const { key, value, offset } of sends) if (offset !== null) note(key, offset, value)
    for (const { key, offsets, values: read } of polls) {
      for (let j = 0; j < read.length; j++) if (values.key[read[j]!] === key) note(key, offsets[j]!, read[j]!)
    }
  }
  return orders.map(({ at, others }, key) => {
    const offsets = Float64Array.from(at.keys()).sort()
    const order = new Int32Array(offsets.length)
    const indexOf = new Map<number, number>()
    const mark = (value: Value, index: number): void => {
      if (values.first[value] === -1) values.first[value] = index
      values.last[value] = index
    }
    for (const [index, offset] of offsets.entries()) {
      const value = at.get(offset)!
      indexOf.set(offset, index)
      order[index] = value
      mark(value, index)
      const more = others.get(offset)
      if (more === undefined) continue
      for (const other of more) mark(other, index)
      findings.add(
        'inconsistent-offsets',
        () => `${place(history, key, offset)}: values ${[value, ...more].join(', ')}`,
      )
    }
    return { indexOf, values: order }
  })
}

function findDuplicates(history: History, values: Values, findings: Findings): void {
  for (let value = 0; value < values.first.length; value++) {
    if (values.first[value] === values.last[value]) continue
    const { process } = history.ops[values.writer[value]!]!
    findings.add(
      'duplicate',
      () =>
        `value ${value} of process ${process}: versions ${values.first[value]} and ${values.last[value]} of ${place(history, values.key[value]!, '…')}`,
    )
  }
}

function findLost(history: History, values: Values, isCommitted: Uint8Array, findings: Findings): void {
  const bounds = new Int32Array(history.keys.length).fill(-1)
  for (let value = 0; value < values.writer.length; value++) {
    const key = values.key[value]!
    if (values.isRead[value] === 1) bounds[key] = Math.max(bounds[key]!, values.first[value]!)
  }
  for (let value = 0; value < values.writer.length; value++) {
    const writer = values.writer[value]!
    if (writer < 0 || isCommitted[writer] === 0 || values.isRead[value] === 1) continue
    const key = values.key[value]!
    const { process } = history.ops[writer]!
    const last = values.last[value]!
    const what = (): string => `value ${value} of process ${process} in ${place(history, key, `version ${last}`)}`
    if (last >= 0 && last <= bounds[key]!) findings.add('lost-write', () => `${what()}, ${bounds[key]} was read`)
    if (history.caughtUp) findings.add('unseen', what)
  }
}

function findTorn(history: History, values: Values, findings: Findings): void {
  for (const { kind, outcome, process, sends } of history.ops) {
    if (kind !== 'txn' || outcome === 'fail') continue
    const missing = sends.filter(({ value }) => values.isRead[value] === 0)
    if (missing.length === 0 || missing.length === sends.length) continue
    findings.add('torn-txn', () => {
      const names = missing.map(({ key, value }) => `${value} (${place(history, key, '?')})`)
      return `process ${process}: ${sends.length} values, never read ${names.join(', ')}`
    })
  }
}

function judgePolls(history: History, values: Values, versions: readonly Versions[], findings: Findings): void {
  const readers = new Map<number, { isAssigned: boolean; readonly at: Map<Key, number> }>()
  for (const op of history.ops) {
    let reader = readers.get(op.process)
    if (reader === undefined || op.kind === 'assign' || op.kind === 'subscribe') {
      reader = { isAssigned: op.kind !== 'subscribe', at: new Map() }
      readers.set(op.process, reader)
    }
    for (const key of op.rebalanced) reader.at.delete(key)
    if (op.outcome !== 'ok') continue
    const touched = new Set<Key>()
    for (const poll of op.polls) {
      const isInside = touched.has(poll.key)
      touched.add(poll.key)
      judgePoll(history, op, poll, isInside, reader, values, versions[poll.key]!, findings)
    }
  }
}
function judgePoll(
  history: History,
  op: Op,
  poll: Poll,
  isInside: boolean,
  reader: { readonly isAssigned: boolean; readonly at: Map<Key, number> },
  values: Values,
  versions: Versions,
  findings: Findings,
): void {
  const isExcused = op.rebalanced.length > 0 && op.rebalanced.includes(poll.key)
  let previous = reader.at.get(poll.key) ?? -1
  let isFirst = !isInside
  for (let i = 0; i < poll.values.length; i++) {
    // Garbage is named already, and has no place in the order.
    if (values.key[poll.values[i]!] !== poll.key) continue
    const index = versions.indexOf.get(poll.offsets[i]!)!
    const delta = previous < 0 ? 1 : index - previous
    if (delta !== 1 && (isFirst || !isExcused)) {
      const what = delta > 1 ? 'poll-skip' : 'nonmonotonic-poll'
      const name = isFirst ? (reader.isAssigned ? what : (`subscribed-${what}` as const)) : (`int-${what}` as const)
      const from = previous
      findings.add(name, () => `${readAt(history, op, poll.key, poll.offsets[i]!)}: version ${index} after ${from}`)
    }
    previous = index
    isFirst = false
  }
  if (previous >= 0) reader.at.set(poll.key, previous)
}

function judgeSends(history: History, values: Values, isCommitted: Uint8Array, findings: Findings): void {
  const senders = new Map<number, Map<Key, number>>()
  for (const [i, op] of history.ops.entries()) {
    if (op.sends.length === 0 || isCommitted[i] === 0) continue
    const sent = senders.get(op.process) ?? new Map<Key, number>()
    senders.set(op.process, sent)
    const inside = new Set<Key>()
    for (const { key, value } of op.sends) {
      const index = values.first[value]!
      if (index < 0) continue
      const delta = index - (sent.get(key) ?? index - 1)
      const what = (): string =>
        `process ${op.process}: value ${value} is version ${index} of ${place(history, key, '…')}, ${delta} after the one before`
      if (delta < 1) findings.add(inside.has(key) ? 'int-nonmonotonic-send' : 'nonmonotonic-send', what)
      else if (delta > 1 && inside.has(key)) findings.add('int-send-skip', what)
      inside.add(key)
      sent.set(key, index)
    }
  }
}

function judgeCycles(
  history: History,
  values: Values,
  versions: readonly Versions[],
  isCommitted: Uint8Array,
  findings: Findings,
): void {
  const reads: Edges = { from: [], to: [] }
  const writes: Edges = { from: [], to: [] }
  for (const [reader, { outcome, sends, polls }] of history.ops.entries()) {
    // Nothing leads away from what only reads: it is in no circle.
    if (outcome !== 'ok' || sends.length === 0) continue
    for (const poll of polls) {
      for (const value of poll.values) {
        const writer = values.writer[value] ?? -1
        if (writer >= 0 && isCommitted[writer] === 1) link(reads, writer, reader)
      }
    }
  }
  for (const { values: order } of versions) {
    let last = -1
    for (const value of order) {
      const writer = values.writer[value]!
      if (writer < 0 || isCommitted[writer] === 0) continue
      if (last >= 0 && last !== writer) link(writes, last, writer)
      last = writer
    }
  }
  const count = history.ops.length
  const tell = (cycle: readonly number[]): string =>
    cycle
      .slice(0, 6)
      .map((op) => `operation ${op} of process ${history.ops[op]!.process}`)
      .join(' -> ')
  for (const [name, graphs] of [
    ['G1c-circular-reads', [reads]],
    ['G0-write-cycle', [writes]],
    ['G1c-with-writes', [reads, writes]],
  ] as const) {
    const cycle = findCycle(count, graphs)
    if (cycle !== null) findings.add(name, () => tell(cycle))
  }
}
function link(edges: Edges, from: number, to: number): void {
  edges.from.push(from)
  edges.to.push(to)
}

function lagOf(history: History, values: Values): Verdict['lagMs'] {
  const lags: number[] = []
  for (let value = 0; value < values.writer.length; value++) {
    if (values.isRead[value] === 0) continue
    const writer = history.ops[values.writer[value]!]!
    if (writer.outcome === 'ok') lags.push(Math.max(0, values.readMs[value]! - writer.endMs))
  }
  const sorted = Float64Array.from(lags).sort()
  return { median: sorted[sorted.length >> 1] ?? 0, most: sorted.at(-1) ?? 0 }
}
