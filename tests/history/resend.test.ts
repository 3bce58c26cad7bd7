// Producers that die in the middle of a frame or before they heard the answer, and those that send again after the broker
// was killed: nothing is there by half or twice, a repeated batch gets the offset that it had.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { RawClient } from '../../src/broker/server/raw-client.suite.ts'
import { toProduce } from '../../src/broker/server/server.suite.ts'
import { randomStream } from '../../src/std/random.ts'
import { BatchWriter } from '../../src/wire/batch-writer.ts'
import { apis, writeRequest } from '../../src/wire/wire.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { freshTopic, openTestBroker, type TestBroker } from '../clients/test-broker.suite.ts'
import { ourBroker } from './brokers.ts'
import { check } from './checker.ts'
import { payloadOf } from './payload.ts'
import { catchUp, RawPeer } from './raw-peer.ts'
import { Recorder } from './recorder.ts'

const world = nodeWorld()
const seed = process.env.MILLRACE_SEED ?? String(Date.now())
const produceVersion = 9
const outOfOrder = 45

interface Producer {
  readonly producerId: bigint
  readonly producerEpoch: number
}
async function newProducer(peer: RawPeer): Promise<Producer> {
  const { errorCode, producerId, producerEpoch } = await peer.ask('initProducerId', 2, {
    transactionalId: null,
    transactionTimeoutMs: 60_000,
  })
  assert.equal(errorCode, 0)
  return { producerId, producerEpoch }
}
async function newTopic(peer: RawPeer): Promise<string> {
  const name = freshTopic('resend')
  const answer = await peer.ask('createTopics', 4, {
    topics: [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMs: 10_000,
    validateOnly: false,
  })
  assert.equal(answer.topics[0]!.errorCode, 0)
  return name
}
/** A batch of so many new values, and the request that carries it. */
function nextBatch(recorder: Recorder, topic: string, producer: Producer, baseSequence: number, count: number) {
  const key = recorder.keyOf(topic, 0)
  const sends = Array.from({ length: count }, () => ({ key, value: recorder.newValue() }))
  const writer = new BatchWriter()
  for (const { value } of sends) {
    const payload = payloadOf(value)
    writer.append(Buffer.from(payload.key), Buffer.from(payload.value), 1_000)
  }
  return { sends, baseSequence, request: toProduce(topic, 0, writer.finish({ ...producer, baseSequence })) }
}
type Batch = ReturnType<typeof nextBatch>
async function send(peer: RawPeer, { request }: Batch): Promise<{ readonly error: number; readonly offset: number }> {
  const { responses } = await peer.ask('produce', produceVersion, request)
  const { errorCode, baseOffset } = responses[0]!.partitionResponses[0]!
  return { error: errorCode, offset: baseOffset }
}

let broker: TestBroker
before(async () => {
  broker = await openTestBroker()
})
after(() => broker.close())

test('200 producers die in the middle of a frame or deaf to its answer, and the next one sends the same again', async (t) => {
  t.diagnostic(`seed ${seed}; replay: MILLRACE_SEED=${seed} npm test -- tests/history/resend`)
  const random = randomStream(seed)
  const recorder = new Recorder()
  const peer = new RawPeer(broker.address)
  t.after(() => peer.close())
  const topic = await newTopic(peer)
  const producer = await newProducer(peer)
  const process = recorder.newProcess()
  let sequence = 0
  let offset = 0
  let halves = 0
  for (let round = 0; round < 200; round++) {
    const batch = nextBatch(recorder, topic, producer, sequence, 1 + random.below(5))
    const slot = recorder.begin(process, 'send', batch.sends)
    const frame = Buffer.concat(writeRequest(apis.produce as never, produceVersion, 1, 'dying', batch.request as never))
    const dying = await RawClient.connect(world, broker)
    const isHalf = random.below(2) === 0
    if (isHalf) halves++
    dying.socket.write(frame.subarray(0, isHalf ? random.below(frame.length) : frame.length))
    // Some die before the bytes are read, some after: the broker must not care.
    if (random.below(3) > 0) await new Promise((resolve) => setTimeout(resolve, random.below(5)))
    dying.socket.destroy()
    const told = await send(peer, batch)
    assert.deepEqual(told, { error: 0, offset }, `round ${round}`)
    slot.end('ok', { sends: batch.sends.map((each, i) => ({ ...each, offset: offset + i })) })
    sequence += batch.sends.length
    offset += batch.sends.length
  }
  assert.ok(halves > 50 && halves < 150)
  const sequences = await catchUp(broker.address, recorder, [{ name: topic, partitions: 1 }])
  const { findings, read } = check(recorder.history(true))
  assert.deepEqual(findings.faults(), [], findings.text(findings.faults()))
  assert.equal(read, offset)
  assert.ok(sequences.batches > 0)
  assert.deepEqual(sequences.faults, [])
})

test('after each kill the last five batches sent again get the offsets they had, older ones are refused', async (t) => {
  t.diagnostic(`seed ${seed}; replay: MILLRACE_SEED=${seed} npm test -- tests/history/resend`)
  const random = randomStream(seed).fork('kills')
  const killed = await ourBroker(random)
  t.after(() => killed.close())
  await killed.start()
  const recorder = new Recorder()
  const peer = new RawPeer(killed.address)
  t.after(() => peer.close())
  const topic = await newTopic(peer)
  const [one, two] = [await newProducer(peer), await newProducer(peer)]
  const sent = new Map<Producer, { readonly batch: Batch; readonly offset: number }[]>([
    [one, []],
    [two, []],
  ])
  const process = recorder.newProcess()
  let offset = 0
  for (let life = 0; life < 6; life++) {
    for (let i = 0; i < 7 + random.below(20); i++) {
      const producer = random.below(2) === 0 ? one : two
      const before = sent.get(producer)!
      const last = before.at(-1)?.batch
      const sequence = last === undefined ? 0 : last.baseSequence + last.sends.length
      const batch = nextBatch(recorder, topic, producer, sequence, 1 + random.below(4))
      const slot = recorder.begin(process, 'send', batch.sends)
      const told = await send(peer, batch)
      assert.deepEqual(told, { error: 0, offset })
      slot.end('ok', { sends: batch.sends.map((each, i) => ({ ...each, offset: told.offset + i })) })
      before.push({ batch, offset })
      offset += batch.sends.length
    }
    await killed.kill()
    await killed.start()
    for (const batches of sent.values()) {
      // Kept are the newest five of each producer, told in whatever order they are asked for.
      const newest = batches.slice(-5)
      for (const { batch, offset } of [...newest].sort(() => random.below(3) - 1)) {
        assert.deepEqual(await send(peer, batch), { error: 0, offset }, `life ${life}`)
      }
      const older = batches.at(-6)
      if (older !== undefined) assert.equal((await send(peer, older.batch)).error, outOfOrder)
    }
  }
  const sequences = await catchUp(killed.address, recorder, [{ name: topic, partitions: 1 }])
  const { findings, read } = check(recorder.history(true))
  assert.deepEqual(findings.faults(), [], findings.text(findings.faults()))
  assert.equal(read, offset)
  assert.ok(sequences.batches > 0)
  assert.deepEqual(sequences.faults, [])
})
