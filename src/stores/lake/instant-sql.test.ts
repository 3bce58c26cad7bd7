// Times as text: DuckDB reads the same instants as the engine, and refuses the same texts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { duckRows } from '../../../tests/flows/duckdb.ts'
import { parseInstant } from '../../std/instant.ts'
import { randomStream } from '../../std/random.ts'
import { instantSql } from './instant-sql.ts'
import { text } from './sql-text.ts'

const named = [
  '2026-01-31T12:00:00.123Z',
  '2026-01-31T24:00:00.000Z',
  '2026-01-31T23:59:60.000Z',
  '2026-02-30T00:00:00.000Z',
  '2024-02-29T00:00:00.000Z',
  '2026-01-31T12:00:00.12 Z',
  '2026-01-31T12:00:00.1234567899Z',
  '2026-01-31T12:00:00.9999999',
  '2026-01-31t12:00:00,5z',
  '2026-01-31 12:00:00',
  '2026-01-31T12:00:00+05:30',
  '2026-01-31T12:00:00-0530',
  '2026-01-31T12:00:00+14',
  '2026-01-31T12:00:00-00:45',
  '2026-01-31T12:00:00.5+23:59',
  '2026-01-31T12:00:00+24:00',
  '2026-01-31T12:00:00+05:60',
  '2026-01-31T12:00:00+5:30',
  '2026-01-31T12:00:00 UTC',
  '2026-01-31T12:00:00 Europe/Berlin',
  '2026-01-31T12:00:00.',
  '2026-01-31',
  '2026-1-31T12:00:00Z',
  '1969-12-31T23:59:59.999Z',
  '1901-01-01T00:00:00.001+01:00',
  '0000-03-01T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  'infinity',
  'epoch',
  'now',
  '',
]

test('the same instants as the engine, whatever the text', async () => {
  const seed = process.env.MILLRACE_SEED ?? '1'
  const random = randomStream(`instants/${seed}`)
  const letters = [...'0123456789-:.,TtZz+ ']
  const mutated = Array.from({ length: 3000 }, () => {
    const from = [...(named[random.below(named.length)] ?? '')]
    for (let i = 0; i <= random.below(2); i++) {
      const letter = letters[random.below(letters.length)] ?? '0'
      from.splice(
        random.below(from.length + 1),
        random.below(3) === 0 ? 0 : 1,
        ...(random.below(4) === 0 ? [] : [letter]),
      )
    }
    return from.join('')
  })
  const texts = [...new Set([...named, ...mutated])]
  const rows = await duckRows(
    `SELECT t, ${instantSql('t')} AS ms FROM (VALUES ${texts.map((one, i) => `(${i}, ${text(one)})`).join(', ')}) AS given(i, t) ORDER BY i`,
  )
  assert.equal(rows.length, texts.length)
  for (const { t, ms } of rows) {
    const expected = parseInstant(String(t))
    const replay = `replay: MILLRACE_SEED=${seed} node --test src/stores/lake/instant-sql.test.ts`
    assert.equal(
      ms === null ? null : Number(ms),
      Number.isNaN(expected) ? null : expected,
      `${JSON.stringify(t)}; ${replay}`,
    )
  }
})
