// The whole process killed with SIGKILL again and again under load: what was acknowledged is there once, and the window
// figures equal a naive recomputation over the log, each committed once.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { randomStream } from '../../src/std/random.ts'
import { ackedProducer } from './acked-producer.ts'
import { kcatIsThere, readTopic } from './kcat.ts'
import { type MillraceProcess, startMillrace } from './process.ts'
import { cents, windowsByEnd } from './sales-oracle.ts'

const kills = Number(process.env.MILLRACE_KILLS ?? 20)
const seed = process.env.MILLRACE_SEED ?? String(Date.now())
const missing = kcatIsThere() ? false : 'kcat is not installed (Debian: apt-get install kcat)'

test(`${kills} kills under load lose and double nothing`, { skip: missing, timeout: 300_000 }, async (t) => {
  t.diagnostic(
    `seed ${seed}; replay: MILLRACE_SEED=${seed} MILLRACE_KILLS=${kills} npm test -- tests/crash/kill.test.ts`,
  )
  const random = randomStream(seed)
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-kill-'))
  const acked = new Set<string>()
  let running: MillraceProcess | null = null
  try {
    for (let kill = 0; kill < kills; kill++) {
      running = await startMillrace(dataDir, '--rate', '300', '--seed', seed)
      const producer = ackedProducer(running.kafka, `${seed}/${kill}`, acked)
      // One in five is killed while it is still recovering or seeding its first minutes.
      await sleep(random.below(5) === 0 ? random.below(100) : 300 + random.below(1_500))
      await running.kill()
      await producer.stopped
    }
    // The last life ends in order, so that all that is due is in the log.
    running = await startMillrace(dataDir, '--no-generate')
    await settled(running)
    const sales = readTopic(running.kafka, 'sales')
    const results = readTopic(running.kafka, 'sales-window')
    assert.equal(await running.stop(), 0, running.complaints())

    const seen = new Map<string, number>()
    for (const { value } of sales) {
      const { id_sale } = JSON.parse(value) as { id_sale: string }
      seen.set(id_sale, (seen.get(id_sale) ?? 0) + 1)
    }
    assert.ok(acked.size > kills, `the load must have landed: ${acked.size} acknowledged`)
    assert.deepEqual(
      [...acked].filter((id) => !seen.has(id)),
      [],
      'acknowledged but lost',
    )
    assert.deepEqual(
      [...seen].filter(([, times]) => times > 1),
      [],
      'in the log twice',
    )

    checkWindows(sales, results, acked, t)
  } finally {
    await running?.kill()
    rmSync(dataDir, { recursive: true, force: true })
  }
})

interface Row {
  window_end: string
  sales: number
  revenue: number
  active_sellers: number
  active_categories: number
  active_products: number
  biggest_sale: number
  timing: string
}

function checkWindows(
  sales: ReturnType<typeof readTopic>,
  results: ReturnType<typeof readTopic>,
  acked: ReadonlySet<string>,
  t: { diagnostic(message: string): void },
): void {
  const last = new Map<number, Row>()
  const closings = new Map<number, number>()
  for (const { value } of results) {
    const row = JSON.parse(value) as Row
    const end = Date.parse(row.window_end)
    last.set(end, row)
    if (row.timing === 'on-time') closings.set(end, (closings.get(end) ?? 0) + 1)
  }
  const doubled = [...closings].filter(([, times]) => times > 1)
  assert.deepEqual(doubled, [], 'windows closed twice: a commit was doubled')
  const ends = new Set(closings.keys())
  assert.ok(ends.size > 300, `enough windows closed to mean something: ${ends.size}`)
  const newest = Math.max(...ends)
  for (let end = Math.min(...ends); end <= newest; end += 1_000) {
    assert.ok(ends.has(end), `the window that ends ${new Date(end).toISOString()} was never closed: a commit was lost`)
  }
  // Every window of the last two minutes, when the kills were, and each seventh before: the recomputation is naive.
  const compared = new Set([...ends].filter((end) => end > newest - 120_000 || (end / 1_000) % 7 === 0))
  const expected = windowsByEnd(sales, compared)
  for (const end of compared) {
    const want = expected.get(end)!
    const got = last.get(end)!
    assert.deepEqual(
      {
        sales: got.sales,
        revenue: cents(String(got.revenue)),
        sellers: got.active_sellers,
        categories: got.active_categories,
        products: got.active_products,
        biggest: cents(String(got.biggest_sale)),
      },
      {
        sales: want.sales,
        revenue: want.revenueMinor,
        sellers: want.sellers.size,
        categories: want.categories.size,
        products: want.products.size,
        biggest: want.biggestMinor,
      },
      `window that ends ${new Date(end).toISOString()}`,
    )
  }
  t.diagnostic(
    `${sales.length} sales, ${acked.size} acknowledged outside; ${ends.size} windows closed once, ${compared.size} recomputed`,
  )
}

/** Waits until the engine has caught up with the log, as /readyz tells. */
async function settled(running: MillraceProcess): Promise<void> {
  for (let i = 0; i < 300; i++) {
    const answer = await fetch(`${running.url}/readyz`)
    if (answer.status === 200) return
    await sleep(100)
  }
  assert.fail(`not ready after 30 s:\n${running.complaints()}`)
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
