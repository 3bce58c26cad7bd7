// Half a million real order lines by the commands people type: import into a data directory and into a running
// Millrace, report from both; the totals are the published ones to the penny.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runCli } from '../../src/cli/run-cli.suite.ts'
import { startMillrace } from '../crash/process.ts'

const file =
  process.env.MILLRACE_ONLINE_RETAIL ??
  fileURLToPath(new URL('../../../shared/data/online-retail.csv.gz', import.meta.url))
const skip = existsSync(file) ? false : `no Online Retail file at ${file}: set MILLRACE_ONLINE_RETAIL`

const published = [
  { month: '2010-12', gross: 823746.14 },
  { month: '2011-01', gross: 691364.56 },
  { month: '2011-02', gross: 523631.89 },
  { month: '2011-03', gross: 717639.36 },
  { month: '2011-04', gross: 537808.62 },
  { month: '2011-05', gross: 770536.02 },
  { month: '2011-06', gross: 761739.9 },
  { month: '2011-07', gross: 719221.19 },
  { month: '2011-08', gross: 759138.38 },
  { month: '2011-09', gross: 1058590.17 },
  { month: '2011-10', gross: 1154979.3 },
  { month: '2011-11', gross: 1509496.33 },
  { month: '2011-12', gross: 638792.68 },
]

const folder = mkdtempSync(join(tmpdir(), 'millrace-retail-'))
after(() => rmSync(folder, { recursive: true, force: true }))

async function imported(dataDir: string): Promise<void> {
  const run = await runCli(['import', 'online-retail', file, '--data-dir', dataDir, '--json'])
  assert.equal(run.code, 0, run.stderr)
  assert.equal((JSON.parse(run.stdout) as { rows: number }).rows, 541_909)
}
async function reported(dataDir: string, report = 'monthly-revenue'): Promise<unknown> {
  const run = await runCli(['report', 'run', report, '--data-dir', dataDir, '--json'])
  assert.equal(run.code, 0, run.stderr)
  return JSON.parse(run.stdout)
}

test('nothing runs: both commands open the data directory themselves', { skip }, async () => {
  const dataDir = join(folder, 'alone')
  await imported(dataDir)
  assert.deepEqual(await reported(dataDir), published)
  // Import, broker, lake, report: the published totals, in pounds.
  assert.deepEqual(await reported(dataDir, 'retail-revenue'), [
    { definition: 'gross sales', lines: 530_104, invoices: 19_960, customers: 4_338, revenue: 10_666_684.544 },
    { definition: 'identified sales', lines: 397_884, invoices: 18_532, customers: 4_338, revenue: 8_911_407.904 },
    { definition: 'net', lines: 541_909, invoices: 25_900, customers: 4_372, revenue: 9_747_747.934 },
  ])
  const cohorts = (await reported(dataDir, 'cohorts')) as { cohort: string; month: number; [name: string]: unknown }[]
  const december = cohorts.filter(({ cohort }) => cohort === '2010-12')
  assert.equal(december.length, 13)
  assert.deepEqual(
    december
      .slice(0, 2)
      .map(({ customers, month, active, retention }) => [customers, month, active, Number(retention).toFixed(4)]),
    [
      [885, 0, 885, '1.0000'],
      [885, 1, 324, '0.3661'],
    ],
  )
  const segments = (await reported(dataDir, 'segments')) as { revenue: number; orders: number; recency: number }[]
  assert.equal(segments.length, 4_338)
  assert.equal(
    segments.reduce((sum, { orders }) => sum + orders, 0),
    18_532,
  )
  // What is in the lake is what was written.
  const verified = await runCli(['lake', 'verify', '--data-dir', dataDir, '--json'])
  assert.equal(verified.code, 0, verified.stderr)
  assert.deepEqual(JSON.parse(verified.stdout), [])
})

test('a Millrace runs: import goes over the Kafka protocol, the report over HTTP', { skip }, async () => {
  const dataDir = join(folder, 'running')
  const running = await startMillrace(dataDir, '--no-generate')
  try {
    await imported(dataDir)
    assert.deepEqual(await reported(dataDir), published)
    assert.equal(await running.stop(), 0, running.complaints())
  } finally {
    await running.kill()
  }
})
