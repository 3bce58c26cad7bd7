// Golden of every command's help, as users see it. After a wanted change: UPDATE_GOLDENS=1 npm test -- src/cli/help
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { commands } from './program.ts'
import { runCli } from './run-cli.suite.ts'

const golden = new URL('help.golden.txt', import.meta.url)
const divider = (line: string): string => `\n$ millrace ${line}\n`
const lines = [
  '--help',
  ...commands.map(({ name }) => `${name} --help`),
  'report run --help',
  'report ls --help',
  'doctor broker --help',
  'broker repair --help',
  'groups ls --help',
  'groups describe --help',
  'groups reset --help',
  'groups delete --help',
  'pipelines ls --help',
  'contracts ls --help',
  'contracts show --help',
  'contracts diff --help',
]

test('the help of every command, examples first', async () => {
  let seen = ''
  for (const line of lines) {
    const { code, stdout, stderr } = await runCli(line.split(' '))
    assert.equal(code, 0, `${line}: ${stderr}`)
    assert.equal(stderr, '', line)
    assert.ok(
      stdout.indexOf('Examples:') !== -1 && stdout.indexOf('Examples:') < stdout.indexOf('Usage:'),
      `${line} begins with examples`,
    )
    for (const text of stdout.split('\n')) assert.ok(text.length <= 80, `${line}: longer than 80: ${text}`)
    seen += divider(line) + stdout
  }
  if (process.env.UPDATE_GOLDENS) writeFileSync(golden, seen)
  assert.equal(seen, readFileSync(golden, 'utf8'))
})

test('millrace alone shows the same help', async () => {
  const [alone, asked] = await Promise.all([runCli([]), runCli(['--help'])])
  assert.equal(alone.code, 0)
  assert.equal(alone.stdout, asked.stdout)
})
