// When reports run by themselves, and which periods a backfill asks for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reports } from '../commerce/commerce.ts'
import { nextMs } from './report-schedule.ts'
import { periodsOf } from './reports.ts'

test('cron patterns are those of UTC, whatever the machine thinks', () => {
  const at = Date.UTC(2026, 2, 29, 0, 30)
  assert.equal(nextMs('5 * * * *', at), Date.UTC(2026, 2, 29, 1, 5))
  assert.equal(nextMs('20 3 * * *', at), Date.UTC(2026, 2, 29, 3, 20))
  assert.equal(nextMs('15 4 * * 1', at), Date.UTC(2026, 2, 30, 4, 15))
  for (const { name, schedule } of reports.values())
    if (schedule !== null) assert.ok(nextMs(schedule, at)! > at, `${name} never runs`)
})

test('periods of an interval: whole days, weeks from Monday, months; none twice', () => {
  const days = (name: string, from: number, to: number): string[] =>
    periodsOf(reports.get(name)!, { fromMs: from, toMs: to }).map(
      ({ fromMs, toMs }) =>
        `${new Date(fromMs).toISOString().slice(0, 10)}/${new Date(toMs).toISOString().slice(0, 10)}`,
    )
  assert.deepEqual(days('hourly-sales', Date.UTC(2026, 1, 27, 12), Date.UTC(2026, 2, 1)), [
    '2026-02-27/2026-02-28',
    '2026-02-28/2026-03-01',
  ])
  assert.deepEqual(days('inventory-turnover', Date.UTC(2026, 10, 21), Date.UTC(2026, 10, 24)), [
    '2026-11-16/2026-11-23',
    '2026-11-23/2026-11-30',
  ])
  assert.deepEqual(days('monthly-revenue', Date.UTC(2010, 11, 5), Date.UTC(2011, 1, 1)), [
    '2010-12-01/2011-01-01',
    '2011-01-01/2011-02-01',
  ])
  assert.equal(days('cohorts', 0, Date.UTC(2026, 0, 1)).length, 1)
})
