// Tests of lines out of portions of bytes: the same lines however the bytes are cut.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CommandError } from './errors.ts'
import { lineBytesMax, linesOf } from './lines.ts'

async function linesIn(portions: readonly Buffer[]): Promise<string[]> {
  const lines: string[] = []
  for await (const line of linesOf(
    'test',
    (async function* () {
      yield* portions
    })(),
  ))
    lines.push(line.toString('utf8'))
  return lines
}

test('blank lines are left out, line ends of both kinds taken off, the last line needs none', async () => {
  const bytes = Buffer.from('{"a":1}\r\n\n  \n é \n{"b":2}')
  for (let portionBytes = 1; portionBytes <= bytes.length; portionBytes++) {
    const portions = Array.from({ length: Math.ceil(bytes.length / portionBytes) }, (_, i) =>
      bytes.subarray(i * portionBytes, (i + 1) * portionBytes),
    )
    assert.deepEqual(await linesIn(portions), ['{"a":1}', ' é ', '{"b":2}'], `portions of ${portionBytes}`)
  }
  assert.deepEqual(await linesIn([]), [])
})

test('a line of the limit passes, one byte more is refused by its number', async () => {
  const longest = Buffer.alloc(lineBytesMax, 'x')
  assert.equal((await linesIn([Buffer.from('a\n'), longest, Buffer.from('\n')]))[1]?.length, lineBytesMax)
  const tooLong = (error: unknown): boolean =>
    error instanceof CommandError && error.explanation.where === 'test, line 2'
  await assert.rejects(linesIn([Buffer.from('a\n'), longest, Buffer.from('x\n')]), tooLong)
  await assert.rejects(linesIn([Buffer.from('a\n'), longest, Buffer.from('x')]), tooLong)
})
