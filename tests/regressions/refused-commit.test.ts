// A commit that the log refused (a full disk, for a moment) took its outputs with it: the job then committed its cursor
// alone on its way out, and the rows, late records and dead letters of the refused commit were lost for ever.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allFlows } from '../flows/flow-file.ts'
import { takeRide, takeWhole } from '../flows/suite.ts'

for (const name of ['late-is-corrected-once-per-tick', 'plans-over-two-sources', 'crash-with-a-snapshot'])
  test(`each commit of ${name} refused once`, async () => {
    const flow = allFlows().find((one) => one.name === name)
    assert.ok(flow !== undefined)
    const whole = await takeWhole(flow)
    for (let at = 1; at <= whole.commits; at++)
      for (const ride of [`refuse:${at}`, `snapshots+refuse:${at}`])
        assert.ok((await takeRide(flow, ride, whole)).harmed, ride)
  })
