// Tests of the log on stderr: JSON for programs, lines for people, levels, and a wrong setting named.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CommandError } from './errors.ts'
import { logLines } from './log-lines.ts'
import { output } from './output.ts'
import { startCli } from './run-cli.suite.ts'

function people(env: NodeJS.ProcessEnv) {
  const said: string[] = []
  const sink = { write: (text: string) => said.push(text) }
  const out = output({}, { stdout: sink, stderr: sink, env: { TERM: 'dumb' }, nowMs: () => 0 })
  return { said, log: logLines(out, env, true) }
}

test('at a terminal only what people should not miss, without what a terminal would obey', async () => {
  const { said, log } = people({})
  const write = await log
  write('info', 'broker', 'listening', { port: 9092 })
  write('warn', 'broker', 'closed a connection', { remote: '\u001b[31mred', waitedMs: 5, nothing: undefined })
  assert.deepEqual(said, ['warn broker: closed a connection remote=red waitedMs=5\n'])
})

test('LOG_LEVEL lets more or nothing through; a level that is none is named', async () => {
  const all = people({ LOG_LEVEL: 'debug' })
  ;(await all.log)('debug', 'groups', 'rebalanced')
  assert.equal(all.said.length, 1)
  const none = people({ LOG_LEVEL: 'silent' })
  ;(await none.log)('error', 'broker', 'failed')
  assert.equal(none.said.length, 0)
  await assert.rejects(people({ LOG_LEVEL: 'loud' }).log, CommandError)
})

test('a broker without a terminal logs JSON lines: opened, listening, closed', async () => {
  const broker = startCli(['broker', '--ephemeral', '--kafka-port', '0', '--json'])
  await broker.firstLine
  broker.kill('SIGTERM')
  const { stderr } = await broker.ended
  const lines = stderr
    .trim()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line): Record<string, unknown> => JSON.parse(line))
  assert.deepEqual(
    lines.map(({ level, component, msg }) => [level, component, msg]),
    [
      [30, 'broker', 'opened'],
      [30, 'broker', 'listening'],
      [30, 'broker', 'closed'],
    ],
  )
  assert.equal(lines[0]?.topics, 0)
  assert.ok(typeof lines[0]?.time === 'number')
})
