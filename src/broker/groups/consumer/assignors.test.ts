// The assignors: each partition to one of its readers, evenly, and as few moves as can be.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomStream } from '../../../std/random.ts'
import { type Assign, assignors, type Subscriber } from './assignors.ts'
import { countParts, eachPart, noParts, type Parts } from './parts.ts'

const assignor = (name: string): Assign => assignors.get(name)!
const reader = (id: string, topics: readonly string[], before: Parts = noParts, instanceId: string | null = null) => ({
  id,
  instanceId,
  topics: new Set(topics),
  before,
})
const text = (parts: Parts | undefined): string =>
  [...eachPart(parts ?? noParts)]
    .map((part) => part.join(''))
    .sort()
    .join(' ')
function check(
  subscribers: readonly Subscriber[],
  topics: ReadonlyMap<string, number>,
  made: Map<string, Parts>,
): void {
  const owners = new Map<string, string>()
  for (const [id, parts] of made) {
    const { topics: read } = subscribers.find((each) => each.id === id)!
    for (const [topic, partition] of eachPart(parts)) {
      assert.ok(read.has(topic) && partition < topics.get(topic)!)
      assert.ok(!owners.has(`${topic}/${partition}`))
      owners.set(`${topic}/${partition}`, id)
    }
  }
  for (const [topic, partitions] of topics) {
    if (!subscribers.some((each) => each.topics.has(topic))) continue
    for (let partition = 0; partition < partitions; partition++) assert.ok(owners.has(`${topic}/${partition}`))
  }
}

test('range: stretches of each topic, in the order of names, static members by theirs', () => {
  const topics = new Map([
    ['a', 5],
    ['b', 5],
  ])
  const made = assignor('range')([reader('z', ['a', 'b']), reader('y', ['a', 'b']), reader('x', ['b'])], topics)
  assert.equal(text(made.get('x')), 'b0 b1')
  assert.equal(text(made.get('y')), 'a0 a1 a2 b2 b3')
  assert.equal(text(made.get('z')), 'a3 a4 b4')
  const named = assignor('range')([reader('a', ['a']), reader('z', ['a'], noParts, '0')], topics)
  assert.equal(text(named.get('z')), 'a0 a1 a2')
})

test('uniform: members that come and go move no more than they must', () => {
  const topics = new Map([
    ['a', 4],
    ['b', 3],
  ])
  const uniform = assignor('uniform')
  const alone = uniform([reader('x', ['a', 'b'])], topics)
  assert.equal(countParts(alone.get('x')!), 7)
  const two = uniform([reader('x', ['a', 'b'], alone.get('x')!), reader('y', ['a', 'b'])], topics)
  assert.deepEqual([countParts(two.get('x')!), countParts(two.get('y')!)], [4, 3])
  for (const [topic, partition] of eachPart(two.get('x')!)) assert.ok(alone.get('x')!.get(topic)!.has(partition))
  // One more partition goes to who has less; nothing else moves.
  const grown = uniform(
    [reader('x', ['a', 'b'], two.get('x')!), reader('y', ['a', 'b'], two.get('y')!)],
    new Map([...topics, ['b', 4]]),
  )
  assert.equal(text(grown.get('x')), text(two.get('x')))
  assert.equal(text(grown.get('y')), `${text(two.get('y'))} b3`)
  const left = uniform([reader('y', ['a', 'b'], two.get('y')!)], topics)
  assert.equal(countParts(left.get('y')!), 7)
  assert.deepEqual(uniform([], topics), new Map())
  assert.equal(text(uniform([reader('x', ['gone'])], new Map()).get('x')), '')
})

test('uniform: readers of different topics, as even as single moves make it', () => {
  const topics = new Map([
    ['a', 6],
    ['b', 2],
  ])
  const made = assignor('uniform')([reader('x', ['a']), reader('y', ['a', 'b']), reader('z', ['b'])], topics)
  check([reader('x', ['a']), reader('y', ['a', 'b']), reader('z', ['b'])], topics, made)
  assert.deepEqual(
    ['x', 'y', 'z'].map((id) => countParts(made.get(id)!)),
    [3, 3, 2],
  )
})

test('random groups: whole, evenly where all read the same, and stable when nothing changes', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = randomStream(`assignors ${seed}`)
    const topics = new Map(Array.from({ length: 1 + random.below(4) }, (_, i) => [`t${i}`, random.below(8)] as const))
    const alike = random.below(2) === 0
    const read = (): string[] => [...topics.keys()].filter(() => alike || random.below(2) === 0)
    let subscribers: Subscriber[] = Array.from({ length: 1 + random.below(6) }, (_, i) => reader(`m${i}`, read()))
    for (const [name, assign] of assignors) {
      const first = assign(subscribers, topics)
      check(subscribers, topics, first)
      if (name !== 'uniform') continue
      const counts = subscribers.map(({ id }) => countParts(first.get(id) ?? noParts))
      if (alike) assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, `seed ${seed}: ${counts}`)
      subscribers = subscribers.map((each) => ({ ...each, before: first.get(each.id) ?? noParts }))
      const again = assign(subscribers, topics)
      for (const { id } of subscribers) assert.equal(text(again.get(id)), text(first.get(id)), `seed ${seed}`)
      const fewer = subscribers.slice(1)
      check(fewer, topics, assign(fewer, topics))
    }
  }
})
