// Apache Kafka's own Java clients: topic ids (Produce 13, Fetch 13+), flexible versions, the default idempotent producer.
// KAFKA_LIBS names a folder with the jars of kafka-clients and what they need; without it, or without Java, skipped.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { partitionOfKey } from '../../src/wire/partitioner.ts'
import { codecOf } from '../../src/wire/record-batch.ts'
import { freshTopic, openTestBroker, storedBatches } from './test-broker.suite.ts'

const libs = process.env.KAFKA_LIBS ?? ''
const skip = !existsSync(libs)
  ? 'KAFKA_LIBS does not name a folder with the jars of kafka-clients'
  : spawnSync('java', ['-version']).error !== undefined
    ? 'java is not installed'
    : false

test('Java: admin, producer, consumer; equal keys where we would put them; batches stored compressed', {
  skip,
}, async (t) => {
  const broker = await openTestBroker()
  t.after(() => broker.close())
  const prefix = freshTopic('java')
  const source = join(import.meta.dirname, 'RoundTrip.java')
  const child = spawn('java', ['-cp', join(libs, '*'), source, broker.address, prefix], { timeout: 180_000 })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const code = await new Promise((resolve) => child.on('close', resolve))
  assert.equal(code, 0, `${out}\n${err}`)
  const lines = out.trimEnd().split('\n')
  assert.equal(lines.at(-1), 'done')
  const partitions = lines.map((line) => line.split('\t')).filter(([kind]) => kind === 'partition')
  assert.equal(partitions.length, 100)
  for (const [, key, partition] of partitions) {
    assert.equal(Number(partition), partitionOfKey(Buffer.from(key!), 6), `partition of "${key}"`)
  }
  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
    const batches = (
      await Promise.all([0, 1, 2, 3, 4, 5].map((p) => storedBatches(broker, `${prefix}-${codec}`, p)))
    ).flat()
    assert.deepEqual(new Set(batches.map((batch) => codecOf(batch))), new Set([codec]))
  }
})
