// Every row of the requirements' first three parts has a test of the whole house that names it.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const tests = fileURLToPath(new URL('..', import.meta.url))
const upTo = (letter: string, last: number): string[] => Array.from({ length: last }, (_, i) => `${letter}${i + 1}`)
/** Events and topics, real-time analytics, data quality. D6 belongs to the stores. */
const wanted = [
  ...upTo('W', 9),
  ...upTo('O', 7),
  ...upTo('M', 5),
  'M9',
  ...upTo('E', 7),
  ...upTo('D', 5),
  ...['D7', 'D8'],
  ...upTo('Q', 5),
]

/** `O2, O4: …`, `W3 to W6: …`: the codes that a test's name begins with. */
function codesOf(name: string): string[] {
  const [head = ''] = name.split(':')
  if (!/^[WOMEDQ]\d+(?:(?:, | to | and )[WOMEDQ]\d+)*$/.test(head)) return []
  const codes = [...head.matchAll(/([WOMEDQ])(\d+)(?: to \1(\d+))?/g)]
  return codes.flatMap(([, letter, first, last]) =>
    Array.from({ length: Number(last ?? first) - Number(first) + 1 }, (_, i) => `${letter}${Number(first) + i}`),
  )
}

test('every row of events, analytics and quality has a test of the whole house', () => {
  const found = new Map<string, string>()
  for (const file of readdirSync(tests, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.test.ts')) continue
    const text = readFileSync(join(tests, file), 'utf8')
    for (const [, name = ''] of text.matchAll(/\btest\(\s*['`"](.+?)['`"],/g))
      for (const code of codesOf(name)) found.set(code, file)
  }
  assert.deepEqual(
    wanted.filter((code) => !found.has(code)),
    [],
    'rows without a test',
  )
})

test('codes are read from the beginning of a name', () => {
  assert.deepEqual(codesOf('W3 to W6: a spike'), ['W3', 'W4', 'W5', 'W6'])
  assert.deepEqual(codesOf('O2, O4, Q1: orders'), ['O2', 'O4', 'Q1'])
  assert.deepEqual(codesOf('the O2 of somebody: else'), [])
})
