// Consume, transform, produce in transactions: each record of one partition becomes one record of another topic, and the
// group's place goes along. Whatever is killed when, committed copies are there once.
import { Producer, stringSerializers } from '@platformatic/kafka'
import kafkajs from 'kafkajs'
import { payloadOf } from './payload.ts'
import { RawPeer } from './raw-peer.ts'
import { noteTrouble, type Scene, sleep } from './scene.ts'
import { kafkajsClient, type Target } from './writers.ts'

export interface Copying {
  readonly from: Target
  readonly partition: number
  readonly to: Target
  readonly group: string
}
interface Message {
  readonly partition: number
  readonly key: string
  readonly value: string
}
/** A transaction of some client. Every call rejects when its outcome is not known. */
interface OpenTransaction {
  /** Returns the offset of the first message. */
  send(partition: number, messages: readonly Message[]): Promise<number | null>
  commitPlace(next: number): Promise<void>
  commit(): Promise<void>
  abort(): Promise<void>
}
interface TransactionalClient {
  begin(): Promise<OpenTransaction>
  close(): Promise<void>
}
export type TransactionalClients = (scene: Scene, copying: Copying) => Promise<TransactionalClient>

const recordsMax = 8

/** Copies until the scene is over; begins anew, fencing whoever was before, after any unclear answer. */
export async function copier(scene: Scene, copying: Copying, clients: TransactionalClients): Promise<void> {
  const peer = new RawPeer(scene.address)
  while (!scene.isOver()) {
    await copyingLife(scene, copying, clients, peer).catch((error) => noteTrouble(scene, clients.name, error))
    if (!scene.isOver()) await sleep(20 + scene.random.below(50))
  }
  peer.close()
}

async function copyingLife(
  scene: Scene,
  copying: Copying,
  clients: TransactionalClients,
  peer: RawPeer,
): Promise<void> {
  const { recorder, random } = scene
  const { from, partition, to, group } = copying
  const process = recorder.newProcess()
  const client = await clients(scene, copying)
  try {
    // Beginning fences and ends what the last life left open: only then is the group's place certain.
    let transaction = await client.begin()
    recorder.reads(process, 'assign')
    let at = (await peer.committed(group, [from])).get(`${from.name}/${partition}`) ?? 0
    while (!scene.isOver()) {
      const { poll, next } = await peer.read(recorder, from.name, partition, at, 50)
      if (poll.values.length === 0) {
        at = next
        continue
      }
      const offsets = poll.offsets.slice(0, 1 + random.below(recordsMax))
      const sources = poll.values.slice(0, offsets.length)
      const copies = sources.map((source) => {
        const toPartition = random.below(to.partitions)
        return {
          source,
          toPartition,
          key: recorder.keyOf(to.name, toPartition),
          value: recorder.newValue(),
          offset: null as number | null,
        }
      })
      for (const { source, value } of copies) recorder.copies.push({ group, from: source, to: value })
      const slot = recorder.begin(process, 'txn', copies)
      const polls = [{ key: poll.key, offsets, values: sources }]
      const sends = () => copies.map(({ key, value, offset }) => ({ key, value, offset }))
      let hasAskedToCommit = false
      try {
        for (let toPartition = 0; toPartition < to.partitions; toPartition++) {
          const mine = copies.filter((copy) => copy.toPartition === toPartition)
          if (mine.length === 0) continue
          const base = await transaction.send(
            toPartition,
            mine.map(({ value }) => ({ partition: toPartition, ...payloadOf(value) })),
          )
          if (base !== null) for (const [i, copy] of mine.entries()) copy.offset = base + i
        }
        await transaction.commitPlace(offsets.at(-1)! + 1)
        const what = random.below(20)
        if (what === 0) throw new Error('left open on purpose')
        if (what < 3) {
          await transaction.abort()
          slot.end('fail', { sends: sends() })
        } else {
          hasAskedToCommit = true
          await transaction.commit()
          slot.end('ok', { sends: sends(), polls })
          at = offsets.at(-1)! + 1
        }
      } catch (error) {
        // Nobody commits a transaction that nobody asked to commit.
        slot.end(hasAskedToCommit ? 'info' : 'fail', { sends: sends() })
        throw error
      }
      transaction = await client.begin()
    }
    await transaction.abort().catch(() => {})
  } finally {
    await client.close().catch(() => {})
  }
}

/** Ends what a copier may have left open, so that readers can come to the end. */
export async function settle(scene: Scene, copying: Copying): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      const client = await withKafkajs(scene, copying)
      await (await client.begin()).abort().catch(() => {})
      await client.close()
      return
    } catch (error) {
      if (attempt === 100) throw error
      await sleep(100)
    }
  }
}

export const withKafkajs: TransactionalClients = async (scene, { to, from, partition, group }) => {
  const producer = kafkajsClient(scene.address, `copier-${group}`, 'patient').producer({
    idempotent: true,
    transactionalId: group,
    transactionTimeout: 30_000,
    maxInFlightRequests: 1,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  })
  await producer.connect()
  return {
    async begin() {
      const transaction = await producer.transaction()
      return {
        async send(_, messages) {
          const [told] = await transaction.send({ topic: to.name, messages: [...messages] })
          return told?.baseOffset === undefined ? null : Number(told.baseOffset)
        },
        commitPlace: (next) =>
          transaction.sendOffsets({
            consumerGroupId: group,
            topics: [{ topic: from.name, partitions: [{ partition, offset: String(next) }] }],
          }),
        commit: () => transaction.commit(),
        abort: () => transaction.abort(),
      }
    },
    close: () => producer.disconnect(),
  }
}

export const withPlatformatic: TransactionalClients = async (scene, { to, from, partition, group }) => {
  const producer = new Producer({
    clientId: `copier-${group}`,
    bootstrapBrokers: [scene.address],
    serializers: stringSerializers,
    idempotent: true,
    transactionalId: group,
    acks: -1,
    retries: 100,
    retryDelay: 30,
    connectTimeout: 1_000,
    requestTimeout: 3_000,
  })
  const metadata = await producer.metadata({ topics: [from.name] })
  const coordinatorId = metadata.topics.get(from.name)!.partitions[partition]!.leader
  // This client takes a consumer's place from a message that the consumer handed out; ours reads without a group.
  const consumer = { groupId: group, generationId: -1, memberId: '', coordinatorId }
  return {
    async begin() {
      const transaction = await producer.beginTransaction(
        // It claims to be producer 0 in epoch 0 if it is not told to claim nothing, and is fenced for it.
        { producerId: -1n, producerEpoch: -1 },
      )
      return {
        async send(toPartition, messages) {
          const { offsets } = await transaction.send({
            messages: messages.map(({ key, value }) => ({ topic: to.name, partition: toPartition, key, value })),
          })
          const base = offsets?.[0]?.offset
          return base === undefined ? null : Number(base)
        },
        async commitPlace(next) {
          await transaction.addConsumer(consumer as never)
          const message = { topic: from.name, partition, offset: BigInt(next - 1), metadata: { consumer } }
          await transaction.addOffset(message as never)
        },
        commit: () => transaction.commit(),
        abort: () => transaction.abort(),
      }
    },
    close: () => producer.close(true),
  }
}
