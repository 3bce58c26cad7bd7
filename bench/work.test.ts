// The Plan whose slide is varied must be the shop's own, or growth would be measured on something else.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { salesWindowSliding, workOf } from './work.ts'

test('with a slide of one second it is the sales-window of the shop', () => {
  assert.deepEqual(salesWindowSliding(1), workOf('sales-window').plan)
})
