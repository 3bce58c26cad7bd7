// Sockets that a server has made are taken over where Node is as it was, and left as they came where it is not.
import assert from 'node:assert/strict'
import { createConnection, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { takeOver } from './node-reading.ts'

async function accepted(): Promise<{ readonly came: Socket; readonly there: Socket; close(): void }> {
  const server = createServer({ pauseOnConnect: true })
  const arrival = new Promise<Socket>((resolve) => server.once('connection', resolve))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const there = createConnection(address.port, '127.0.0.1')
  const came = await arrival
  return {
    came,
    there,
    close() {
      there.destroy()
      server.close()
    },
  }
}

test('this Node lets its sockets be taken over: all connections read into the same memory', async () => {
  const memories: ArrayBufferLike[] = []
  for (const _ of [1, 2]) {
    const { came, there, close } = await accepted()
    const { socket, arrivals } = takeOver(came)
    assert.notEqual(socket, came)
    assert.ok(arrivals !== null)
    assert.equal(socket.remotePort, there.localPort)
    const bytes = await new Promise<Uint8Array>((resolve) => {
      arrivals.listen(socket, resolve)
      there.write('hello')
    })
    assert.equal(Buffer.from(bytes).toString(), 'hello')
    memories.push(bytes.buffer)
    const closed = new Promise((resolve) => there.once('close', resolve))
    there.resume()
    socket.end()
    await closed
    close()
  }
  assert.equal(memories[0], memories[1])
})

test('where the handle is not what it was, the socket stays as it came', async () => {
  const { came, there, close } = await accepted()
  const handle: unknown = Reflect.get(came, '_handle')
  Reflect.set(came, '_handle', {})
  const taken = takeOver(came)
  Reflect.set(came, '_handle', handle)
  assert.deepEqual(taken, { socket: came, arrivals: null })
  const got = new Promise<Buffer>((resolve) => came.once('data', resolve).resume())
  there.write('hello')
  assert.equal((await got).toString(), 'hello')
  came.destroy()
  close()
})
