// The commands that look after data: doctor broker, broker repair, backup of a stopped and of a running one, restore.
import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openBroker } from '../broker/broker.ts'
import { answerBackups } from '../platform/backup-requests.ts'
import { announce } from '../platform/running.ts'
import { partitionId } from '../std/units.ts'
import { BatchWriter } from '../wire/batch-writer.ts'
import { nodeWorld } from '../world/node.ts'
import { runCli } from './run-cli.suite.ts'

let folder: string
const at = (name: string): string => join(folder, name)
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-care-'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

const open = (dataDir: string) =>
  openBroker(nodeWorld(), { dataDir, durability: 'power', freeBytesMin: 0, retention: { settles: false } })
async function fill(dataDir: string, batches: number): Promise<void> {
  const broker = await open(dataDir)
  if (broker.topic('orders') === null) await broker.createTopic({ name: 'orders', partitions: 1 })
  for (let i = 0; i < batches; i++) {
    const writer = new BatchWriter()
    writer.append(new Uint8Array([1]), new Uint8Array(500).fill(i), 1)
    await broker.append('orders', partitionId(0), writer.finish())
  }
  await broker.takeJob('figures')
  await broker.close()
}
function json(stdout: string): Record<string, unknown> {
  return JSON.parse(stdout) as Record<string, unknown>
}

test('a stopped one: looked at, backed up, damaged, repaired by a word, restored', async () => {
  const dataDir = at('data')
  await fill(dataDir, 20)
  const well = await runCli(['doctor', 'broker', dataDir])
  assert.equal(well.code, 0, well.stderr)
  assert.match(well.stdout, /orders-0 +0 to 20/)
  assert.match(well.stdout, /figures: at LSN/)
  assert.match(well.stdout, /all that was durable is there/)
  const backup = await runCli(['backup', at('backup'), '--data-dir', dataDir, '--json'])
  assert.equal(backup.code, 0, backup.stderr)
  assert.ok(Number(json(backup.stdout).files) >= 3)
  assert.equal((await runCli(['backup', at('backup'), '--data-dir', dataDir])).code, 2, 'it is not empty')

  const journal = join(dataDir, 'journal')
  const segment = join(journal, readdirSync(journal).find((name) => name.endsWith('.journal'))!)
  const file = openSync(segment, 'r+')
  const bytes = Buffer.alloc(700)
  readSync(file, bytes, 0, 700, 5000)
  writeSync(
    file,
    bytes.map((byte) => byte ^ 0xff),
    0,
    700,
    5000,
  )
  closeSync(file)
  const damaged = await runCli(['doctor', 'broker', dataDir, '--json'])
  assert.equal(damaged.code, 1)
  assert.match(JSON.stringify(json(damaged.stdout).damage), /millrace restore/)
  const looked = await runCli(['broker', 'repair', dataDir])
  assert.equal(looked.code, 1)
  assert.match(looked.stdout, /would be lost/)
  assert.match(looked.stdout, /orders-0: offsets \d+ to \d+/)
  const repaired = await runCli(['broker', 'repair', dataDir, '--accept-loss'])
  assert.equal(repaired.code, 0, repaired.stderr)
  assert.match(repaired.stdout, /kept in .*quarantine/)
  assert.equal((await runCli(['doctor', 'broker', '--data-dir', dataDir])).code, 0)

  const restored = await runCli(['restore', at('backup'), '--data-dir', at('restored')])
  assert.equal(restored.code, 0, restored.stderr)
  assert.match((await runCli(['doctor', 'broker', at('restored')])).stdout, /orders-0 +0 to 20/)
  assert.equal((await runCli(['restore', at('backup'), '--data-dir', at('restored')])).code, 2)
  assert.equal((await runCli(['restore', at('nowhere'), '--data-dir', at('other')])).code, 4)
})

test('a running one is asked, and goes on; what it refuses is said', async () => {
  const dataDir = at('running')
  const world = nodeWorld()
  const broker = await open(dataDir)
  const stops = [announce(world, dataDir, { url: null, kafka: '127.0.0.1:1' }), answerBackups(world, dataDir, broker)]
  try {
    await broker.createTopic({ name: 'orders', partitions: 1 })
    const inUse = await runCli(['doctor', 'broker', dataDir])
    assert.equal(inUse.code, 5)
    assert.match(inUse.stdout, /in use by process/)
    const backup = await runCli(['backup', at('of-running'), '--data-dir', dataDir, '--json'])
    assert.equal(backup.code, 0, backup.stderr)
    const lsn = Number(json(backup.stdout).lsn)
    assert.ok(lsn >= 1 && lsn <= broker.stats().journal.durableLsn)
    writeFileSync(at('a-file'), '')
    const refused = await runCli(['backup', at('a-file'), '--data-dir', dataDir])
    assert.equal(refused.code, 2, refused.stderr)
    assert.match(refused.stderr, /is not an empty folder/)
    assert.deepEqual(
      readdirSync(dataDir).filter((name) => name.startsWith('backup')),
      [],
    )
  } finally {
    for (const stop of stops) stop()
    await broker.close()
  }
  assert.equal((await runCli(['doctor', 'broker', at('of-running')])).code, 0)
})

test('what is no data directory is said', async () => {
  assert.equal((await runCli(['doctor', 'broker', at('nothing')])).code, 4)
  assert.equal((await runCli(['backup', at('b'), '--data-dir', at('nothing')])).code, 4)
})
