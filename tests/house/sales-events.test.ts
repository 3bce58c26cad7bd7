// W3 to W6 through the whole house: a spike of sales becomes one event with its reasons, on the API, the command line and
// its topic; after a kill -9 it is there once, as it was.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type Running, runCli, startCli } from '../../src/cli/run-cli.suite.ts'
import { sellers } from '../../src/generate/generate.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-events-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const dataDir = join(folder, 'data')
const flags = ['--port', '0', '--kafka-port', '0', '--json', '--no-open', '--no-generate', '--data-dir', dataDir]

/** Ninety minutes up to now: each seller sells one thing a minute, and three in the last twenty. */
function spikeLines(nowMs: number): string {
  const lines: string[] = []
  for (let minute = -90; minute < 0; minute++)
    for (let i = 0; i < (minute >= -20 ? 3 : 1); i++)
      sellers.forEach(({ name }, s) => {
        const at = new Date(nowMs + minute * 60_000 + s * 3_000 + i * 900).toISOString()
        const sale = { id_sale: `${minute}/${s}/${i}`, id_product: 'P1', nm_category: 'Books', seller: name, price: 40 }
        lines.push(JSON.stringify({ ...sale, quantity: 1, sale_date: at }))
      })
  return `${lines.join('\n')}\n`
}
async function started(): Promise<{ readonly running: Running; readonly url: string; readonly kafka: string }> {
  const running = startCli(['start', ...flags])
  const { url, kafka } = JSON.parse(await running.firstLine)
  return { running, url, kafka }
}
interface Told {
  readonly id: string
  readonly updatedAt: string
  readonly kind: string
  readonly direction: string
  readonly of: unknown
  readonly growth: number
  readonly sentence: string
}
const eventsAt = async (url: string): Promise<readonly Told[]> =>
  (await (await fetch(`${url}/api/v1/sales-events`)).json()).events
async function untilThere(url: string): Promise<readonly Told[]> {
  for (let tries = 0; tries < 300; tries++) {
    const events = await eventsAt(url)
    if (events.length > 0) return events
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  assert.fail('no event within 30 s')
}
async function recordsOf(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text()
  const end = /^kafka_topic_partition_current_offset\{topic="sales-events",partition="0"\} (\d+)/m.exec(metrics)
  return Number(end?.[1] ?? Number.NaN)
}

test('W3 to W6: a spike is one event, with who and what to do, and survives kill -9', async () => {
  const input = join(folder, 'sales.ndjson')
  writeFileSync(input, spikeLines(Math.floor(Date.now() / 60_000) * 60_000))
  const first = await started()
  const sent = await runCli(['produce', 'sales', '--input', input, '--brokers', first.kafka])
  assert.equal(sent.code, 0, sent.stderr)
  const events = await untilThere(first.url)
  assert.equal(events.length, 1, JSON.stringify(events))
  const [event] = events
  assert.ok(event)
  assert.deepEqual([event.kind, event.direction, event.of], ['volume', 'up', null])
  assert.ok(event.growth > 0.5, String(event.growth))
  assert.match(event.sentence, /^ACTIVITY SPIKE: .*Active sellers: 16\/16 .*Top category: Books \(100%\)$/)

  const listed = await runCli(['alerts', 'ls', '--url', first.url, '--json'])
  assert.equal(listed.code, 0, listed.stderr)
  assert.deepEqual(
    JSON.parse(listed.stdout).map(({ id }: { id: string }) => id),
    [event.id],
  )
  const why = await runCli(['alerts', 'explain', 'volume/all/up', '--url', first.url])
  assert.equal(why.code, 0, why.stderr)
  assert.match(why.stdout, /ACTIVITY SPIKE[\s\S]*is usual[\s\S]*what to do +Check/)
  assert.equal((await runCli(['alerts', 'explain', 'nothing', '--url', first.url])).code, 4)

  const told = await recordsOf(first.url)
  assert.ok(told >= 1)
  const before = await eventsAt(first.url)
  first.running.kill('SIGKILL')
  await first.running.ended
  const second = await started()
  const again = await untilThere(second.url)
  assert.equal(again.length, 1)
  assert.equal(again[0]?.id, event.id)
  assert.ok(Date.parse(again[0]!.updatedAt) >= Date.parse(before[0]!.updatedAt))
  // What was told before is not told again: only what happened meanwhile may have come.
  const more = (await recordsOf(second.url)) - told
  assert.ok(more <= (Date.parse(again[0]!.updatedAt) - Date.parse(before[0]!.updatedAt)) / 60_000, String(more))
  second.running.kill('SIGINT')
  await second.running.ended
})
