// kcat (librdkafka 2.0): lists, produces, consumes, asks for offsets. Skipped with a line where it is not installed.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import { BatchWriter } from '../../src/wire/batch-writer.ts'
import { checkBatch, checkRecords, codecOf, recordCount } from '../../src/wire/record-batch.ts'
import { freshTopic, openTestBroker, storedBatches, type TestBroker } from './test-broker.suite.ts'

const skip =
  spawnSync('kcat', ['-V']).error === undefined ? false : 'kcat is not installed (Debian: apt-get install kcat)'
const timeoutMs = 60_000

let broker: TestBroker
before(async () => {
  broker = await openTestBroker()
})
after(() => broker.close())

function kcat(args: readonly string[], input = ''): Promise<{ readonly out: string; readonly err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('kcat', ['-b', broker.address, ...args], { timeout: timeoutMs })
    let out = ''
    let err = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text
    })
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve({ out, err })
      else reject(new Error(`kcat ${args.join(' ')} ended with ${code}: ${err}`))
    })
    child.stdin.end(input)
  })
}
const lines = (count: number): string[] => Array.from({ length: count }, (_, i) => `value ${i} of many, many, many`)

for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
  test(`${codec}: keys, values and headers come back, and the batches are stored as they were compressed`, {
    skip,
  }, async () => {
    const topic = freshTopic(`kcat-${codec}`)
    const values = lines(500)
    const input = values.map((value, i) => `key${i}:${value}`).join('\n')
    await kcat(['-P', '-t', topic, '-p', '0', '-K:', '-z', codec, '-H', 'origin=shop', '-H', 'empty'], input)
    const { out } = await kcat(['-C', '-t', topic, '-p', '0', '-e', '-q', '-f', '%o|%k|%s|%h\n'])
    assert.deepEqual(
      out.trimEnd().split('\n'),
      values.map((value, i) => `${i}|key${i}|${value}|origin=shop,empty=NULL`),
    )
    const batches = await storedBatches(broker, topic, 0)
    assert.ok(batches.some((batch) => recordCount(batch) > 10))
    for (const batch of batches) {
      // librdkafka leaves a batch as it is where compression gains nothing, as in one of a record or two.
      if (recordCount(batch) > 10) assert.equal(codecOf(batch), codec)
      const asSent = new Uint8Array(batch)
      asSent.fill(0, 0, 8)
      assert.equal(checkBatch(asSent), null)
      assert.equal(checkRecords(batch), null)
    }
  })
}

test('null keys, tombstones and empty values', { skip }, async () => {
  const topic = freshTopic('kcat-nulls')
  await kcat(['-P', '-t', topic, '-p', '0', '-K:', '-Z'], 'gone:\nthere:x\n')
  await kcat(['-P', '-t', topic, '-p', '0'], 'no key\n')
  const { out } = await kcat(['-C', '-t', topic, '-p', '0', '-e', '-q', '-f', '%K|%k|%S|%s\n'])
  assert.deepEqual(out.trimEnd().split('\n'), ['4|gone|-1|', '5|there|1|x', '-1||6|no key'])
})

test('-L lists brokers, topics and partitions', { skip }, async () => {
  const topic = freshTopic('kcat-list')
  await kcat(['-P', '-t', topic], 'x\n')
  const { out } = await kcat(['-L', '-J'])
  const listed = JSON.parse(out)
  assert.ok(listed.brokers.some(({ name }: { name: string }) => name.endsWith(`:${broker.port}`)))
  const found = listed.topics.find((each: { topic: string }) => each.topic === topic)
  assert.ok(found.partitions.length >= 1)
  assert.equal(found.partitions[0].leader, listed.brokers[0].id)
})

test('-Q finds offsets by time, and -o reads from a time and from the end', { skip }, async () => {
  const topic = freshTopic('kcat-times')
  await kcat(['-P', '-t', topic, '-p', '0'], 'before\n')
  const batches = await storedBatches(broker, topic, 0)
  const before = Number(new DataView(batches[0]!.buffer, batches[0]!.byteOffset).getBigInt64(35))
  await new Promise((resolve) => setTimeout(resolve, 30))
  await kcat(['-P', '-t', topic, '-p', '0'], 'after 1\nafter 2\n')
  const query = async (timestamp: number) => (await kcat(['-Q', '-t', `${topic}:0:${timestamp}`])).out.trim()
  assert.equal(await query(0), `${topic} [0] offset 0`)
  assert.equal(await query(before), `${topic} [0] offset 0`)
  assert.equal(await query(before + 1), `${topic} [0] offset 1`)
  assert.equal(await query(-1), `${topic} [0] offset 3`)
  assert.equal(await query(-2), `${topic} [0] offset 0`)
  const read = async (from: string) => (await kcat(['-C', '-t', topic, '-p', '0', '-e', '-q', '-o', from])).out
  assert.equal(await read(`s@${before + 1}`), 'after 1\nafter 2\n')
  assert.equal(await read('-1'), 'after 2\n')
  assert.equal(await read('2'), 'after 2\n')
})

test('an idempotent producer with acks=all, many batches', { skip }, async () => {
  const topic = freshTopic('kcat-idempotent')
  const values = lines(5_000)
  const settings = ['-X', 'enable.idempotence=true', '-X', 'batch.num.messages=50', '-X', 'linger.ms=1']
  await kcat(['-P', '-t', topic, '-p', '0', ...settings], values.join('\n'))
  const { out } = await kcat(['-C', '-t', topic, '-p', '0', '-e', '-q'])
  assert.deepEqual(out.trimEnd().split('\n'), values)
  const batches = await storedBatches(broker, topic, 0)
  assert.ok(batches.length >= 100)
})

test('acks=0 and acks=1', { skip }, async () => {
  const topic = freshTopic('kcat-acks')
  await kcat(['-P', '-t', topic, '-p', '0', '-X', 'acks=1'], 'one\n')
  await kcat(['-P', '-t', topic, '-p', '0', '-X', 'acks=0'], 'zero\n')
  const { out } = await kcat(['-C', '-t', topic, '-p', '0', '-q', '-c', '2'])
  assert.equal(out, 'one\nzero\n')
})

test('a consumer waits at the end for what is produced later', { skip }, async () => {
  const topic = freshTopic('kcat-wait')
  await kcat(['-P', '-t', topic, '-p', '0'], 'first\n')
  const consumed = kcat(['-C', '-t', topic, '-p', '0', '-q', '-u', '-c', '3'])
  await new Promise((resolve) => setTimeout(resolve, 300))
  await kcat(['-P', '-t', topic, '-p', '0'], 'second\nthird\n')
  assert.equal((await consumed).out, 'first\nsecond\nthird\n')
})

test('batches of our own writer are read by kcat, in every codec', { skip }, async () => {
  const { RawClient } = await import('../../src/broker/server/raw-client.suite.ts')
  const { nodeWorld } = await import('../../src/world/node.ts')
  for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const topic = freshTopic(`ours-${compression}`)
    const client = await RawClient.connect(nodeWorld(), broker)
    await client.ask('metadata', 4, {
      topics: [{ name: topic, topicId: new Uint8Array(16) }],
      allowAutoTopicCreation: true,
    })
    const writer = new BatchWriter({ compression })
    const values = lines(3_000)
    for (const [i, value] of values.entries()) {
      writer.append(Buffer.from(`k${i}`), Buffer.from(value), 1_700_000_000_000 + i, [
        { name: 'n', value: Buffer.from('v') },
      ])
    }
    const partitionData = [{ index: 0, records: writer.finish() }]
    let errorCode: number | undefined = 3
    // Apache Kafka needs a moment before a new topic has a leader.
    for (let tries = 0; tries < 50 && (errorCode === 3 || errorCode === 5 || errorCode === 6); tries++) {
      const topicData = [{ name: topic, topicId: new Uint8Array(16), partitionData }]
      const answer = await client.ask('produce', 9, { acks: -1, timeoutMs: 5_000, topicData })
      errorCode = answer.responses[0]?.partitionResponses[0]?.errorCode
      if (errorCode !== 0) await new Promise((resolve) => setTimeout(resolve, 100))
    }
    assert.equal(errorCode, 0)
    client.socket.destroy()
    const { out } = await kcat(['-C', '-t', topic, '-p', '0', '-e', '-q', '-f', '%o|%T|%k|%s|%h\n'])
    assert.deepEqual(
      out.trimEnd().split('\n'),
      values.map((value, i) => `${i}|${1_700_000_000_000 + i}|k${i}|${value}|n=v`),
    )
  }
})
