// Sets of small numbers against the runtime's own.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomStream } from '../std/random.ts'
import { MemberSet, MemberSets } from './member-set.ts'

const seed = process.env.MILLRACE_SEED ?? 'member-set'

test('members, their order and their lookup are those of a Set, used once or again', () => {
  const random = randomStream(seed)
  const set = new MemberSet()
  for (let use = 0; use < 40; use++) {
    const real = new Set<number>()
    const below = 1 + random.below([8, 600, 20_000, 3_000_000][use % 4]!)
    for (let i = 0; i < random.below(3_000); i++) {
      const value = random.below(below)
      assert.equal(set.add(value), !real.has(value), `seed ${seed}: adding ${value}`)
      real.add(value)
    }
    assert.deepEqual([...set.members.subarray(0, set.count)], [...real], `seed ${seed}`)
    for (let i = 0; i < 200; i++) {
      const value = random.below(below + 700)
      assert.equal(set.has(value), real.has(value), `seed ${seed}: looking for ${value}`)
    }
    for (const value of real) assert.ok(value < set.span)
    set.clear()
    assert.equal(set.count, 0)
  }
})

test('slots are found, emptied and counted; what is given back is used again', () => {
  const sets = new MemberSets()
  assert.equal(sets.find(3), undefined)
  sets.at(3).add(7)
  sets.at(0).add(9)
  assert.deepEqual(sets.slots(), [0, 3])
  const before = sets.at(3)
  sets.drop(3)
  assert.equal(sets.find(3), undefined)
  assert.equal(sets.at(5), before)
  assert.equal(sets.at(5).count, 0)
  assert.ok(sets.bytes > 0)
})
