// Instants against the runtime's own Date over four centuries, and the text forms that are read or refused.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { civilFromDays, dateText, daysFromCivil, instantText, parseInstant } from './instant.ts'
import { randomStream } from './random.ts'

test('printing and reading agree with Date', () => {
  const random = randomStream('instants')
  for (let i = 0; i < 20_000; i++) {
    const ms = Math.floor((random.float() * 800 - 400) * 365.25 * 86_400_000)
    const text = new Date(ms).toISOString()
    assert.equal(instantText(ms, true), text)
    assert.equal(instantText(ms), `${text.slice(0, 19)}Z`)
    assert.equal(parseInstant(text), ms)
    const days = Math.floor(ms / 86_400_000)
    const { year, month, day } = civilFromDays(days)
    assert.equal(daysFromCivil(year, month, day), days)
    assert.equal(dateText(days), text.slice(0, 10))
  }
})

test('what is no instant is NaN', () => {
  const none = [
    '',
    '2026-01-01',
    '2026-13-01T00:00:00Z',
    '2026-02-30T00:00:00Z',
    '2026-01-01T00:00Z',
    '2026-01-01T00:00:00.Z',
  ]
  none.push(
    '2026-01-01T00:00:60Z',
    '2026-01-01T00:00:00Zx',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01X00:00:00Z',
    '20260101T000000Z',
  )
  for (const text of none) assert.ok(Number.isNaN(parseInstant(text)), text)
  assert.equal(parseInstant('2026-01-01 00:00:00+02'), Date.UTC(2025, 11, 31, 22))
})
