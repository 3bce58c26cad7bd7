// The transactions of one partition against a plain list of them: what is open, what was aborted where, what is captured.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomStream } from '../../std/random.ts'
import { type AbortedTransaction, PartitionTransactions } from './partition-transactions.ts'

test('aborted transactions, of all lengths and one within the other, are found by any range, after a restart too', () => {
  for (let seed = 0; seed < 40; seed++) {
    const random = randomStream(`aborted ${seed}`)
    const told = `seed ${seed}`
    let transactions = new PartitionTransactions()
    let aborted: AbortedTransaction[] = []
    const open = new Map<number, number>()
    let end = 0
    let start = 0
    let found = 0
    for (let step = 0; step < 400; step++) {
      const producerId = random.below(6)
      const firstOffset = open.get(producerId)
      const dice = random.below(20)
      if (dice === 0) {
        start = Math.max(start, end - random.below(60))
        transactions.forgetBelow(start)
        aborted = aborted.filter(({ lastOffset }) => lastOffset >= start)
      } else if (dice === 1) {
        const captured = transactions.capture()
        transactions = new PartitionTransactions()
        if (captured !== null) transactions.restore(JSON.parse(JSON.stringify(captured)))
      } else if (firstOffset === undefined) {
        transactions.wrote(producerId, end)
        open.set(producerId, end)
      } else if (dice < 12) {
        const commit = dice < 5
        transactions.ending(producerId, commit, end)
        transactions.ended(producerId)
        open.delete(producerId)
        if (!commit) aborted.push({ producerId, firstOffset, lastOffset: end })
      } else transactions.wrote(producerId, end)
      end += 1 + random.below(3)
      const from = start + random.below(Math.max(1, end - start))
      const to = from + random.below(40)
      const expected = aborted.filter((each) => each.lastOffset >= from && each.firstOffset < to)
      found += expected.length
      assert.deepEqual(transactions.abortedIn(from, to), expected, `${told}: from ${from} to ${to}`)
      const first = Math.min(end, ...open.values())
      assert.equal(transactions.stableEnd(start, end), Math.max(start, first), told)
    }
    assert.ok(found > 0, told)
  }
})
