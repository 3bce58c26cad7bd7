// TLS on a listener: what travels is what was sent, whatever its size; handshakes end in time, in number, and with old
// versions; names of certificates as RFC 2253 writes them; material that cannot be used.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createConnection, type Socket as NodeSocket } from 'node:net'
import { after, test } from 'node:test'
import { type ConnectionOptions, connect } from 'node:tls'
import { nodeWorld } from './node.ts'
import { type Listener, NetError, type ServerTls, type Socket } from './world.ts'

const world = nodeWorld()
const file = (name: string): Buffer => readFileSync(new URL(`../../tests/certificates/${name}`, import.meta.url))
const ca = file('authority.pem')
const material: ServerTls = {
  certificate: file('server.pem'),
  key: file('server.key'),
  clientCa: null,
  handshakeMsMax: 10_000,
  handshakesMax: 10,
}
const cleanUps: (() => unknown)[] = []
after(async () => {
  for (const cleanUp of cleanUps) await cleanUp()
})

async function listening(over: Partial<ServerTls> = {}) {
  const accepted: Socket[] = []
  let tell = (): void => {}
  const listener: Listener = await world.net.listen(
    { host: '127.0.0.1', port: 0 },
    (socket) => {
      accepted.push(socket)
      tell()
    },
    { ...material, ...over },
  )
  cleanUps.push(() => listener.close())
  const next = async (): Promise<Socket> => {
    while (accepted.length === 0) {
      await new Promise<void>((resolve) => {
        tell = resolve
      })
    }
    return accepted.shift()!
  }
  return { listener, accepted, next }
}
function client(listener: Listener, options: ConnectionOptions = {}) {
  const socket = connect({ host: '127.0.0.1', port: listener.port, ca, ...options })
  const secured = new Promise<null | string>((resolve) => {
    socket.once('secureConnect', () => resolve(null))
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  })
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('error', () => {})
  cleanUps.push(() => socket.destroy())
  return { socket, secured, closed }
}
const closedOf = (socket: NodeSocket): Promise<void> =>
  new Promise((resolve) => {
    socket.on('error', () => {})
    socket.once('close', () => resolve())
  })

test('bytes both ways, in order, through pauses; the end is an end', async () => {
  const { listener, next } = await listening()
  const { socket, secured, closed } = client(listener)
  assert.equal(await secured, null)
  const there = await next()
  assert.equal(there.peerSubject, null)
  assert.equal(there.local, `127.0.0.1:${listener.port}`)
  const sent = Buffer.from(Array.from({ length: 500_000 }, (_, i) => (i * 31) ^ (i >> 8)))
  let got = 0
  const all = new Promise<void>((resolve) => {
    there.onData((bytes) => {
      assert.ok(sent.subarray(got, got + bytes.length).equals(bytes))
      got += bytes.length
      there.pause()
      setImmediate(() => there.resume())
      if (got === sent.length) resolve()
    })
  })
  socket.write(sent)
  await all
  const back: Buffer[] = []
  socket.on('data', (bytes: Buffer) => back.push(bytes))
  const drained = new Promise<void>((resolve) => there.onDrain(resolve))
  assert.equal(there.write(sent), false)
  assert.ok(there.queuedBytes > 0)
  await drained
  const over = new Promise<Error | null>((resolve) => there.onClose(resolve))
  there.end()
  await closed
  assert.equal(await over, null)
  assert.ok(Buffer.concat(back).equals(sent))
})

test('TLS 1.2 and 1.3, nothing older; and nothing that is no TLS', async () => {
  const { listener, accepted } = await listening()
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { socket, secured } = client(listener, { minVersion: version, maxVersion: version })
    assert.equal(await secured, null)
    assert.equal(socket.getProtocol(), version)
  }
  const old = client(listener, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })
  assert.notEqual(await old.secured, null)
  const plain = createConnection(listener.port, '127.0.0.1')
  plain.write('GET / HTTP/1.1\r\n\r\n')
  plain.resume()
  await closedOf(plain)
  assert.equal(accepted.length, 2)
})

test('a handshake that never ends is ended, and so many are under way at most', async () => {
  const { listener, accepted, next } = await listening({ handshakeMsMax: 300, handshakesMax: 3 })
  const silent = Array.from({ length: 3 }, () => createConnection(listener.port, '127.0.0.1'))
  await Promise.all(silent.map((socket) => new Promise<void>((resolve) => socket.once('connect', () => resolve()))))
  const closings = silent.map(closedOf)
  for (const socket of silent) socket.resume()
  const tooMany = client(listener)
  assert.notEqual(await tooMany.secured, null)
  await Promise.all(closings)
  assert.equal(accepted.length, 0)
  const { secured } = client(listener)
  assert.equal(await secured, null, 'there is room again')
  await next()
})

test('closing the listener lets go of handshakes under way', async () => {
  const { listener } = await listening()
  const silent = createConnection(listener.port, '127.0.0.1')
  await new Promise<void>((resolve) => silent.once('connect', () => resolve()))
  const { secured } = client(listener)
  await secured
  const closed = closedOf(silent)
  silent.resume()
  await listener.close()
  await closed
})

test('client certificates: the name of one that is known; no other, and none, is let in', async () => {
  const { listener, next, accepted } = await listening({ clientCa: ca })
  const known = client(listener, { cert: file('client.pem'), key: file('client.key') })
  assert.equal(await known.secured, null)
  assert.equal((await next()).peerSubject, 'CN=shop\\, one,O=Millrace tests,C=BR')
  for (const shown of [{}, { cert: file('stranger.pem'), key: file('stranger.key') }]) {
    const { socket, closed } = client(listener, shown)
    socket.resume()
    await closed
  }
  assert.equal(accepted.length, 0)
})

test('material that cannot be used is said to be so, and shows nothing of the key', async () => {
  const secret = file('server.key').toString().split('\n')[1] ?? ''
  assert.ok(secret.length > 20)
  for (const over of [
    { certificate: Buffer.from('no PEM') },
    { key: Buffer.from(`no PEM ${secret}`) },
    { key: file('client.key') },
    { clientCa: Buffer.from('no PEM') },
    { clientCa: Buffer.alloc(0) },
  ]) {
    await assert.rejects(listening(over), (error) => {
      assert.ok(error instanceof NetError)
      assert.equal(error.code, 'TLS')
      assert.ok(!error.message.includes(secret))
      return true
    })
  }
})
