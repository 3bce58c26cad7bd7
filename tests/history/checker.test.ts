// The checker itself: each anomaly in the smallest history that has it, none in clean histories, and every fault that is
// put into a clean history found.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomStream } from '../../src/std/random.ts'
import type { Anomaly } from './anomalies.ts'
import { check } from './checker.ts'
import { faults } from './faults.suite.ts'
import { garbage, type History, type Op, type Outcome } from './history.ts'
import { modelHistory } from './model.suite.ts'

type Sent = readonly [value: number, offset: number | null, key?: number]
type Read = readonly (readonly [offset: number, value: number, key?: number])[]
const blank = { sends: [], polls: [], rebalanced: [], endMs: 0 }
const sendsOf = (sent: readonly Sent[]) => sent.map(([value, offset, key = 0]) => ({ key, value, offset }))
const pollsOf = (read: Read) => read.map(([offset, value, key = 0]) => ({ key, offsets: [offset], values: [value] }))

const send = (process: number, outcome: Outcome, ...sent: Sent[]): Op => ({
  ...blank,
  process,
  outcome,
  kind: 'send',
  sends: sendsOf(sent),
})
const poll = (process: number, ...read: Read): Op => ({
  ...blank,
  process,
  outcome: 'ok',
  kind: 'poll',
  polls: pollsOf(read),
})
const txn = (process: number, outcome: Outcome, sent: readonly Sent[], read: Read = []): Op => ({
  ...blank,
  process,
  outcome,
  kind: 'txn',
  sends: sendsOf(sent),
  polls: pollsOf(read),
})
const failed = (op: Op): Op => ({ ...op, outcome: 'fail' })
const begins = (process: number, kind: 'assign' | 'subscribe'): Op => ({ ...blank, process, outcome: 'ok', kind })
const rebalanced = (op: Op, ...keys: number[]): Op => ({ ...op, rebalanced: keys })

const history = (ops: readonly Op[], caughtUp = true): History => ({ ops, caughtUp, keys: ['t/0', 't/1', 't/2'] })
function found(ops: readonly Op[], caughtUp = true): Anomaly[] {
  const { findings } = check(history(ops, caughtUp))
  return [...findings.faults(), ...findings.allowed()]
}

const cases: readonly (readonly [
  what: string,
  ops: readonly Op[],
  anomalies: readonly Anomaly[],
  caughtUp?: boolean,
])[] = [
  ['nothing at all', [], []],
  ['sent and read', [send(1, 'ok', [0, 0], [1, 1]), poll(2, [0, 0], [1, 1])], []],
  ['gaps between offsets', [send(1, 'ok', [0, 3]), send(1, 'ok', [1, 9]), poll(2, [3, 0], [9, 1])], []],
  [
    'acknowledged at another offset',
    [send(1, 'ok', [0, 0]), send(1, 'ok', [1, 1]), poll(2, [1, 0], [2, 1])],
    ['duplicate', 'inconsistent-offsets'],
  ],
  [
    'two readers see two values',
    [send(1, 'info', [0, null]), send(2, 'info', [1, null]), poll(3, [0, 0]), poll(4, [0, 1])],
    ['inconsistent-offsets'],
  ],
  [
    'a failed poll counts for the order',
    [send(1, 'info', [0, null]), send(2, 'info', [1, null]), poll(3, [0, 0], [1, 1]), failed(poll(4, [0, 1]))],
    ['duplicate', 'inconsistent-offsets'],
  ],
  ['one value at two offsets', [send(1, 'ok', [0, 0]), poll(2, [0, 0], [1, 0])], ['duplicate']],
  [
    'not read though later ones were',
    [send(1, 'ok', [0, 0]), send(1, 'ok', [1, 1]), poll(2, [1, 1])],
    ['lost-write'],
    false,
  ],
  [
    'the same after all was read',
    [send(1, 'ok', [0, 0]), send(1, 'ok', [1, 1]), poll(2, [1, 1])],
    ['lost-write', 'unseen'],
  ],
  [
    'only read by a poll that failed',
    [send(1, 'ok', [0, 0]), send(1, 'ok', [1, 1]), failed(poll(2, [0, 0])), poll(2, [1, 1])],
    ['lost-write', 'unseen'],
  ],
  ['not read yet', [send(1, 'ok', [0, 0]), send(1, 'ok', [1, 1]), poll(2, [0, 0])], [], false],
  ['not read at the end', [send(1, 'ok', [0, 0]), send(1, 'ok', [1, 1]), poll(2, [0, 0])], ['unseen']],
  ['acknowledged without an offset, not there', [send(1, 'ok', [0, null])], ['unseen']],
  ['unclear and not there', [send(1, 'info', [0, null])], []],
  ['unclear and there', [send(1, 'info', [0, null]), poll(2, [0, 0])], []],
  ['failed and not there', [send(1, 'fail', [0, null])], []],
  ['failed and there', [send(1, 'fail', [0, null]), poll(2, [0, 0])], ['G1a-aborted-read']],
  ['an aborted transaction is read', [txn(1, 'fail', [[0, 0]]), poll(2, [0, 0])], ['G1a-aborted-read']],
  [
    'half a transaction',
    [
      txn(1, 'info', [
        [0, null],
        [1, null, 1],
      ]),
      poll(2, [0, 0]),
    ],
    ['torn-txn', 'unseen'],
  ],
  [
    'an unclear transaction, whole',
    [
      txn(1, 'info', [
        [0, null],
        [1, null, 1],
      ]),
      poll(2, [0, 0], [0, 1, 1]),
    ],
    [],
  ],
  [
    'an unclear transaction, not there',
    [
      txn(1, 'info', [
        [0, null],
        [1, null, 1],
      ]),
    ],
    [],
  ],
  ['a transaction reads what it sends', [txn(1, 'ok', [[0, 0]], [[0, 0]])], ['precommitted-read']],
  ['never sent', [poll(1, [0, 7])], ['garbage-read']],
  ['other bytes', [send(1, 'ok', [0, 0]), poll(2, [0, garbage]), poll(3, [0, 0])], ['garbage-read']],
  ['in another partition', [send(1, 'ok', [0, 0]), poll(2, [0, 0, 1]), poll(3, [0, 0])], ['garbage-read']],
  [
    'a poll leaves one out',
    [send(1, 'ok', [0, 0], [1, 1], [2, 2]), poll(2, [0, 0], [2, 2]), poll(3, [0, 0], [1, 1], [2, 2])],
    ['int-poll-skip'],
  ],
  ['a poll goes back', [send(1, 'ok', [0, 0], [1, 1]), poll(2, [1, 1], [0, 0])], ['int-nonmonotonic-poll']],
  ['a poll repeats', [send(1, 'ok', [0, 0]), poll(2, [0, 0], [0, 0])], ['int-nonmonotonic-poll']],
  [
    'the next poll leaves one out',
    [send(1, 'ok', [0, 0], [1, 1], [2, 2]), poll(2, [0, 0]), poll(2, [2, 2]), poll(3, [1, 1])],
    ['poll-skip'],
  ],
  [
    'the next poll goes back',
    [send(1, 'ok', [0, 0], [1, 1]), poll(2, [0, 0], [1, 1]), poll(2, [1, 1])],
    ['nonmonotonic-poll'],
  ],
  [
    'a failed poll does not move on',
    [send(1, 'ok', [0, 0], [1, 1]), poll(2, [0, 0]), failed(poll(2, [1, 1])), poll(2, [1, 1])],
    [],
  ],
  [
    'assigned anew',
    [send(1, 'ok', [0, 0], [1, 1]), begins(2, 'assign'), poll(2, [0, 0], [1, 1]), begins(2, 'assign'), poll(2, [0, 0])],
    [],
  ],
  [
    'subscribed: skips and repeats are allowed',
    [
      begins(2, 'subscribe'),
      begins(3, 'subscribe'),
      send(1, 'ok', [0, 0], [1, 1], [2, 2]),
      poll(2, [0, 0]),
      poll(3, [1, 1]),
      poll(2, [2, 2]),
      poll(2, [0, 0]),
    ],
    ['subscribed-nonmonotonic-poll', 'subscribed-poll-skip'],
  ],
  [
    'subscribed: not inside one poll',
    [begins(2, 'subscribe'), send(1, 'ok', [0, 0], [1, 1]), poll(2, [0, 0], [1, 1], [0, 0])],
    ['int-nonmonotonic-poll'],
  ],
  [
    'rebalanced keys start anew',
    [
      begins(2, 'subscribe'),
      send(1, 'ok', [0, 0], [1, 1], [2, 2]),
      poll(2, [0, 0], [1, 1]),
      rebalanced(poll(2, [0, 0], [2, 2]), 0),
    ],
    [],
  ],
  [
    'sent later, lies earlier',
    [send(1, 'ok', [0, 1]), send(1, 'ok', [1, 0]), poll(2, [0, 1], [1, 0])],
    ['nonmonotonic-send'],
  ],
  ['the same by two processes', [send(1, 'ok', [0, 1]), send(2, 'ok', [1, 0]), poll(3, [0, 1], [1, 0])], []],
  [
    'one operation sent in the wrong order',
    [send(1, 'ok', [0, 1], [1, 0]), poll(2, [0, 1], [1, 0])],
    ['int-nonmonotonic-send'],
  ],
  [
    "another's between two of one operation",
    [send(1, 'ok', [0, 0], [1, 2]), send(2, 'ok', [2, 1]), poll(3, [0, 0], [1, 2], [2, 1])],
    ['G0-write-cycle', 'G1c-with-writes', 'int-send-skip'],
  ],
  [
    'writes among each other',
    [
      txn(1, 'ok', [
        [0, 0],
        [1, 1, 1],
      ]),
      txn(2, 'ok', [
        [2, 1],
        [3, 0, 1],
      ]),
      poll(3, [0, 0], [1, 2], [0, 3, 1], [1, 1, 1]),
    ],
    ['G0-write-cycle', 'G1c-with-writes'],
  ],
  [
    'transactions read each other',
    [txn(1, 'ok', [[0, 0]], [[0, 1, 1]]), txn(2, 'ok', [[1, 0, 1]], [[0, 0]])],
    ['G1c-circular-reads', 'G1c-with-writes'].sort() as Anomaly[],
  ],
  [
    'a circle of three',
    [txn(1, 'ok', [[0, 0]], [[0, 2, 2]]), txn(2, 'ok', [[1, 0, 1]], [[0, 0]]), txn(3, 'ok', [[2, 0, 2]], [[0, 1, 1]])],
    ['G1c-circular-reads', 'G1c-with-writes'].sort() as Anomaly[],
  ],
  [
    'a chain is no circle',
    [
      txn(1, 'ok', [[0, 0]]),
      txn(2, 'ok', [[1, 0, 1]], [[0, 0]]),
      txn(3, 'ok', [[2, 0, 2]], [[0, 1, 1]]),
      poll(4, [0, 2, 2]),
    ],
    [],
  ],
]
for (const [what, ops, anomalies, caughtUp] of cases) {
  test(`${what}: ${anomalies.length === 0 ? 'nothing to find' : anomalies.join(', ')}`, () => {
    const expected = [...anomalies].sort()
    assert.deepEqual(found(ops, caughtUp).sort(), expected)
  })
}

test('a value sent twice makes no history', () => {
  assert.throws(() => check(history([send(1, 'ok', [0, 0]), send(1, 'ok', [0, 1])])), /sent twice/)
})

test('findings name place and process, and keep five examples at most', () => {
  const { findings } = check(history(Array.from({ length: 9 }, (_, i) => poll(1, [i, garbage]))))
  const finding = findings.get('garbage-read')
  assert.equal(finding?.count, 9)
  assert.equal(finding?.examples.length, 5)
  assert.match(findings.text(findings.faults()), /garbage-read x 9: .*\n {4}t\/0@0 read by process 1/)
})

const seeds = Array.from({ length: 60 }, (_, i) => `history-${i}`)
test(`${seeds.length} imagined clean histories have no anomaly`, () => {
  for (const seed of seeds) {
    const { findings, read } = check(modelHistory({ seed, ops: 400, keys: 3 }))
    assert.deepEqual(findings.faults(), [], `seed ${seed}:\n${findings.text(findings.faults())}`)
    assert.ok(read > 100, `seed ${seed} read ${read}`)
  }
})

for (const fault of faults) {
  test(`put into clean histories: ${fault.name}: found every time`, () => {
    let landed = 0
    for (const seed of seeds) {
      const broken = fault.put(modelHistory({ seed, ops: 400, keys: 3 }), randomStream(`${seed}/${fault.name}`))
      if (broken === null) continue
      landed++
      const names = check(broken).findings.faults()
      assert.ok(
        names.some((name) => fault.shows.includes(name)),
        `seed ${seed}: found ${names.join(', ') || 'nothing'}, not ${fault.shows.join(' or ')}`,
      )
    }
    assert.ok(landed > seeds.length / 2, `the fault landed ${landed} times`)
  })
}

test('200,000 operations are judged in one go', () => {
  const large = modelHistory({ seed: 'large', ops: 200_000, keys: 8 })
  const { findings, ops, read } = check(large)
  assert.deepEqual(findings.faults(), [])
  assert.ok(ops > 200_000 && read > 50_000, `${ops} ${read}`)
})
