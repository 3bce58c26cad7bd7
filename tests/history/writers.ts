// Strangers' idempotent producers under a recorder: each acknowledged record with its offset, and a new process after any
// unclear answer.
import { spawn } from 'node:child_process'
import { Producer, stringSerializers } from '@platformatic/kafka'
import kafkajs from 'kafkajs'
import { payloadOf } from './payload.ts'
import { type Scene, sleep } from './scene.ts'

export interface Target {
  readonly name: string
  readonly partitions: number
}

/**
 * How long a producer goes on trying. One that is patient outlives a restart of the broker and sends again what it has no
 * answer for: only the broker's memory of its sequences keeps that from being there twice.
 */
export type Patience = 'patient' | 'hasty'

interface Batch {
  readonly partition: number
  readonly sends: readonly { readonly key: number; readonly value: number }[]
}
function nextBatch({ random, recorder }: Scene, { name, partitions }: Target): Batch {
  const partition = random.below(partitions)
  const key = recorder.keyOf(name, partition)
  return { partition, sends: Array.from({ length: 1 + random.below(4) }, () => ({ key, value: recorder.newValue() })) }
}
const withOffsets = (sends: Batch['sends'], base: number | null) =>
  sends.map((send, i) => ({ ...send, offset: base === null ? null : base + i }))

/** Runs until the scene is over; a broker that is away is waited for. */
async function whileItLasts(scene: Scene, life: () => Promise<void>): Promise<void> {
  while (!scene.isOver()) {
    const before = scene.recorder.acked
    await life().catch(() => {})
    // Without a broker attempts would only fill the history with what never happened.
    const isIdle = scene.recorder.acked === before
    if (!scene.isOver()) await sleep(isIdle ? 150 : 10 + scene.random.below(40))
  }
}

export function platformaticWriter(scene: Scene, target: Target, patience: Patience, atOnce: number): Promise<void> {
  const { recorder } = scene
  return whileItLasts(scene, async () => {
    const producer = new Producer({
      clientId: `writer-${recorder.newProcess()}`,
      bootstrapBrokers: [scene.address],
      serializers: stringSerializers,
      idempotent: true,
      acks: -1,
      // Fewer than two mean "for ever" to an idempotent producer of this client.
      retries: patience === 'patient' ? 600 : 2,
      retryDelay: 25,
      connectTimeout: 1_000,
      requestTimeout: 3_000,
    })
    let isUnclear = false
    const sendOne = async (process: number): Promise<void> => {
      const { partition, sends } = nextBatch(scene, target)
      const slot = recorder.begin(process, 'send', sends)
      try {
        const messages = sends.map(({ value }) => ({ topic: target.name, partition, ...payloadOf(value) }))
        const { offsets } = await producer.send({ messages })
        slot.end('ok', { sends: withOffsets(sends, Number(offsets![0]!.offset)) })
      } catch {
        slot.end('info')
        isUnclear = true
      }
    }
    try {
      // Each lane is a process: this client gives sequences only once it knows the partition's leader, and so to sends that are
      // begun at once while the broker is away in any order. The sequences themselves are judged (sequences.ts).
      const lane = async (): Promise<void> => {
        const process = recorder.newProcess()
        while (!isUnclear && !scene.isOver()) await sendOne(process)
      }
      await Promise.all(Array.from({ length: atOnce }, lane))
    } finally {
      await producer.close(true).catch(() => {})
    }
  })
}

export const kafkajsClient = (address: string, clientId: string, patience: Patience): kafkajs.Kafka =>
  new kafkajs.Kafka({
    clientId,
    brokers: [address],
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 1_000,
    requestTimeout: 3_000,
    enforceRequestTimeout: true,
    retry: { initialRetryTime: 20, maxRetryTime: 100, retries: patience === 'patient' ? 200 : 1 },
  })

export function kafkajsWriter(scene: Scene, target: Target, patience: Patience): Promise<void> {
  const { recorder } = scene
  return whileItLasts(scene, async () => {
    const process = recorder.newProcess()
    const producer = kafkajsClient(scene.address, `writer-${process}`, patience).producer({
      idempotent: true,
      // More at once and this client mixes up its sequences (its issue 598).
      maxInFlightRequests: 1,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    })
    try {
      await producer.connect()
      while (!scene.isOver()) {
        const { partition, sends } = nextBatch(scene, target)
        const slot = recorder.begin(process, 'send', sends)
        try {
          const messages = sends.map(({ value }) => ({ partition, ...payloadOf(value) }))
          const [told] = await producer.send({ topic: target.name, acks: -1, messages })
          slot.end('ok', { sends: withOffsets(sends, Number(told!.baseOffset)) })
        } catch {
          slot.end('info')
          return
        }
      }
    } finally {
      await producer.disconnect().catch(() => {})
    }
  })
}

/** librdkafka: short lives of forty records each, up to five requests in flight; ends by itself when no broker is there. */
export function kcatWriter(scene: Scene, target: Target): Promise<void> {
  const { recorder } = scene
  return whileItLasts(scene, async () => {
    const process = recorder.newProcess()
    const partition = scene.random.below(target.partitions)
    const key = recorder.keyOf(target.name, partition)
    const sends = Array.from({ length: 40 }, () => ({ key, value: recorder.newValue() }))
    const slots = sends.map((send) => recorder.begin(process, 'send', [send]))
    const child = spawn(
      'kcat',
      ['-P', '-b', scene.address, '-t', target.name, '-p', String(partition), '-K', '\t', '-v', '-v', '-v'].concat(
        ['-X', 'enable.idempotence=true', '-X', 'queue.buffering.max.ms=1', '-X', 'batch.num.messages=7'],
        ['-X', 'topic.produce.offset.report=true', '-X', 'message.timeout.ms=5000'],
      ),
      { stdio: ['pipe', 'ignore', 'pipe'] },
    )
    const gone = new Promise<void>((resolve) => child.on('close', () => resolve()))
    let told = 0
    let text = ''
    child.stderr.on('data', (bytes: Buffer) => {
      text += bytes.toString()
      const lines = text.split('\n')
      text = lines.pop()!
      for (const line of lines) {
        // One partition, one producer: reports come in the order of the records.
        const offset = /delivered to partition \d+ \(offset (\d+)\)/.exec(line)?.[1]
        const at = told
        if (offset !== undefined) slots[at]?.end('ok', { sends: [{ ...sends[at]!, offset: Number(offset) }] })
        if (offset !== undefined || line.includes('Delivery failed')) told++
      }
    })
    child.stdin.on('error', () => {})
    child.stdin.end(sends.map(({ value }) => Object.values(payloadOf(value)).join('\t')).join('\n'))
    await gone
    for (const slot of slots) slot.end('info')
  })
}
