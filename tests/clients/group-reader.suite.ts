// Members of a consumer group of @platformatic/kafka, of either protocol, that read exactly: what a reader must do for
// itself with this client is in `read`. And a producer that gives them something to read.
import { Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'

export interface ReaderSettings {
  readonly address: string
  /** `cooperative`: the classic protocol, and nobody lets go of what stays its own. */
  readonly protocol: 'classic' | 'cooperative' | 'consumer'
  readonly topic: string
  readonly groupId: string
  readonly name: string
  /** Changes whenever the broker is stopped or started, where that is done. */
  readonly life?: () => number
  /** Called before the client is closed, whatever comes. */
  readonly toClose: { push(client: { close(): Promise<void> }): void }
}
export const clientBase = (address: string) => ({
  clientId: 'test',
  bootstrapBrokers: [address],
  // A broker may take seconds to come back on a busy machine; who has given up does not join again.
  retries: 300,
  retryDelay: 50,
})

/** Sends `value-0` … in turn to all partitions until it is stopped; tells how many. */
export function steadily(address: string, topic: string, partitions: number, pauseMs = 5): { stop(): Promise<number> } {
  const producer = new Producer({ ...clientBase(address), serializers: stringSerializers })
  let stopped = false
  const sent = (async () => {
    let count = 0
    while (!stopped) {
      const messages = Array.from({ length: 2 * partitions }, (_, i) => ({
        topic,
        partition: i % partitions,
        key: 'k',
        value: `value-${count + i}`,
      }))
      await producer.send({ messages })
      count += messages.length
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
    await producer.close()
    return count
  })()
  return {
    stop() {
      stopped = true
      return sent
    },
  }
}

/** What happened in which order, over all members: commits that were acknowledged, and generations that were joined. */
let moments = 0
const committedAt = new Map<string, number>()

/** Where the group goes on in each partition that the member has. */
async function committedOf(consumer: Consumer<string, string, string, string>, topic: string) {
  const mine = consumer.assignments?.find((each) => each.topic === topic)?.partitions ?? []
  const committed = await consumer.listCommittedOffsets({ topics: [{ topic, partitions: mine }] })
  const offsets = committed.get(topic) ?? []
  return new Map(mine.map((partition) => [partition, (offsets[partition] ?? -1n) < 0n ? 0n : offsets[partition]!]))
}

export interface Member {
  readonly name: string
  readonly seen: string[]
  readonly problems: string[]
  /** Records it was given though they had been committed before it joined the generation in which it was. */
  readonly anew: string[]
  /** Partitions of commits that were under way while the broker's life changed: the client sends them again. */
  readonly cutOff: Set<number>
  leave(): Promise<void>
}
export async function member(settings: ReaderSettings): Promise<Member> {
  const { topic, groupId, name, protocol } = settings
  const consumer = new Consumer({
    ...clientBase(settings.address),
    clientId: name,
    groupId,
    groupProtocol: protocol === 'consumer' ? 'consumer' : 'classic',
    ...(protocol === 'cooperative' ? { protocols: [{ name: 'cooperative-sticky', version: 1 }] } : {}),
    deserializers: stringDeserializers,
    sessionTimeout: 6_000,
    rebalanceTimeout: 6_000,
    heartbeatInterval: 100,
  })
  // A broker that starts again leads in another epoch, Kafka's as well. In the classic protocol this client then asks
  // ListOffsets with the epoch that it knew, is answered FENCED_LEADER_EPOCH, and asks the same again until its retries are
  // used up: `retries` times `retryDelay` without a record. It looks at the metadata anew only if a connection was refused
  // in between, so a broker that is back at once is what it does not expect. Every user of it needs this line, before the
  // first `consume`, whose stream listens as well. (Not at a disconnect: without metadata it closes without leaving.)
  consumer.on('consumer:group:join', () => consumer.clearMetadata())
  const seen: string[] = []
  const problems: string[] = []
  const anew: string[] = []
  const cutOff = new Set<number>()
  let left: Promise<void> | null = null
  /** What is to be taken next of each partition of the generation: what was committed when it began, and on from there. */
  let next: Promise<Map<number, bigint>> = Promise.resolve(new Map())
  let joinedAt = 0
  const committed = async (): Promise<Map<number, bigint>> => {
    while (left === null) {
      try {
        return await committedOf(consumer, topic)
      } catch (error) {
        problems.push(String(error))
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    return new Map()
  }
  // The classic protocol says when a generation begins. The other does not: then the client has another list.
  let told: typeof consumer.assignments
  let isTold = false
  consumer.on('consumer:group:join', () => {
    isTold = false
  })
  const present = (): typeof next => {
    if (isTold && consumer.assignments === told) return next
    isTold = true
    told = consumer.assignments
    joinedAt = ++moments
    next = committed()
    return next
  }
  // Without a listener such an event ends the process: of a heartbeat that finds its connection closed, for one.
  consumer.on('error', (error: unknown) => problems.push(String(error)))
  const consume = async () => {
    const made = await consumer.consume({
      topics: [topic],
      mode: 'committed',
      fallbackMode: 'earliest',
      autocommit: false,
      maxWaitTime: 100,
    })
    made.on('error', (error) => problems.push(String(error)))
    return made
  }
  let stream = await consume()
  const read = async (): Promise<void> => {
    for await (const message of stream) {
      // After a rebalance this client goes on to hand out what it had fetched before, also of partitions that it has
      // lost, and would commit it in the new generation: the group would go back. Nor does it always go on at the
      // committed offset in one that it has got: an answer that was on its way moves it on, past what nobody has read.
      // So a reader has to look for itself: it takes the one record that is next, and sends the client back to it.
      const { partition, offset } = message
      let generation = present()
      let wanted = await generation
      while (generation !== present()) {
        generation = present()
        wanted = await generation
      }
      const expected = wanted.get(partition)
      if (expected !== undefined && offset > expected) stream.offsetsToFetch.set(`${topic}:${partition}`, expected)
      if (offset !== expected) continue
      wanted.set(partition, offset + 1n)
      seen.push(message.value)
      const place = `${message.topic}/${message.partition}/${message.offset}`
      if ((committedAt.get(place) ?? Infinity) < joinedAt) anew.push(place)
      const life = settings.life?.()
      try {
        await message.commit()
        if (!committedAt.has(place)) committedAt.set(place, ++moments)
      } catch (error) {
        // In the middle of a rebalance: whoever owns the partition next reads it again.
        problems.push(String(error))
      }
      if (life !== settings.life?.()) cutOff.add(partition)
    }
  }
  const reading = (async () => {
    while (left === null) {
      // A commit that is refused now and then takes the whole stream along.
      try {
        if (stream.destroyed) stream = await consume()
        await read()
      } catch (error) {
        problems.push(String(error))
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
  })()
  const leave = (): Promise<void> =>
    (left ??= (async () => {
      // It closes its own connections under requests of its own that still wait, and now and then fails of that.
      const closed = async (closing: Promise<unknown>): Promise<void> => {
        await closing.catch((error: unknown) => problems.push(String(error)))
      }
      await closed(stream.close())
      await closed(reading)
      await closed(consumer.close(true))
    })())
  settings.toClose.push({ close: leave })
  return { name, seen, problems, anew, cutOff, leave }
}
