// Strangers' consumers under a recorder: assigned (kcat) and subscribed (kafkajs, @platformatic/kafka), all read_committed.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { Consumer, stringDeserializers } from '@platformatic/kafka'
import type { CommitBook } from './commit-book.ts'
import { provenValue } from './payload.ts'
import { type Scene, sleep } from './scene.ts'
import { kafkajsClient, type Target } from './writers.ts'

export const kcatIsThere = (): boolean => spawnSync('kcat', ['-V']).status === 0

/** One partition from its beginning on; kcat ends when the broker is away, and the next one reads on where it was. */
export async function assignedKcat(scene: Scene, target: Target, partition: number): Promise<void> {
  const { recorder } = scene
  const process = recorder.newProcess()
  const key = recorder.keyOf(target.name, partition)
  recorder.reads(process, 'assign')
  let next = 0
  while (!scene.isOver()) {
    const child: ChildProcess = spawn(
      'kcat',
      ['-C', '-b', scene.address, '-t', target.name, '-p', String(partition), '-o', String(next), '-u', '-q'].concat([
        '-f',
        '%o\t%k\t%s\n',
        '-X',
        'fetch.wait.max.ms=50',
        '-X',
        'check.crcs=true',
        '-X',
        'isolation.level=read_committed',
      ]),
      { stdio: ['ignore', 'pipe', 'ignore'] },
    )
    let isGone = false
    const gone = new Promise<void>((resolve) => child.on('close', () => resolve())).then(() => {
      isGone = true
    })
    let text = ''
    child.stdout!.on('data', (bytes: Buffer) => {
      text += bytes.toString()
      const lines = text.split('\n')
      text = lines.pop()!
      const records = lines.map((line) => line.split('\t'))
      if (records.length === 0) return
      const offsets = records.map(([offset]) => Number(offset))
      const values = records.map(([, key, value]) => provenValue(key ?? null, value ?? null))
      next = offsets.at(-1)! + 1
      recorder.polled(process, [{ key, offsets, values }])
    })
    while (!isGone && !scene.isOver()) await sleep(20)
    child.kill('SIGKILL')
    await gone
    if (!scene.isOver()) await sleep(50)
  }
}

/** A member of a group that commits what it has read, after each batch or some time later. */
export async function subscribedKafkajs(
  scene: Scene,
  target: Target,
  groupId: string,
  book: CommitBook,
): Promise<void> {
  const { recorder } = scene
  while (!scene.isOver()) {
    const process = recorder.newProcess()
    const consumer = kafkajsClient(scene.address, `member-${process}`, 'patient').consumer({
      groupId,
      sessionTimeout: 6_000,
      rebalanceTimeout: 6_000,
      heartbeatInterval: 300,
      maxWaitTimeInMs: 50,
      readUncommitted: false,
    })
    recorder.reads(process, 'subscribe')
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      recorder.reads(process, 'subscribe')
      for (const partition of payload.memberAssignment[target.name] ?? []) {
        book.tell(`${groupId} ${target.name}/${partition}`, `member-${process} is given it`)
      }
    })
    // Its `commitOffsets` also resolves when the member was on its way out and nothing was committed; this event does not lie.
    consumer.on(consumer.events.COMMIT_OFFSETS, ({ payload }) => {
      for (const { topic, partitions } of payload.topics) {
        for (const { partition, offset } of partitions) {
          book.acked(groupId, `${topic}/${partition}`, Number(offset), `member-${process}`)
        }
      }
    })
    let isCrashed = false
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      isCrashed = !payload.restart
    })
    try {
      await consumer.connect()
      await consumer.subscribe({ topics: [target.name], fromBeginning: true })
      await consumer.run({
        autoCommit: false,
        eachBatch: async ({ batch, isStale }) => {
          if (isStale() || batch.messages.length === 0) return
          const key = recorder.keyOf(batch.topic, batch.partition)
          const offsets = batch.messages.map(({ offset }) => Number(offset))
          const values = batch.messages.map(({ key, value }) => provenValue(key && String(key), value && String(value)))
          recorder.polled(process, [{ key, offsets, values }])
          const { topic, partition } = batch
          await consumer.commitOffsets([{ topic, partition, offset: String(offsets.at(-1)! + 1) }])
        },
      })
      while (!scene.isOver() && !isCrashed) await sleep(20)
    } catch {
      // The broker was away for longer than this client waits.
    } finally {
      await consumer.disconnect().catch(() => {})
    }
    if (!scene.isOver()) await sleep(50)
  }
}

/** The same with @platformatic/kafka, which needs a guard: it goes on handing out what it has lost in a rebalance. */
export async function subscribedPlatformatic(
  scene: Scene,
  target: Target,
  groupId: string,
  book: CommitBook,
): Promise<void> {
  const { recorder } = scene
  while (!scene.isOver()) {
    const process = recorder.newProcess()
    const consumer = new Consumer({
      clientId: `member-${process}`,
      bootstrapBrokers: [scene.address],
      groupId,
      groupProtocol: 'classic',
      deserializers: stringDeserializers,
      sessionTimeout: 6_000,
      rebalanceTimeout: 6_000,
      heartbeatInterval: 300,
      retries: 200,
      retryDelay: 50,
      connectTimeout: 1_000,
      requestTimeout: 5_000,
    })
    consumer.on('error', () => {})
    // Or it asks with the leader epoch of before the restart until its retries are used up (docs/operations.md).
    consumer.on('consumer:group:join', () => consumer.clearMetadata())
    recorder.reads(process, 'subscribe')
    // Never back, whoever joins: what it had fetched before comes again otherwise, and would be committed again.
    const positions = new Map<string, bigint>()
    consumer.on('consumer:group:join', () => recorder.reads(process, 'subscribe'))
    let stop = (): Promise<void> => Promise.resolve()
    try {
      const stream = await consumer.consume({
        topics: [target.name],
        mode: 'committed',
        fallbackMode: 'earliest',
        autocommit: false,
        maxWaitTime: 50,
      })
      let isBroken = false
      stream.on('error', () => {
        isBroken = true
      })
      const reading = (async () => {
        for await (const message of stream) {
          const { topic, partition, offset } = message
          const name = `${topic}/${partition}`
          const isOurs = consumer.assignments?.some(
            (each) => each.topic === topic && each.partitions.includes(partition),
          )
          if (isOurs !== true || offset < (positions.get(name) ?? 0n)) continue
          positions.set(name, offset + 1n)
          const value = provenValue(message.key, message.value)
          recorder.polled(process, [
            { key: recorder.keyOf(topic, partition), offsets: [Number(offset)], values: [value] },
          ])
          if (scene.random.below(8) === 0) {
            await book
              .commit(groupId, name, Number(offset) + 1, `member-${process}`, async () => await message.commit())
              .catch(() => {})
          }
        }
      })().catch(() => {
        isBroken = true
      })
      stop = async () => {
        await stream.close().catch(() => {})
        await reading
      }
      while (!scene.isOver() && !isBroken) await sleep(20)
    } catch {
      // The broker was away for longer than this client waits.
    } finally {
      await Promise.race([stop().then(() => consumer.close(true)), sleep(3_000)]).catch(() => {})
    }
    if (!scene.isOver()) await sleep(50)
  }
}
