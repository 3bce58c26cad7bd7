// The inputs: as many records as asked for, the same file again for the same parameters, and a late file that holds the
// same sales, some of them later but none too late.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type InputKind, input } from './inputs.ts'

const dir = mkdtempSync(join(tmpdir(), 'millrace-bench-inputs-'))
after(() => rmSync(dir, { recursive: true, force: true }))
const records = 150_000

function lines(kind: InputKind): string[] {
  const said: string[] = []
  const made = input(dir, kind, records, (text) => said.push(text))
  const text = readFileSync(made.path, 'utf8')
  assert.equal(made.bytes, Buffer.byteLength(text))
  assert.equal(text.at(-1), '\n')
  const found = text.slice(0, -1).split('\n')
  assert.equal(found.length, records)
  return found
}

/** How far behind the newest before it each record is, ms. */
function delays(sales: readonly string[]): number[] {
  let newestMs = Number.NEGATIVE_INFINITY
  return sales.map((line) => {
    const eventMs = Date.parse(/"sale_date":"([^"]+)"/.exec(line)?.[1] ?? '')
    newestMs = Math.max(newestMs, eventMs)
    return newestMs - eventMs
  })
}

test('a file is made once and used again', () => {
  const said: string[] = []
  const first = input(dir, 'orders', 1_000, (text) => said.push(text))
  const again = input(dir, 'orders', 1_000, (text) => said.push(text))
  assert.deepEqual(again, first)
  assert.equal(said.length, 1)
})

test('files of an older generator are removed, other files are not', () => {
  const old = join(dir, 'orders-1000-0123456789.ndjson')
  const other = join(dir, 'orders-notes.txt')
  writeFileSync(old, '')
  writeFileSync(other, '')
  const kept = input(dir, 'orders', 1_000, () => {})
  input(dir, 'orders', 2_000, () => {})
  assert.deepEqual([old, other, kept.path].map(existsSync), [false, true, true])
})

test('the late file holds the same sales, one in a hundred between 5 s and 65 s later', () => {
  const punctual = lines('sales')
  const late = lines('sales-late')
  assert.ok(delays(punctual).every((ms) => ms <= 5_000))
  const delayed = delays(late).filter((ms) => ms > 5_000)
  assert.ok(delayed.length > records * 0.006 && delayed.length < records * 0.012, `${delayed.length} of ${records}`)
  // Bound 5 s and lateness 60 s: nothing may be beyond both.
  assert.ok(delayed.every((ms) => ms < 65_000))
  assert.deepEqual([...late].sort(), [...punctual].sort())
})
