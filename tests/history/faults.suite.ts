// Faults put into clean histories, recorded or imagined, one at a time: what a broken broker would have shown, and the
// anomaly that the checker has to name for it.
import type { RandomStream } from '../../src/std/random.ts'
import type { Anomaly } from './anomalies.ts'
import { garbage, type History, type Op, type Poll, type Send, type Value } from './history.ts'

export interface Fault {
  readonly name: string
  /** One of these has to be found. */
  readonly shows: readonly Anomaly[]
  /** Null where the history has no place for it. */
  readonly put: (history: History, random: RandomStream) => History | null
}

type Place = { readonly op: number; readonly poll: number; readonly record: number }

const replaced = (history: History, at: number, change: (op: Op) => Op): History => ({
  ...history,
  ops: history.ops.map((op, i) => (i === at ? change(op) : op)),
})
const withPoll = (op: Op, at: number, change: (poll: Poll) => Poll): Op => ({
  ...op,
  polls: op.polls.map((poll, i) => (i === at ? change(poll) : poll)),
})

/** A place in a successful poll, `following` records before its end, that the filter likes. */
function somePlace(
  history: History,
  random: RandomStream,
  following = 0,
  filter: (op: Op, place: Place) => boolean = () => true,
): Place | null {
  const start = random.below(history.ops.length)
  for (let i = 0; i < history.ops.length; i++) {
    const op = (start + i) % history.ops.length
    const { outcome, polls } = history.ops[op]!
    if (outcome !== 'ok') continue
    for (const [poll, { values }] of polls.entries()) {
      if (values.length <= following) continue
      const place = { op, poll, record: random.below(values.length - following) }
      if (filter(history.ops[op]!, place)) return place
    }
  }
  return null
}
const valueAt = (history: History, { op, poll, record }: Place): Value => history.ops[op]!.polls[poll]!.values[record]!

function without(poll: Poll, isGone: (value: Value) => boolean): Poll {
  const left = poll.values
    .map((value, i) => ({ value, offset: poll.offsets[i]! }))
    .filter(({ value }) => !isGone(value))
  return { key: poll.key, offsets: left.map(({ offset }) => offset), values: left.map(({ value }) => value) }
}
const gone = (history: History, isGone: (value: Value) => boolean): History => ({
  ...history,
  ops: history.ops.map((op) => ({ ...op, polls: op.polls.map((poll) => without(poll, isGone)) })),
})
const writers = (history: History): Map<Value, number> => {
  const found = new Map<Value, number>()
  for (const [i, { sends }] of history.ops.entries()) for (const { value } of sends) found.set(value, i)
  return found
}

export const faults: readonly Fault[] = [
  {
    name: 'an acknowledged record is gone',
    shows: ['lost-write', 'unseen'],
    put(history, random) {
      const by = writers(history)
      const place = somePlace(
        history,
        random,
        0,
        (_, at) => history.ops[by.get(valueAt(history, at))!]?.outcome === 'ok',
      )
      if (place === null) return null
      const lost = valueAt(history, place)
      return gone(history, (value) => value === lost)
    },
  },
  {
    name: 'everything from some time on is gone',
    shows: ['lost-write', 'unseen'],
    put(history, random) {
      const acked = history.ops.flatMap(({ outcome, sends }) => (outcome === 'ok' ? sends : []))
      if (acked.length === 0) return null
      const { value: from, key } = acked[random.below(acked.length)]!
      const keys = new Map(history.ops.flatMap(({ sends }) => sends.map((send) => [send.value, send.key] as const)))
      return gone(history, (value) => value >= from && keys.get(value) === key)
    },
  },
  {
    name: 'one reader is not given a record',
    shows: ['int-poll-skip'],
    put(history, random) {
      // Between two others of the same poll, so that the gap is inside it.
      const place = somePlace(history, random, 2)
      if (place === null) return null
      const lost = valueAt(history, { ...place, record: place.record + 1 })
      return replaced(history, place.op, (op) =>
        withPoll(op, place.poll, (poll) => without(poll, (value) => value === lost)),
      )
    },
  },
  {
    name: 'a record is in the log twice',
    shows: ['duplicate'],
    put(history, random) {
      const place = somePlace(history, random)
      if (place === null) return null
      const { key } = history.ops[place.op]!.polls[place.poll]!
      const twice = valueAt(history, place)
      let end = 0
      for (const { polls } of history.ops)
        for (const poll of polls) if (poll.key === key) end = Math.max(end, ...poll.offsets)
      return replaced(history, place.op, (op) =>
        withPoll(op, place.poll, (poll) => ({
          key,
          offsets: [...poll.offsets, end + 1],
          values: [...poll.values, twice],
        })),
      )
    },
  },
  {
    name: 'a poll hands out two records in the wrong order',
    shows: ['int-nonmonotonic-poll'],
    put(history, random) {
      const place = somePlace(history, random, 1)
      if (place === null) return null
      return replaced(history, place.op, (op) =>
        withPoll(op, place.poll, ({ key, offsets, values }) => ({
          key,
          offsets: swapped(offsets, place.record),
          values: swapped(values, place.record),
        })),
      )
    },
  },
  {
    name: 'two records change places for one reader',
    shows: ['inconsistent-offsets'],
    put(history, random) {
      const place = somePlace(history, random, 1)
      if (place === null) return null
      return replaced(history, place.op, (op) =>
        withPoll(op, place.poll, (poll) => ({ ...poll, values: swapped(poll.values, place.record) })),
      )
    },
  },
  {
    name: 'bytes are altered',
    shows: ['garbage-read'],
    put(history, random) {
      const place = somePlace(history, random)
      if (place === null) return null
      return replaced(history, place.op, (op) =>
        withPoll(op, place.poll, (poll) => ({
          ...poll,
          values: poll.values.map((value, i) => (i === place.record ? garbage : value)),
        })),
      )
    },
  },
  {
    name: 'a record turns up in another partition',
    shows: ['garbage-read'],
    put(history, random) {
      const place = somePlace(history, random)
      if (place === null || history.keys.length < 2) return null
      return replaced(history, place.op, (op) =>
        withPoll(op, place.poll, (poll) => ({ ...poll, key: (poll.key + 1) % history.keys.length })),
      )
    },
  },
  {
    name: 'what failed is read',
    shows: ['G1a-aborted-read'],
    put(history, random) {
      const place = somePlace(history, random)
      if (place === null) return null
      return replaced(history, writers(history).get(valueAt(history, place))!, (op) => ({ ...op, outcome: 'fail' }))
    },
  },
  {
    name: 'a poll is answered twice',
    shows: ['nonmonotonic-poll'],
    put(history, random) {
      const assigned = assignedProcesses(history)
      const place = somePlace(history, random, 0, ({ process }) => assigned.has(process))
      if (place === null) return null
      const ops = [...history.ops]
      ops.splice(place.op, 0, { ...ops[place.op]!, kind: 'poll', sends: [] })
      return { ...history, ops }
    },
  },
  {
    name: 'the answer to a poll is swallowed',
    shows: ['poll-skip', 'int-poll-skip', 'lost-write', 'unseen'],
    put(history, random) {
      const assigned = assignedProcesses(history)
      const place = somePlace(history, random, 0, ({ process, kind, polls }, { op, poll }) => {
        const { key, values } = polls[poll]!
        const before = history.ops
          .slice(0, op)
          .reverse()
          .find((each) => each.process === process && touches(each, key))
        const after = history.ops.slice(op + 1).find((each) => each.process === process && touches(each, key))
        return (
          assigned.has(process) &&
          kind === 'poll' &&
          values.length > 0 &&
          before?.kind === 'poll' &&
          after?.kind === 'poll'
        )
      })
      if (place === null) return null
      return replaced(history, place.op, (op) => ({ ...op, polls: [] }))
    },
  },
  {
    name: 'an acknowledgement names the wrong offset',
    shows: ['inconsistent-offsets'],
    put(history, random) {
      const places = history.ops.flatMap(({ outcome, sends }, op) =>
        outcome === 'ok' ? sends.flatMap(({ offset }, send) => (offset === null ? [] : [{ op, send }])) : [],
      )
      if (places.length === 0) return null
      const taken = new Set(
        history.ops.flatMap(({ polls }) =>
          polls.flatMap(({ key, offsets }) => offsets.map((offset) => `${key}@${offset}`)),
        ),
      )
      const from = random.below(places.length)
      for (let i = 0; i < places.length; i++) {
        const { op, send } = places[(from + i) % places.length]!
        const { key, offset } = history.ops[op]!.sends[send]!
        if (!taken.has(`${key}@${offset! + 1}`)) continue
        return replaced(history, op, (each) => withSend(each, send, (sent) => ({ ...sent, offset: offset! + 1 })))
      }
      return null
    },
  },
  {
    name: 'two sends of a process arrive in the wrong order',
    shows: ['nonmonotonic-send'],
    put(history, random) {
      const last = new Map<string, number>()
      const pairs: [number, number][] = []
      const isRead = new Set(
        history.ops.flatMap(({ outcome, polls }) =>
          outcome === 'ok' ? polls.flatMap(({ values }) => [...values]) : [],
        ),
      )
      for (const [i, { kind, outcome, process, sends }] of history.ops.entries()) {
        if (kind !== 'send' || outcome !== 'ok' || !isRead.has(sends.at(-1)!.value)) continue
        const name = `${process} ${sends.map(({ key }) => key)}`
        const previous = last.get(name)
        if (previous !== undefined) pairs.push([previous, i])
        last.set(name, i)
      }
      if (pairs.length === 0) return null
      const [one, two] = pairs[random.below(pairs.length)]!
      const ops = [...history.ops]
      ops[one] = history.ops[two]!
      ops[two] = history.ops[one]!
      return { ...history, ops }
    },
  },
  {
    name: 'half of a transaction is there',
    shows: ['torn-txn'],
    put(history, random) {
      const isRead = new Set(
        history.ops.flatMap(({ outcome, polls }) =>
          outcome === 'ok' ? polls.flatMap(({ values }) => [...values]) : [],
        ),
      )
      const txns = history.ops.filter(
        ({ kind, outcome, sends }) =>
          kind === 'txn' && outcome !== 'fail' && sends.length > 1 && isRead.has(sends[0]!.value),
      )
      if (txns.length === 0) return null
      const { sends } = txns[random.below(txns.length)]!
      const { value: torn } = sends[random.below(sends.length)]!
      return gone(history, (value) => value === torn)
    },
  },
  {
    name: 'a transaction reads its own',
    shows: ['precommitted-read'],
    put(history, random) {
      const at = history.ops.flatMap(({ kind, sends }, i) => (kind === 'txn' && sends.length > 0 ? [i] : []))
      if (at.length === 0) return null
      return replaced(history, at[random.below(at.length)]!, (op) => {
        const { key, value, offset } = op.sends[0]!
        return { ...op, polls: [...op.polls, { key, offsets: [offset ?? 1_000_000], values: [value] }] }
      })
    },
  },
  {
    name: 'two transactions read each other',
    shows: ['G1c-circular-reads'],
    put(history, random) {
      const at = history.ops.flatMap(({ kind, outcome, sends }, i) =>
        kind === 'txn' && outcome === 'ok' && sends[0]?.offset != null ? [i] : [],
      )
      if (at.length < 2) return null
      const from = random.below(at.length - 1)
      const [one, two] = [at[from]!, at[from + 1]!]
      const reading = (op: Op, other: Op): Op => {
        const { key, value, offset } = other.sends[0]!
        return { ...op, polls: [...op.polls, { key, offsets: [offset!], values: [value] }] }
      }
      const [first, second] = [history.ops[one]!, history.ops[two]!]
      return replaced(
        replaced(history, one, () => reading(first, second)),
        two,
        () => reading(second, first),
      )
    },
  },
]

function swapped<T>(list: readonly T[], at: number): T[] {
  const copy = [...list]
  copy[at] = list[at + 1]!
  copy[at + 1] = list[at]!
  return copy
}
const withSend = (op: Op, at: number, change: (send: Send) => Send): Op => ({
  ...op,
  sends: op.sends.map((send, i) => (i === at ? change(send) : send)),
})
const touches = ({ kind, outcome, polls }: Op, key: number): boolean =>
  kind === 'assign' ||
  kind === 'subscribe' ||
  (outcome === 'ok' && polls.some((poll) => poll.key === key && poll.values.length > 0))
function assignedProcesses(history: History): Set<number> {
  const found = new Set<number>()
  for (const { kind, process } of history.ops) {
    if (kind === 'assign') found.add(process)
    else if (kind === 'subscribe') found.delete(process)
  }
  return found
}
