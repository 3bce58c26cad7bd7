// Feeds mutated frames to the whole server, each on a connection of its own that exists in memory only, and holds it to
// its promises: answered in the protocol's form or disconnected, never thrown, never long at work.
import assert from 'node:assert/strict'
import { getHeapStatistics } from 'node:v8'
import { openBroker } from '../../src/broker/broker.ts'
import { randomStream } from '../../src/std/random.ts'
import { apis, readResponse } from '../../src/wire/wire.ts'
import { nodeWorld } from '../../src/world/node.ts'
import type { Socket, World } from '../../src/world/world.ts'
import { madeFrames } from './made-frames.ts'
import { mutated, recordedFrames } from './mutations.ts'

export interface FuzzResult {
  readonly answered: number
  readonly closed: number
  /** Rightly so: long polls, members that wait for others, Produce without acknowledgement. */
  readonly silent: number
}

/** Processor time of one frame. A frame that took longer is tried again: others share the machine, and memory is tidied. */
const cpuMsMax = 50
const triesMax = 4
/**
 * What a frame may allocate from its arrival to its answer, garbage included: four times its size and the floor of decision 0026,
 * and what it takes to write the answer, which is as long as what there is to tell. Tried again, too: code is compiled in between.
 */
const heapBytesMax = (frame: Uint8Array, answers: readonly Uint8Array[], partitions: number): number =>
  4 * frame.length + 64 * 1024 + 128 * partitions + 50 * answers.reduce((bytes, answer) => bytes + answer.length, 0)
const heapTriesMax = 12
/** A broker gathers topics and groups; after so many frames a new one begins. */
const framesPerBroker = 2_000

const mayBeSilent: ReadonlySet<number> = new Set(
  [apis.produce, apis.fetch, apis.joinGroup, apis.syncGroup].map(({ key }) => key),
)

interface Peer {
  readonly socket: Socket
  send(bytes: Uint8Array): void
  readonly sent: Uint8Array[]
  readonly isClosed: boolean
}
function peer(port: number): Peer {
  let onData = (_: Uint8Array): void => {}
  let onClose = (_: Error | null): void => {}
  let closed = false
  const sent: Uint8Array[] = []
  const close = (): void => {
    if (closed) return
    closed = true
    onClose(null)
  }
  return {
    sent,
    get isClosed() {
      return closed
    },
    send: (bytes) => onData(bytes),
    socket: {
      remote: `127.0.0.1:${port}`,
      local: '127.0.0.1:9092',
      peerSubject: null,
      queuedBytes: 0,
      write(bytes) {
        sent.push(bytes)
        return true
      },
      writeAll(chunks, taken) {
        for (const bytes of chunks) sent.push(bytes.slice())
        taken()
        return true
      },
      onData(handler) {
        onData = handler
      },
      onDrain() {},
      onClose(handler) {
        onClose = handler
      },
      pause() {},
      resume() {},
      end: close,
      destroy: close,
    },
  }
}

async function open() {
  const world = nodeWorld()
  let accept = (_: Socket): void => {}
  const listening: World = {
    ...world,
    random: randomStream('fuzz broker'),
    net: {
      ...world.net,
      async listen(address, accepting) {
        accept = accepting
        return { ...address, close: async () => {} }
      },
    },
  }
  const broker = await openBroker(listening, {
    dataDir: null,
    durability: 'process',
    partitionsMax: 1_000,
    autoCreate: { partitions: 1 },
  })
  await broker.createTopic({ name: 'topic', partitions: 2 })
  await broker.listen({ host: '127.0.0.1', port: 9092 })
  const partitions = (): number => broker.topics().reduce((sum, topic) => sum + topic.partitions, 0)
  return { broker, partitions, accept: (socket: Socket) => accept(socket) }
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Throws with the frame in hexadecimal digits when a promise is broken. */
export async function fuzz(seed: string, count: number, tell: (done: number) => void = () => {}): Promise<FuzzResult> {
  const frames = [...recordedFrames(), ...(await madeFrames())]
  const random = randomStream(seed)
  const result = { answered: 0, closed: 0, silent: 0 }
  let broken: unknown = null
  const onBroken = (error: unknown): void => {
    broken ??= error
  }
  process.on('unhandledRejection', onBroken)
  process.on('uncaughtException', onBroken)
  let house = await open()
  try {
    for (let i = 0; i < count; i++) {
      if (i > 0 && i % framesPerBroker === 0) {
        await house.broker.close()
        house = await open()
        tell(i)
      }
      const frame = mutated(frames, random)
      const told = `seed ${seed}, frame ${i}: ${Buffer.from(frame).toString('hex')}`
      let outcome = await one(house, frame)
      for (let tries = 1; outcome.cpuMs > cpuMsMax && tries < triesMax; tries++) outcome = await one(house, frame)
      assert.ok(outcome.cpuMs <= cpuMsMax, `${outcome.cpuMs} ms of work, ${triesMax} times, for ${told}`)
      const isTooMuch = ({ heapBytes, answers }: typeof outcome): boolean =>
        heapBytes > heapBytesMax(frame, answers, house.partitions())
      for (let tries = 1; isTooMuch(outcome) && tries < heapTriesMax; tries++) outcome = await one(house, frame)
      assert.ok(!isTooMuch(outcome), `${outcome.heapBytes} bytes allocated, ${heapTriesMax} times, for ${told}`)
      if (broken !== null) throw new Error(`thrown in the server by ${told}`, { cause: broken })
      if (outcome.answers.length > 0) checkAnswer(frame, Buffer.concat(outcome.answers), told)
      if (outcome.closed) result.closed++
      else if (outcome.answers.length > 0) result.answered++
      else {
        result.silent++
        assert.ok(mayBeSilent.has(new DataView(frame.buffer).getInt16(0)), `no answer to ${told}`)
      }
    }
  } finally {
    await house.broker.close()
    process.off('unhandledRejection', onBroken)
    process.off('uncaughtException', onBroken)
  }
  return result
}

async function one({ accept }: Awaited<ReturnType<typeof open>>, frame: Uint8Array) {
  const client = peer(1_024)
  accept(client.socket)
  const framed = new Uint8Array(4 + frame.length)
  new DataView(framed.buffer).setInt32(0, frame.length)
  framed.set(frame, 4)
  const before = process.cpuUsage()
  const heapBefore = heapBytes()
  client.send(framed)
  // Reading, checking, appending, flushing, answering: each may take a turn of the loop.
  for (let turns = 0; turns < 30 && client.sent.length === 0 && !client.isClosed; turns++) await turn()
  const grownBytes = heapBytes() - heapBefore
  const { user, system } = process.cpuUsage(before)
  const closed = client.isClosed
  client.socket.destroy()
  // Less than nothing: the collector came in between.
  return { heapBytes: grownBytes, cpuMs: (user + system) / 1_000, closed, answers: client.sent }
}

function heapBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics()
  return used_heap_size + external_memory
}

/** What is answered can be read by the one who asked. */
function checkAnswer(frame: Uint8Array, answer: Buffer, told: string): void {
  const asked = new DataView(frame.buffer, frame.byteOffset, frame.length)
  const [apiKey, version, correlationId] = [asked.getInt16(0), asked.getInt16(2), asked.getInt32(4)]
  assert.equal(answer.readInt32BE(0), answer.length - 4, `the answer's length to ${told}`)
  assert.equal(answer.readInt32BE(4), correlationId, `the correlation id of the answer to ${told}`)
  const api = Object.values(apis).find(({ key }) => key === apiKey)
  assert.ok(api !== undefined, `an answer to a key that is not served, to ${told}`)
  if (version >= api.versions.min && version <= api.versions.max) {
    readResponse(api as never, version, new Uint8Array(answer.subarray(4)))
  }
}
