// Guesses in a row: the first are free, then they wait; each address by itself; not too many are remembered.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../../world/world.ts'
import { addressesMax, FailedLogins } from './failed-logins.ts'

function scene(limits = { freeMax: 3, eachMs: 100 }) {
  const time = { ms: 1_000 }
  const none = (): never => assert.fail('only the time is asked for')
  const clock: Clock = { monoMs: () => time.ms, nowMs: none, timer: none, sleep: none, soon: none }
  return { time, logins: new FailedLogins(clock, limits) }
}

test('some failures are free, each more waits, and time pays for them', () => {
  const { time, logins } = scene()
  assert.equal(logins.waitMs('a'), 0)
  for (let i = 0; i < 3; i++) logins.failed('a')
  assert.equal(logins.waitMs('a'), 0)
  logins.failed('a')
  logins.failed('a')
  assert.deepEqual([logins.waitMs('a'), logins.waitMs('b')], [200, 0])
  time.ms += 150
  assert.equal(logins.waitMs('a'), 50)
  time.ms += 50
  assert.equal(logins.waitMs('a'), 0)
  logins.failed('a')
  assert.equal(logins.waitMs('a'), 100)
  time.ms += 1_000
  for (let i = 0; i < 3; i++) logins.failed('a')
  assert.equal(logins.waitMs('a'), 0, 'all was paid for')
})

test('a flood of addresses: those who have paid are forgotten first, then the oldest', () => {
  const { time, logins } = scene()
  for (let i = 0; i < addressesMax; i++) logins.failed(`paid ${i}`)
  time.ms += 100
  for (let i = 0; i < 10; i++) logins.failed('busy')
  assert.equal(logins.size, 1)
  for (let i = 0; i < addressesMax + 5; i++) logins.failed(`new ${i}`)
  assert.equal(logins.size, addressesMax)
  assert.equal(logins.waitMs('busy'), 0, 'it was the oldest')
})
