// Tests of the limited log: lines pass up to the limit, the rest is counted, other messages are not touched.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limitedLog, type WriteLog } from './log-line.ts'

test('of a message that repeats a few lines pass, and the next one that passes tells how many did not', () => {
  let nowMs = 0
  const lines: string[] = []
  const write: WriteLog = (level, component, message, fields) =>
    lines.push(`${level} ${component} ${message} ${JSON.stringify(fields ?? {})}`)
  const log = limitedLog(write, () => nowMs, 2, 1000)
  for (let i = 0; i < 5; i++) log('warn', 'broker', 'closed', { i })
  log('info', 'broker', 'another')
  assert.deepEqual(lines, ['warn broker closed {"i":0}', 'warn broker closed {"i":1}', 'info broker another {}'])
  nowMs = 1000
  log('warn', 'broker', 'closed', { i: 5 })
  log('warn', 'broker', 'closed', { i: 6 })
  assert.deepEqual(lines.slice(3), ['warn broker closed {"i":5,"suppressed":3}', 'warn broker closed {"i":6}'])
})
