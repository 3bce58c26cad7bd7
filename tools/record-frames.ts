// Records what real clients send: kafkajs, @platformatic/kafka and kcat do their work on a broker in memory, and of each
// kind of request a few go into tests/fuzz/frames.txt, from which the fuzzer mutates. Run again when clients change:
//
//   npm run fuzz:record
//
// A line of the file: client, api key, version, the frame without its length in hexadecimal digits.
import { spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Admin, Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'
import kafkajs from 'kafkajs'
import { openBroker } from '../src/broker/broker.ts'
import { nodeWorld } from '../src/world/node.ts'
import type { Socket, World } from '../src/world/world.ts'

const target = fileURLToPath(new URL('../tests/fuzz/frames.txt', import.meta.url))
const perKindMax = 3
const frameBytesMax = 2_000
const stepMsMax = 15_000

/** By client, key and version; those of a kind differ in length. */
const kinds = new Map<string, Map<number, string>>()
let client = ''

function keep(frame: Buffer): void {
  if (frame.length > frameBytesMax) return
  const kind = `${client} ${frame.readInt16BE(0)} ${frame.readInt16BE(2)}`
  const frames = kinds.get(kind) ?? new Map<number, string>()
  kinds.set(kind, frames)
  if (frames.size < perKindMax && !frames.has(frame.length)) frames.set(frame.length, frame.toString('hex'))
}
function tapped(socket: Socket): Socket {
  let pending = Buffer.alloc(0)
  const listen = (bytes: Uint8Array): void => {
    pending = Buffer.concat([pending, bytes])
    while (pending.length >= 4 && pending.length >= 4 + pending.readInt32BE(0)) {
      const end = 4 + pending.readInt32BE(0)
      keep(pending.subarray(4, end))
      pending = pending.subarray(end)
    }
  }
  return {
    remote: socket.remote,
    local: socket.local,
    peerSubject: socket.peerSubject,
    get queuedBytes() {
      return socket.queuedBytes
    },
    write: (bytes) => socket.write(bytes),
    writeAll: (chunks, taken) => socket.writeAll(chunks, taken),
    onData: (handler) =>
      socket.onData((bytes) => {
        listen(bytes)
        handler(bytes)
      }),
    onDrain: (handler) => socket.onDrain(handler),
    onClose: (handler) => socket.onClose(handler),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    end: () => socket.end(),
    destroy: () => socket.destroy(),
  }
}

const world = nodeWorld()
const listening: World = {
  ...world,
  net: { ...world.net, listen: (address, accept) => world.net.listen(address, (socket) => accept(tapped(socket))) },
}
const broker = await openBroker(listening, { dataDir: null, durability: 'process', autoCreate: { partitions: 2 } })
const { host, port } = await broker.listen({ host: '127.0.0.1', port: 0 })
const address = `${host}:${port}`

/** What a client or the broker cannot do is told and left out. */
async function step(what: string, run: () => Promise<unknown>): Promise<void> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`not done after ${stepMsMax} ms`)), stepMsMax).unref()
  })
  try {
    await Promise.race([run(), late])
  } catch (error) {
    process.stderr.write(`${client}, ${what}: ${error instanceof Error ? error.message : String(error)}\n`)
  }
}
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function withKafkajs(): Promise<void> {
  client = 'kafkajs'
  const { CompressionTypes, ConfigResourceTypes, Kafka, logLevel } = kafkajs
  const kafka = new Kafka({ clientId: 'shop', brokers: [address], logLevel: logLevel.NOTHING, retry: { retries: 1 } })
  const admin = kafka.admin()
  await step('connect', () => admin.connect())
  await step('topics', () =>
    admin.createTopics({
      topics: [
        { topic: 'js-orders', numPartitions: 3, configEntries: [{ name: 'retention.ms', value: '60000' }] },
        { topic: 'js-other', replicaAssignment: [{ partition: 0, replicas: [1] }] },
      ],
    }),
  )
  await step('partitions', () => admin.createPartitions({ topicPartitions: [{ topic: 'js-other', count: 2 }] }))
  await step('metadata', () => admin.fetchTopicMetadata())
  for (const transactionalId of [undefined, 'js-transactions']) {
    const id = transactionalId === undefined ? {} : { transactionalId }
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, ...id })
    await step('producer', () => producer.connect())
    const messages = ['a', 'b', 'c'].map((key) => ({ key, value: `value of ${key}`, headers: { from: 'shop' } }))
    if (transactionalId === undefined) {
      await step('send', () => producer.send({ topic: 'js-orders', messages }))
      await step('gzip', () => producer.send({ topic: 'js-orders', messages, compression: CompressionTypes.GZIP }))
    } else {
      await step('transaction', async () => {
        const transaction = await producer.transaction()
        await transaction.send({ topic: 'js-orders', messages })
        await transaction.sendOffsets({
          consumerGroupId: 'js-group',
          topics: [{ topic: 'js-orders', partitions: [{ partition: 0, offset: '1' }] }],
        })
        await transaction.commit()
      })
    }
    await step('producer ends', () => producer.disconnect())
  }
  const consumer = kafka.consumer({ groupId: 'js-group', sessionTimeout: 6_000, heartbeatInterval: 300 })
  await step('consumer', async () => {
    await consumer.connect()
    await consumer.subscribe({ topics: ['js-orders', 'js-other'], fromBeginning: true })
    await consumer.run({ eachMessage: async () => {} })
    await pause(2_500)
    await consumer.commitOffsets([{ topic: 'js-orders', partition: 0, offset: '1' }])
    await pause(500)
  })
  await step('groups', () => admin.listGroups())
  await step('group', () => admin.describeGroups(['js-group']))
  await step('consumer ends', () => consumer.disconnect())
  await step('offsets', () => admin.fetchOffsets({ groupId: 'js-group', topics: ['js-orders'] }))
  await step('topic offsets', () => admin.fetchTopicOffsets('js-orders'))
  await step('set offsets', () =>
    admin.setOffsets({ groupId: 'js-group', topic: 'js-orders', partitions: [{ partition: 0, offset: '0' }] }),
  )
  const topic = { type: ConfigResourceTypes.TOPIC, name: 'js-orders' }
  await step('configs', () => admin.describeConfigs({ includeSynonyms: true, resources: [topic] }))
  await step('alter configs', () =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [{ ...topic, configEntries: [{ name: 'retention.ms', value: '70000' }] }],
    }),
  )
  await step('delete records', () =>
    admin.deleteTopicRecords({ topic: 'js-orders', partitions: [{ partition: 0, offset: '1' }] }),
  )
  await step('delete group', () => admin.deleteGroups(['js-group']))
  await step('delete topic', () => admin.deleteTopics({ topics: ['js-other'] }))
  await step('end', () => admin.disconnect())
}

async function withPlatformatic(): Promise<void> {
  client = 'platformatic'
  const base = { clientId: 'shop', bootstrapBrokers: [address], retries: 1, retryDelay: 100 }
  const admin = new Admin(base)
  await step('topics', () => admin.createTopics({ topics: ['pt-orders'], partitions: 3, replicas: 1 }))
  for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const producer = new Producer({ ...base, idempotent: true, compression, serializers: stringSerializers })
    const messages = ['a', 'b'].map((key) => ({ topic: 'pt-orders', key, value: `value of ${key}`.repeat(20) }))
    await step(compression, () => producer.send({ messages }))
    await step('producer ends', () => producer.close())
  }
  for (const groupProtocol of ['classic', 'consumer'] as const) {
    const consumer = new Consumer({
      ...base,
      groupId: `pt-${groupProtocol}`,
      groupProtocol,
      deserializers: stringDeserializers,
      autocommit: false,
      sessionTimeout: 6_000,
      heartbeatInterval: 300,
    })
    await step(`consumer (${groupProtocol})`, async () => {
      const stream = await consumer.consume({ topics: ['pt-orders'], mode: 'earliest' })
      let seen = 0
      for await (const message of stream) {
        await message.commit()
        if (++seen >= 4) break
      }
      await pause(1_000)
      await stream.close()
    })
    await step('offsets', () => consumer.listOffsets({ topics: ['pt-orders'] }))
    await step('consumer ends', () => consumer.close(true))
  }
  await step('groups', () => admin.listGroups())
  await step('group', () => admin.describeGroups({ groups: ['pt-classic'] }))
  await step('quotas', () =>
    admin.describeClientQuotas({ components: [{ entityType: 'client-id', matchType: 2 }], strict: false }),
  )
  await step('delete group', () => admin.deleteGroups({ groups: ['pt-classic'] }))
  await step('delete topic', () => admin.deleteTopics({ topics: ['pt-orders'] }))
  await step('end', () => admin.close())
}

function kcat(args: readonly string[], input = ''): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('kcat', ['-b', address, ...args], { timeout: stepMsMax, stdio: ['pipe', 'ignore', 'ignore'] })
    child.on('error', reject)
    child.on('close', () => resolve())
    child.stdin.end(input)
  })
}
async function withKcat(): Promise<void> {
  client = 'kcat'
  const lines = Array.from({ length: 20 }, (_, i) => `key${i}:value ${i}`).join('\n')
  await step('list', () => kcat(['-L']))
  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
    await step(codec, () => kcat(['-P', '-t', 'kcat-orders', '-K:', '-z', codec, '-H', 'from=shop'], lines))
  }
  await step('consume', () => kcat(['-C', '-t', 'kcat-orders', '-e', '-q']))
  await step('offsets', () => kcat(['-Q', '-t', 'kcat-orders:0:-1', '-t', 'kcat-orders:1:1000']))
  await step('group', () => kcat(['-G', 'kcat-group', 'kcat-orders', '-e', '-q']))
  await step('transaction', () => kcat(['-P', '-t', 'kcat-orders', '-X', 'transactional.id=kcat'], lines))
}

await withKafkajs()
await withPlatformatic()
if (spawnSync('kcat', ['-V']).error === undefined) await withKcat()
else process.stderr.write('kcat is not installed: its frames are left out\n')
await broker.close()

const rows = [...kinds].flatMap(([kind, frames]) => [...frames.values()].map((hex) => `${kind} ${hex}`)).sort()
writeFileSync(target, `${rows.join('\n')}\n`)
process.stdout.write(`${rows.length} frames of ${kinds.size} kinds in ${target}\n`)
process.exit(0)
