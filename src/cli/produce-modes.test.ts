// Profiles and clocks of generated traffic: names, speeds, and a fast clock that never runs ahead of the real one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CommandError } from './errors.ts'
import { parseProfile, parseSpeed, parseStartTime, shopClock } from './produce-modes.ts'

const now = Date.UTC(2026, 0, 5, 12)
const hour = 3_600_000

test('names of profiles and speeds; what is none says so', () => {
  assert.deepEqual(['default', 'documents', 'realistic'].map(parseProfile), ['documents', 'documents', 'realistic'])
  assert.deepEqual(['1', '60', '2.5x', 'max'].map(parseSpeed), [1, 60, 2.5, Number.POSITIVE_INFINITY])
  for (const text of ['0', '-1', 'fast', '', '0.5', '10000000'])
    assert.throws(() => parseSpeed(text), CommandError, text)
  assert.throws(() => parseProfile('real'), CommandError)
  assert.equal(parseStartTime(now)('2026-01-05T11:00:00Z'), now - hour)
  for (const text of ['2026-01-05T13:00:00Z', 'yesterday']) assert.throws(() => parseStartTime(now)(text), CommandError)
})

test('M8: a fast clock lives faster until it has caught up with the present', () => {
  const none = { startMs: undefined, speed: undefined, durationMs: undefined }
  const real = shopClock(now, none)
  assert.deepEqual([real.startMs, real.at(now + 5)], [now, now + 5])
  const fast = shopClock(now, { ...none, speed: 60, durationMs: 2 * hour })
  assert.equal(fast.startMs, now - 2 * hour)
  assert.equal(fast.at(now), now - 2 * hour)
  assert.equal(fast.at(now + 60_000), now - hour)
  assert.equal(fast.at(now + hour), now + hour)
  const asFast = shopClock(now, { ...none, startMs: now - 24 * hour })
  assert.deepEqual([asFast.startMs, asFast.at(now)], [now - 24 * hour, now])
})
