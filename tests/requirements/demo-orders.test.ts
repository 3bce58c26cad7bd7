// O7: the end-to-end script of the orders pipeline, in a few seconds instead of sixty; without its output it says no.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const folder = mkdtempSync(join(tmpdir(), 'millrace-demo-test-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const script = fileURLToPath(new URL('../../tools/demo-orders.ts', import.meta.url))

async function demo(args: readonly string[]): Promise<{ readonly code: number | null; readonly text: string }> {
  const env: NodeJS.ProcessEnv = { ...process.env, FORCE_COLOR: '0' }
  delete env.NODE_TEST_CONTEXT
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  const code = await new Promise<number | null>((done) => child.on('close', done))
  return { code, text }
}

test('O7: one script starts everything, checks the file of metrics against the orders themselves, and stops everything', async () => {
  const output = join(folder, 'output', 'metrics.json')
  const { code, text } = await demo(['--seconds', '4', '--output', output])
  assert.equal(code, 0, text)
  assert.match(text, /The orders pipeline works\./)
  for (const line of readFileSync(output, 'utf8').trim().split('\n')) assert.ok(JSON.parse(line).product_name)
})

test('O7: where the file cannot be written the exit code says so', async () => {
  const { code, text } = await demo(['--seconds', '1', '--output', join(script, 'metrics.json')])
  assert.equal(code, 1, text)
})
