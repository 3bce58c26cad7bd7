// What a process has used is told, and grows with what it does.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { processorMsOf } from './processor.ts'

test('processor time of a process; null for one that is not there', (t) => {
  if (!existsSync('/proc/self/stat')) return t.skip('no /proc here')
  const before = processorMsOf(process.pid)
  assert.ok(before !== null)
  const { user, system } = process.cpuUsage()
  assert.ok(Math.abs(before - (user + system) / 1000) < 200)
  const from = process.cpuUsage()
  for (let used = 0; used < 60_000; ) used = process.cpuUsage(from).user
  assert.ok(processorMsOf(process.pid)! >= before + 40)
  assert.equal(processorMsOf(2 ** 30), null)
})
