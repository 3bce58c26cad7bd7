// The order that a follower keeps between commits: cut where commits are, forgotten behind them, and never made up.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Positions } from './positions.ts'
import { Route, runsMax } from './route.ts'

const [a, b] = ['AQEBAQEBAQEBAQEBAQEBAQ', 'AgICAgICAgICAgICAgICAg']
const at = (...places: readonly (readonly [id: string, partition: number, offset: number])[]): Positions => {
  const positions = new Positions()
  for (const place of places) positions.set(...place)
  return positions
}

test('runs of a partition grow; a commit in the middle of one cuts it', () => {
  const route = new Route()
  route.went(a, 0, 0, 3)
  route.went(a, 0, 3, 5)
  route.went(b, 1, 0, 2)
  route.went(a, 0, 5, 9)
  route.went('t', 0, 0, 4)
  const end = at([a, 0, 9], [b, 1, 2], ['t', 0, 4])
  const middle = at([a, 0, 7], [b, 1, 2])
  assert.deepEqual(route.between(at(), middle), [
    { id: a, partition: 0, from: 0, to: 5 },
    { id: b, partition: 1, from: 0, to: 2 },
    { id: a, partition: 0, from: 5, to: 7 },
  ])
  const rest = [
    { id: a, partition: 0, from: 7, to: 9 },
    { id: 't', partition: 0, from: 0, to: 4 },
  ]
  assert.deepEqual(route.between(middle, end), rest)
  route.forget(middle)
  assert.deepEqual(route.between(middle, end), rest)
  assert.deepEqual(route.between(end, end), [])
})

test('places that were not on the way are not explained', () => {
  const route = new Route()
  route.went(a, 0, 0, 3)
  assert.equal(route.between(at(), at([a, 0, 4])), null, 'further than it went')
  assert.equal(route.between(at(), at([a, 0, 3], [b, 0, 1])), null, 'another partition')
  assert.equal(route.between(at(), at([a, 0, 3], ['t', 0, 1])), null, 'a tick that was not handed out')
})

test('who never commits is not kept for ever, and is known for it', () => {
  const route = new Route()
  for (let i = 0; i <= runsMax; i++) route.went(a, i % 2, i, i + 1)
  assert.equal(route.isWhole, false)
  assert.equal(route.between(at(), at([a, 0, 1])), null)
})
