// Data directories of every released format are read for ever, and hold what they held (tools/format-fixture.ts makes one).
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openBroker } from '../../src/broker/broker.ts'
import { inspectDataDirectory } from '../../src/broker/care/inspect.ts'
import { partitionId } from '../../src/std/units.ts'
import { BatchWriter } from '../../src/wire/batch-writer.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { contentsOf } from './contents.ts'

const formats = fileURLToPath(new URL('../fixtures/formats', import.meta.url))
for (const format of readdirSync(formats)) {
  const expected: unknown = JSON.parse(readFileSync(join(formats, format, 'expected.json'), 'utf8'))
  const dataDir = join(formats, format, 'data')

  test(`format ${format}: all that was written is read, and nothing is wrong`, async () => {
    const inspected = await inspectDataDirectory(nodeWorld(), dataDir)
    assert.deepEqual([inspected.problem, inspected.damage, inspected.strangers], [null, null, []])
    assert.deepEqual(JSON.parse(JSON.stringify(await contentsOf(nodeWorld(), dataDir))), expected)
  })

  test(`format ${format}: a log of it goes on, and keeps what it held through further starts`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-format-'))
    try {
      cpSync(dataDir, folder, { recursive: true })
      for (let start = 0; start < 2; start++) {
        const broker = await openBroker(nodeWorld(), { dataDir: folder, durability: 'power', freeBytesMin: 0 })
        assert.equal(broker.trouble(), null)
        const writer = new BatchWriter()
        writer.append(new Uint8Array([1]), new Uint8Array([2]), 1)
        await broker.append('plain', partitionId(0), writer.finish())
        await broker.close()
      }
      const now = JSON.stringify(await contentsOf(nodeWorld(), folder))
      for (const lines of Object.values((expected as { records: Record<string, string[]> }).records)) {
        for (const line of lines) assert.ok(now.includes(JSON.stringify(line)), line)
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
}
