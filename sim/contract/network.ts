// What world.ts says about connections, sentence by sentence.
import assert from 'node:assert/strict'
import { type Listener, NetError, type Socket, type World } from '../../src/world/world.ts'
import type { ContractCase } from './case.ts'

const host = '127.0.0.1'

async function connected(world: World): Promise<{ listener: Listener; here: Socket; there: Socket }> {
  let accepted: (socket: Socket) => void = () => {}
  const arrival = new Promise<Socket>((resolve) => {
    accepted = resolve
  })
  const listener = await world.net.listen({ host, port: 0 }, (socket) => accepted(socket))
  const here = await world.net.connect({ host, port: listener.port })
  return { listener, here, there: await arrival }
}
const closeOf = (socket: Socket): Promise<Error | null> => new Promise((resolve) => socket.onClose(resolve))

/** Resolves with all bytes once so many have come. */
function take(socket: Socket, count: number): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const bytes = new Uint8Array(count)
    let at = 0
    socket.onData((piece) => {
      bytes.set(piece, at)
      at += piece.length
      if (at === count) resolve(bytes)
    })
  })
}
const pattern = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, i) => (i * 31) ^ (i >> 8))

export const networkCases: readonly ContractCase[] = [
  {
    name: 'port 0 picks one; bytes travel both ways, in order, whatever the pieces',
    async run({ world }) {
      const { listener, here, there } = await connected(world)
      assert.ok(listener.port > 0)
      assert.match(here.remote, new RegExp(`:${listener.port}$`))
      assert.equal(there.local, here.remote)
      assert.equal(there.remote, here.local)
      const sent = pattern(300_000)
      const [toThere, toHere] = [take(there, sent.length), take(here, 5)]
      for (let at = 0; at < sent.length; at += 7_001) here.write(sent.subarray(at, at + 7_001))
      there.write(pattern(5))
      assert.deepEqual(await toThere, sent)
      assert.deepEqual(await toHere, pattern(5))
      const closed = [closeOf(here), closeOf(there)]
      here.end()
      assert.deepEqual(await Promise.all(closed), [null, null])
      await listener.close()
    },
  },
  {
    name: 'writeAll sends its chunks in order, and what it has taken may change',
    async run({ world }) {
      const { listener, here, there } = await connected(world)
      const sent = pattern(900_000)
      const received = take(there, sent.length)
      const memory = new Uint8Array(100_000)
      for (let at = 0; at < sent.length; at += memory.length) {
        memory.set(sent.subarray(at, at + memory.length))
        const chunks = [memory.subarray(0, 10), memory.subarray(10, 70_000), memory.subarray(70_000)]
        await new Promise<void>((taken) => here.writeAll(chunks, taken))
        memory.fill(0)
      }
      assert.deepEqual(await received, sent)
      here.destroy()
      there.destroy()
      await listener.close()
    },
  },
  {
    name: 'listening on a port that is taken rejects with EADDRINUSE',
    async run({ world }) {
      const listener = await world.net.listen({ host, port: 0 }, () => {})
      await assert.rejects(
        world.net.listen({ host, port: listener.port }, () => {}),
        (error) => {
          assert.ok(error instanceof NetError)
          assert.equal(error.code, 'EADDRINUSE')
          return true
        },
      )
      await listener.close()
    },
  },
  {
    name: 'a closed listener accepts no more, and its open connections stay open; the port is free again',
    async run({ world }) {
      const { listener, here, there } = await connected(world)
      await listener.close()
      await assert.rejects(world.net.connect({ host, port: listener.port }), { name: 'NetError', code: 'ECONNREFUSED' })
      const received = take(there, 3)
      here.write(pattern(3))
      assert.deepEqual(await received, pattern(3))
      const again = await world.net.listen({ host, port: listener.port }, () => {})
      await again.close()
      here.destroy()
      there.destroy()
    },
  },
  {
    name: 'what comes before onData waits for it',
    async run({ world }) {
      const { listener, here, there } = await connected(world)
      here.write(pattern(100))
      await world.clock.sleep(30)
      assert.deepEqual(await take(there, 100), pattern(100))
      here.destroy()
      there.destroy()
      await listener.close()
    },
  },
  {
    name: 'end flushes what is queued before the connection is over',
    async run({ world }) {
      const { listener, here, there } = await connected(world)
      const sent = pattern(1_000_000)
      const [received, closed] = [take(there, sent.length), closeOf(here)]
      here.write(sent)
      here.end()
      assert.deepEqual(await received, sent)
      assert.equal(await closed, null)
      await listener.close()
    },
  },
  {
    name: 'when the peer ends, our side still says what it has queued, then ends too',
    async run({ world }) {
      const { listener, here, there } = await connected(world)
      const received = take(here, 200_000)
      there.write(pattern(200_000))
      there.onData(() => {})
      const closed = [closeOf(here), closeOf(there)]
      here.end()
      assert.deepEqual(await received, pattern(200_000))
      assert.deepEqual(await Promise.all(closed), [null, null])
      await listener.close()
    },
  },
  {
    name: 'write says false when the peer is slow; queuedBytes tells how much; onDrain when to go on',
    async run({ world }) {
      const { listener, here, there } = await connected(world)
      assert.equal(here.queuedBytes, 0)
      const piece = pattern(100_000)
      let pieces = 1
      while (here.write(piece)) {
        pieces++
        await world.clock.sleep(0)
        assert.ok(pieces < 10_000, 'a peer that never reads is never slow')
      }
      assert.ok(here.queuedBytes > 0)
      const drained = new Promise<void>((resolve) => here.onDrain(resolve))
      const received = take(there, pieces * piece.length)
      await drained
      assert.ok(here.queuedBytes < piece.length)
      await received
      assert.equal(here.queuedBytes, 0)
      here.destroy()
      there.destroy()
      await listener.close()
    },
  },
  {
    name: 'a paused connection hands over nothing until it is resumed, and loses nothing',
    async run({ world }) {
      const { listener, here, there } = await connected(world)
      let count = 0
      there.onData((bytes) => {
        count += bytes.length
      })
      there.pause()
      here.write(pattern(1000))
      await world.clock.sleep(40)
      assert.equal(count, 0)
      there.resume()
      for (let i = 0; count < 1000 && i < 1000; i++) await world.clock.sleep(5)
      assert.equal(count, 1000)
      here.destroy()
      there.destroy()
      await listener.close()
    },
  },
  {
    name: 'destroy closes both sides, each told once; writing to it afterwards goes nowhere',
    async run({ world }) {
      const { listener, here, there } = await connected(world)
      let told = 0
      there.onData(() => {})
      const over = closeOf(there)
      const closed = new Promise<Error | null>((resolve) =>
        here.onClose((error) => {
          told++
          resolve(error)
        }),
      )
      here.destroy()
      here.destroy()
      assert.equal(await closed, null)
      await over // null or a reset: both are true of what happened
      assert.equal(here.write(pattern(10)), false)
      await world.clock.sleep(20)
      assert.equal(told, 1)
      await listener.close()
    },
  },
  {
    name: 'onClose given after the end is still called',
    async run({ world }) {
      const { listener, here, there } = await connected(world)
      there.onData(() => {})
      here.destroy()
      await world.clock.sleep(40)
      assert.equal(await closeOf(here), null)
      await closeOf(there)
      await listener.close()
    },
  },
  {
    name: 'of each kind of handler the last one given counts',
    async run({ world }) {
      const { listener, here, there } = await connected(world)
      there.onData(() => assert.fail('the first handler was called'))
      const received = take(there, 10)
      here.write(pattern(10))
      assert.deepEqual(await received, pattern(10))
      here.destroy()
      there.destroy()
      await listener.close()
    },
  },
]
