// The agenda does things in the order of their times, equal times in the order they were put in.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomStream } from '../std/random.ts'
import { Agenda } from './agenda.ts'

test('a thousand things, some put in while others are done, come out in order', () => {
  const seed = 'agenda'
  const random = randomStream(seed)
  const agenda = new Agenda<readonly [number, number][]>()
  const done: [atMs: number, order: number][] = []
  let order = 0
  const put = (atMs: number): void => {
    const mine = order++
    agenda.put(atMs, (_sink, nowMs) => {
      assert.equal(nowMs, atMs)
      done.push([nowMs, mine])
      if (order < 1_000) put(nowMs + random.below(50))
      return mine % 2 === 0
    })
  }
  for (let i = 0; i < 200; i++) put(random.below(100))
  assert.equal(agenda.size, 200)
  while (agenda.size > 0) {
    const nextMs = agenda.nextMs
    const told = agenda.step(done)
    assert.deepEqual([done.at(-1)![0], told], [nextMs, done.at(-1)![1] % 2 === 0])
  }
  assert.equal(done.length, 1_000)
  const sorted = [...done].sort(([a, i], [b, j]) => a - b || i - j)
  assert.deepEqual(done, sorted, `seed ${seed}`)
  assert.equal(agenda.nextMs, Number.POSITIVE_INFINITY)
  assert.equal(agenda.step(done), false)
})
