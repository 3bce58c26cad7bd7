// Clean histories out of nothing: seeded clients on an imagined Kafka, one log per key, transactions and their aborts,
// answers that get lost, readers that are assigned or in a group. What the checker must find no fault in.
import { randomStream } from '../../src/std/random.ts'
import type { History, Key, Op, Poll, Value } from './history.ts'

export interface ModelSettings {
  readonly seed: string
  readonly ops: number
  readonly keys: number
}

/** Records that can be read, by offset; what was aborted and the markers leave gaps. */
type Log = { readonly offsets: number[]; readonly values: Value[]; end: number }
const recordsPerPollMax = 5

export function modelHistory({ seed, ops: count, keys: keyCount }: ModelSettings): History {
  const random = randomStream(seed)
  const logs: Log[] = Array.from({ length: keyCount }, () => ({ offsets: [], values: [], end: 0 }))
  const ops: Op[] = []
  let values = 0
  let processes = 0
  const put = (op: Partial<Op> & Pick<Op, 'process' | 'kind'>): void => {
    ops.push({ outcome: 'ok', sends: [], polls: [], rebalanced: [], endMs: ops.length, ...op })
  }
  const someKey = (): Key => random.below(keyCount)
  const append = (key: Key, value: Value, isReadable: boolean): number => {
    const log = logs[key]!
    const offset = log.end++
    if (isReadable) {
      log.offsets.push(offset)
      log.values.push(value)
    }
    return offset
  }
  const readers = Array.from({ length: 4 }, (_, i) => {
    const reader = { process: processes++, isAssigned: i % 2 === 0, at: new Array<number>(keyCount).fill(0) }
    put({ process: reader.process, kind: reader.isAssigned ? 'assign' : 'subscribe' })
    return reader
  })
  const writers = Array.from({ length: 4 }, () => processes++)
  const pollOf = (key: Key, from: number, count: number): Poll => {
    const log = logs[key]!
    return { key, offsets: log.offsets.slice(from, from + count), values: log.values.slice(from, from + count) }
  }
  const copied = new Array<number>(keyCount).fill(0)
  const copier = processes++
  put({ process: copier, kind: 'subscribe' })

  while (ops.length < count) {
    const what = random.below(10)
    if (what < 3) {
      const writer = random.below(writers.length)
      // One answer in ten is lost; what it was about may have happened or not.
      const isLost = random.below(10) === 0
      const happened = !isLost || random.below(2) === 0
      const key = someKey()
      const value = values++
      const offset = happened ? append(key, value, true) : null
      put({
        process: writers[writer]!,
        kind: 'send',
        outcome: isLost ? 'info' : 'ok',
        sends: [{ key, value, offset: isLost ? null : offset }],
      })
      if (isLost) writers[writer] = processes++
    } else if (what < 5) {
      const outcome = (['ok', 'ok', 'fail', 'info'] as const)[random.below(4)]!
      const happened = outcome === 'ok' || (outcome === 'info' && random.below(2) === 0)
      const source = someKey()
      const poll = pollOf(source, copied[source]!, recordsPerPollMax)
      const touched = new Set<Key>()
      const sends = Array.from({ length: 1 + random.below(4) }, () => {
        const key = someKey()
        touched.add(key)
        const value = values++
        return { key, value, offset: append(key, value, happened) as number | null }
      })
      if (outcome === 'info') for (const send of sends) send.offset = random.below(2) === 0 ? null : send.offset
      for (const key of touched) logs[key]!.end++
      put({ process: copier, kind: 'txn', outcome, sends, polls: poll.values.length > 0 ? [poll] : [] })
      if (happened) copied[source]! += poll.values.length
      // What it reads next after an unclear answer begins where the group's offsets are.
      if (outcome === 'info') put({ process: copier, kind: 'subscribe' })
    } else {
      const reader = readers[random.below(readers.length)]!
      const rebalanced: Key[] = []
      if (random.below(20) === 0) {
        const key = someKey()
        reader.at[key] = random.below(reader.at[key]! + 1)
        if (reader.isAssigned) {
          reader.at.fill(0)
          put({ process: reader.process, kind: 'assign' })
        } else rebalanced.push(key)
      }
      const polls: Poll[] = []
      for (let key = 0; key < keyCount; key++) {
        if (random.below(3) === 0) continue
        const poll = pollOf(key, reader.at[key]!, 1 + random.below(recordsPerPollMax))
        reader.at[key]! += poll.values.length
        if (poll.values.length > 0) polls.push(poll)
      }
      put({ process: reader.process, kind: 'poll', polls, rebalanced })
    }
  }
  const last = processes++
  put({ process: last, kind: 'assign' })
  for (let key = 0; key < keyCount; key++) {
    put({ process: last, kind: 'poll', polls: [pollOf(key, 0, Number.POSITIVE_INFINITY)] })
  }
  return { ops, caughtUp: true, keys: logs.map((_, key) => `model/${key}`) }
}
