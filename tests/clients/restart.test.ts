// The broker stops and starts again under its clients: what was acknowledged is there, topics keep their ids, an
// idempotent producer goes on in its sequence, a waiting consumer reads on.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Admin, ProduceAcks, Producer } from '@platformatic/kafka'
import { producerId, recordCount } from '../../src/wire/record-batch.ts'
import { freshTopic, openOn, storedBatches } from './test-broker.suite.ts'

test('@platformatic/kafka: one idempotent producer over three lives of the broker', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-restart-'))
  t.after(() => rmSync(dataDir, { recursive: true, force: true }))
  let broker = await openOn(dataDir)
  t.after(() => broker.close())
  const base = { clientId: 'test', bootstrapBrokers: [broker.address], retries: 300, retryDelay: 50 }
  const admin = new Admin(base)
  t.after(() => admin.close())
  const topic = freshTopic('restart')
  const [created] = await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 })
  const producer = new Producer({ ...base, idempotent: true, acks: ProduceAcks.ALL })
  t.after(() => producer.close())
  let sent = 0
  for (let life = 0; life < 3; life++) {
    for (let i = 0; i < 20; i++) {
      const value = Buffer.from(`value ${sent}`)
      const { offsets } = await producer.send({ messages: [{ topic, partition: 0, value }] })
      assert.deepEqual(offsets, [{ topic, partition: 0, offset: BigInt(sent) }])
      sent++
    }
    const { port } = broker
    await broker.close()
    broker = await openOn(dataDir, port)
    const metadata = await admin.metadata({ topics: [topic], forceUpdate: true })
    assert.equal(metadata.topics.get(topic)?.id, created?.id)
  }
  const batches = await storedBatches(broker, topic, 0)
  assert.equal(
    batches.reduce((sum, batch) => sum + recordCount(batch), 0),
    60,
  )
  assert.equal(new Set(batches.map((batch) => producerId(batch))).size, 1, 'one identity through all lives')
})
