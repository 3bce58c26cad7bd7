// The rules of transactional ids, case by case: who gets which epoch, who is fenced, what a repeated request is told.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fencedIdentity, judgeEnd, judgeInit, judgeMember } from './judging.ts'
import { newTransaction, type Transaction, type TransactionState } from './transaction.ts'
import type { Identity } from './transaction-entry.ts'

const identity = (producerId: number, epoch: number, lastProducerId = -1, lastEpoch = -1): Identity => {
  return { producerId, epoch, lastProducerId, lastEpoch }
}
function at(state: TransactionState, is: Identity): Transaction {
  return { ...newTransaction('t'), state, identity: is }
}
const pending = (transaction: Transaction): Transaction => ({
  ...transaction,
  pending: { entry: { what: 'forgotten', id: 't' }, atMs: 0 },
})
const given = (epoch: number, producerId: number | null, lastProducerId = -1, lastEpoch = -1) => ({
  verdict: 'give' as const,
  identity: { producerId, epoch, lastProducerId, lastEpoch },
})
const refuse = (error: string) => ({ verdict: 'refuse' as const, error })
const claim = (producerId: number, epoch: number) => ({ producerId, epoch })

const inits = [
  ['nobody had the id', null, null, given(0, null)],
  ['nobody had the id, whatever the producer says', null, claim(7, 3), given(0, null)],
  ['a new instance', at('Empty', identity(5, 3, -1, 2)), null, given(4, 5)],
  ['a new instance after a commit', at('CompleteCommit', identity(5, 3)), null, given(4, 5)],
  ['the same one goes on', at('CompleteAbort', identity(5, 3)), claim(5, 3), given(4, 5, -1, 3)],
  ['it asks again: what it got', at('Empty', identity(5, 4, -1, 3)), claim(5, 3), given(4, 5, -1, 3)],
  ['it asks again, but another came', at('Empty', identity(5, 5)), claim(5, 3), refuse('PRODUCER_FENCED')],
  ['an older epoch', at('Empty', identity(5, 4, -1, 3)), claim(5, 2), refuse('PRODUCER_FENCED')],
  ['an epoch that is not yet', at('Empty', identity(5, 4, -1, 3)), claim(5, 5), refuse('PRODUCER_FENCED')],
  ['another producer', at('Empty', identity(5, 4)), claim(6, 4), refuse('PRODUCER_FENCED')],
  ['an open transaction', at('Ongoing', identity(5, 4)), null, { verdict: 'fence' }],
  ['its own open transaction', at('Ongoing', identity(5, 4)), claim(5, 4), { verdict: 'fence' }],
  ['a zombie disturbs nobody', at('Ongoing', identity(5, 4, -1, 3)), claim(5, 3), refuse('PRODUCER_FENCED')],
  ['something is on its way', pending(at('Empty', identity(5, 4))), null, refuse('CONCURRENT_TRANSACTIONS')],
  ['the last epoch but one', at('Empty', identity(5, 32_765)), null, given(32_766, 5)],
  ['epochs are used up', at('Empty', identity(5, 32_766)), null, given(0, null, 5)],
  ['used up, the same one', at('Empty', identity(5, 32_766)), claim(5, 32_766), given(0, null, 5, 32_766)],
  ['asked again after that', at('Empty', identity(6, 0, 5, 32_766)), claim(5, 32_766), given(0, 6, 5, 32_766)],
  ['fencing used them up', at('CompleteAbort', identity(5, 32_767, -1, 32_767)), null, given(0, null, 5)],
] as const
for (const [name, transaction, expected, verdict] of inits) {
  test(`InitProducerId: ${name}`, () => assert.deepEqual(judgeInit(transaction, expected), verdict))
}

const end = (epoch: number, producerId = 5) => ({ verdict: 'end', next: { ...identity(producerId, epoch) } })
const raised = (epoch: number, last: number, producerId: number | null = 5, lastProducerId = -1) => ({
  verdict: 'end',
  next: { producerId, epoch, lastProducerId, lastEpoch: last },
})
const done = { verdict: 'done' }
const ongoing = at('Ongoing', identity(5, 3))
const [empty, committed, aborted] = [
  at('Empty', identity(5, 3)),
  at('CompleteCommit', identity(5, 3)),
  at('CompleteAbort', identity(5, 3)),
]
/** Epoch that is claimed, commit, raises. */
const ends = [
  ['old client: commit', ongoing, [3, true, false], end(3)],
  ['old client: abort', ongoing, [3, false, false], end(3)],
  ['old client: commit again', committed, [3, true, false], done],
  ['old client: abort again', aborted, [3, false, false], done],
  ['old client: abort after a commit', committed, [3, false, false], refuse('INVALID_TXN_STATE')],
  ['old client: commit after an abort', aborted, [3, true, false], refuse('INVALID_TXN_STATE')],
  ['old client: nothing was begun', empty, [3, false, false], refuse('INVALID_TXN_STATE')],
  ['old client: an old epoch', ongoing, [2, true, false], refuse('PRODUCER_FENCED')],
  ['old client: while something is on its way', pending(ongoing), [3, true, false], refuse('CONCURRENT_TRANSACTIONS')],
  ['commit', ongoing, [3, true, true], raised(4, 3)],
  ['abort', ongoing, [3, false, true], raised(4, 3)],
  ['commit again', committed, [2, true, true], done],
  ['abort again', aborted, [2, false, true], done],
  ['the other outcome, asked afterwards', committed, [2, false, true], refuse('INVALID_TXN_STATE')],
  ['the other outcome, asked afterwards (2)', aborted, [2, true, true], refuse('INVALID_TXN_STATE')],
  ['abort of nothing', empty, [3, false, true], raised(4, 3)],
  ['abort of nothing after a commit', committed, [3, false, true], raised(4, 3)],
  ['commit of nothing', empty, [3, true, true], refuse('INVALID_TXN_STATE')],
  ['commit of nothing after a commit', committed, [3, true, true], refuse('INVALID_TXN_STATE')],
  ['an old epoch', ongoing, [2, true, true], refuse('PRODUCER_FENCED')],
  ['an old epoch, long after', committed, [1, true, true], refuse('PRODUCER_FENCED')],
  ['before anything: not a retry', empty, [2, false, true], refuse('PRODUCER_FENCED')],
  ['epochs are used up', at('Ongoing', identity(5, 32_766)), [32_766, true, true], raised(0, 32_766, null, 5)],
  ['asked again after that', at('CompleteCommit', identity(6, 0, 5, 32_766)), [32_766, true, true], done],
] as const
for (const [name, transaction, [epoch, commit, raises], verdict] of ends) {
  test(`EndTxn: ${name}`, () => {
    assert.deepEqual(judgeEnd(transaction, { producerId: 5, epoch, commit, raises }), verdict)
  })
}
test('EndTxn: who has no such id', () => {
  const asked = { producerId: 9, epoch: 3, commit: true, raises: true }
  assert.deepEqual(judgeEnd(null, asked), refuse('INVALID_PRODUCER_ID_MAPPING'))
  assert.deepEqual(judgeEnd(ongoing, asked), refuse('INVALID_PRODUCER_ID_MAPPING'))
})

test('after a fencing end no epoch of the producer fits: not its own, and no retry', () => {
  for (const epoch of [0, 3, 32_764, 32_765, 32_766, 32_767]) {
    const next = fencedIdentity(identity(5, epoch))
    assert.equal(next.producerId === null, epoch > 32_765, 'no room for two epochs')
    const fenced = at('CompleteAbort', { ...next, producerId: next.producerId ?? 6 })
    const error = next.producerId === null ? 'INVALID_PRODUCER_ID_MAPPING' : 'PRODUCER_FENCED'
    for (const commit of [true, false]) {
      for (const raises of [true, false]) {
        assert.deepEqual(judgeEnd(fenced, { producerId: 5, epoch, commit, raises }), refuse(error))
      }
    }
    assert.equal(judgeMember(fenced, claim(5, epoch)), error)
    assert.deepEqual(judgeInit(fenced, claim(5, epoch)), refuse('PRODUCER_FENCED'))
    assert.equal(judgeInit(fenced, null).verdict, 'give')
  }
})

test('members: the present epoch, and nothing on its way', () => {
  assert.equal(judgeMember(null, claim(5, 3)), 'INVALID_PRODUCER_ID_MAPPING')
  assert.equal(judgeMember(ongoing, claim(6, 3)), 'INVALID_PRODUCER_ID_MAPPING')
  assert.equal(judgeMember(ongoing, claim(5, 2)), 'PRODUCER_FENCED')
  assert.equal(judgeMember(ongoing, claim(5, 4)), 'PRODUCER_FENCED')
  assert.equal(judgeMember(ongoing, claim(5, 3)), 'NONE')
  assert.equal(judgeMember(empty, claim(5, 3)), 'NONE')
  assert.equal(judgeMember(pending(ongoing), claim(5, 3)), 'CONCURRENT_TRANSACTIONS')
})
