// `npm run demo:orders [-- --seconds 60] [--output FILE]`: the orders pipeline end to end (O7). Starts broker, order
// processor, analytics and sink, generates orders for a minute, some of them wrong, waits until all is through, holds the
// file of metrics against a recomputation from the orders themselves, stops everything. The exit code tells.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openBroker } from '../src/broker/broker.ts'
import { orderProducts } from '../src/commerce/commerce.ts'
import { offset, partitionId } from '../src/std/units.ts'
import { recordSlots, recordsOf, walkRecords } from '../src/wire/record-batch.ts'
import { nodeWorld } from '../src/world/node.ts'

const main = fileURLToPath(new URL('../bin/millrace.mjs', import.meta.url))
const { values: given } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    output: { type: 'string', default: 'output/metrics.json' },
  },
})
const seconds = Number(given.seconds)
const output = resolve(given.output)
const work = mkdtempSync(join(tmpdir(), 'millrace-demo-'))
const dataDir = join(work, 'data')
const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** Wrong on purpose: the order processor rejects these. */
const wrong = Array.from({ length: 20 }, (_, i) => ({
  order_id: `order-wrong-${i}`,
  user_id: 'user-1',
  product_id: i % 2 === 0 ? 'prod-9' : 'prod-1',
  amount: i % 2 === 0 ? 10 : 0,
  timestamp: new Date().toISOString(),
}))

interface Order {
  readonly order_id: string
  readonly product_id: string
  readonly amount: number
  readonly timestamp: string
}
interface Totals {
  count: number
  cents: number
}

const problems: string[] = []
const check = (holds: boolean, what: string): void => {
  say(`${holds ? 'ok  ' : 'FAIL'}  ${what}`)
  if (!holds) problems.push(what)
}

function command(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
}
async function run(args: readonly string[]): Promise<string> {
  const child = command(args)
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  const code = await new Promise<number | null>((done) => child.on('close', done))
  if (code !== 0) throw new Error(`millrace ${args[0]} ended with ${code}`)
  return text
}
async function firstLine(child: ChildProcess): Promise<string> {
  let text = ''
  child.stdout?.setEncoding('utf8')
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk)
    if (text.includes('\n')) return text.slice(0, text.indexOf('\n'))
  }
  throw new Error('millrace start ended before it was ready')
}
const ask = async (url: string): Promise<Record<string, unknown>> =>
  (await (await fetch(`${url}/api/v1/orders`)).json()) as Record<string, unknown>

/** The orders as they lie in the topic: read with nothing of the pipeline. */
async function ordersIn(folder: string): Promise<Order[]> {
  const broker = await openBroker(nodeWorld(), { dataDir: folder, durability: 'power' })
  const found: Order[] = []
  const slots = recordSlots(1024)
  for (let partition = 0; partition < (broker.topic('orders')?.partitions ?? 0); partition++) {
    const { start, end } = broker.offsets('orders', partitionId(partition))
    for (let from: number = start; from < end; ) {
      const { batches, next } = await broker.readCommitted('orders', partitionId(partition), offset(from), 1 << 20)
      for (const batch of batches) {
        const records = recordsOf(batch)
        for (let at = records.start; at < records.end; ) {
          at = walkRecords(records.bytes, at, records.end, slots)
          for (let row = 0; row < slots.count; row++)
            found.push(
              JSON.parse(Buffer.from(records.bytes.subarray(slots.valueStart[row], slots.valueEnd[row])).toString()),
            )
        }
      }
      from = next
    }
  }
  await broker.close()
  return found
}
const keyOf = (start: number, product: string): string => `${start}/${product}`

async function checkOutput(folder: string): Promise<void> {
  const orders = await ordersIn(folder)
  const expected = new Map<string, Totals>()
  const seen = new Set<string>()
  let newestMs = 0
  for (const { order_id, product_id, amount, timestamp } of orders) {
    if (!(amount > 0) || !(product_id in orderProducts) || seen.has(order_id)) continue
    seen.add(order_id)
    newestMs = Math.max(newestMs, Date.parse(timestamp))
    const key = keyOf(Math.floor(Date.parse(timestamp) / 60_000) * 60, product_id)
    const totals = expected.get(key) ?? { count: 0, cents: 0 }
    totals.count++
    totals.cents += Math.round(amount * 100)
    expected.set(key, totals)
  }
  check(existsSync(output), `${output} is there`)
  const lines = readFileSync(output, 'utf8').split('\n')
  check(lines.pop() === '', 'its last line has an end')
  const rows = lines.map((line) => JSON.parse(line))
  const newest = new Map<string, (typeof rows)[number]>()
  for (const row of rows) newest.set(keyOf(row.window_start, row.product_id), row)
  check(newest.size === expected.size, `${newest.size} windows of products, ${expected.size} by the orders themselves`)
  let equal = 0
  for (const [key, { count, cents }] of expected) {
    const row = newest.get(key)
    if (
      row?.order_count === count &&
      Math.round(row.total_revenue * 100) === cents &&
      Math.round(row.avg_order_value * 100) === Math.round(cents / count) &&
      row.window_end === row.window_start + 60
    )
      equal++
    else problems.push(`${key}: ${JSON.stringify(row)} instead of ${count} orders, ${cents} cents`)
  }
  check(equal === expected.size, `${equal} of them equal to the cent`)
  // Behind the newest order by more than orders may come out of order: closed.
  const closed = [...newest.values()].filter(({ window_end }) => window_end * 1_000 <= newestMs - 10_000)
  check(
    closed.every(({ is_final }) => is_final === true),
    `${closed.length} closed windows are final`,
  )
  const revenue = [...expected.values()].reduce((sum, { cents }) => sum + cents, 0) / 100
  say(`      ${seen.size} valid orders of ${orders.length}, ${revenue.toFixed(2)} USD, ${rows.length} lines`)
}

rmSync(output, { force: true })
rmSync(`${output}.position`, { force: true })
const house = command([
  ...['start', '--no-generate', '--no-open', '--json', '--port', '0', '--kafka-port', '0'],
  ...['--data-dir', dataDir, '--metrics-file', output],
])
const ended = new Promise<number | null>((done) => house.on('close', done))
try {
  say('starting broker, order processor, analytics and sink')
  const { url, kafka } = JSON.parse(await firstLine(house))
  say(`generating orders for ${seconds} s`)
  const input = join(work, 'wrong.ndjson')
  writeFileSync(input, `${wrong.map((order) => JSON.stringify(order)).join('\n')}\n`)
  await run(['produce', 'orders', '--duration', `${seconds}s`, '--brokers', kafka, '--quiet'])
  await run(['produce', 'orders', '--input', input, '--brokers', kafka, '--quiet'])
  const endMs = Date.now() + 30_000
  let state = await ask(url)
  let lines = -1
  // Through, and the running rows of the last second written.
  while (Date.now() < endMs && (state.inFlight !== 0 || state.metricsLines !== lines)) {
    lines = Number(state.metricsLines)
    await new Promise((done) => setTimeout(done, 2_500))
    state = await ask(url)
  }
  const { received, processed, rejected, errorRate } = state
  say(`      ${received} orders, ${processed} processed, ${rejected} rejected`)
  check(Number(processed) >= seconds * 10, `10 to 50 orders a second: ${(Number(processed) / seconds).toFixed(1)}`)
  check(rejected === wrong.length, `all ${wrong.length} wrong orders were rejected, with their reasons`)
  check(Number(errorRate) < 0.001, `error rate ${Number(errorRate) * 100} % (below 0.1 %)`)
  const groups = await run(['groups', 'ls', '--brokers', kafka, '--json'])
  for (const group of ['order-processors', 'analytics-engine', 'data-sink'])
    check(groups.includes(`"${group}"`), `group ${group} is there`)
  const { imbalance } = JSON.parse(await run(['ledger', '--url', url, '--json']))
  check(imbalance === 0, 'the ledger balances')
  house.kill('SIGINT')
  // 130: it was told to by Ctrl-C, and did.
  check([0, 130].includes((await ended) ?? 0), 'everything stopped')
  await checkOutput(dataDir)
} catch (error) {
  problems.push(error instanceof Error ? error.message : String(error))
} finally {
  house.kill('SIGKILL')
  await ended
  rmSync(work, { recursive: true, force: true })
}
for (const problem of problems) process.stderr.write(`${problem}\n`)
say(problems.length === 0 ? 'The orders pipeline works.' : `${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
