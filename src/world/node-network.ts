// Node's TCP as a `Network`; TLS lies in node-tls.ts, reading in node-reading.ts.
import { createConnection, createServer, type Socket as NodeSocket, type Server } from 'node:net'
import { Arrivals, takeOver } from './node-reading.ts'
import { type Listener, NetError, type Network, type Socket } from './world.ts'

export function nodeNetwork(): Network {
  return {
    async listen({ host, port }, accept, tls = null) {
      // TLS is loaded by who needs it.
      const { server, abandon } =
        tls === null
          ? acceptPlain(({ socket, arrivals }) => accept(new TcpSocket(socket, arrivals, null)))
          : (await import('./node-tls.ts')).acceptTls(tls, (socket, subject) =>
              accept(new TcpSocket(socket, null, subject)),
            )
      return await new Promise<Listener>((resolve, reject) => {
        server.once('error', (error) => reject(netError(error, `cannot listen on ${host}:${port}`)))
        server.listen({ host, port }, () => {
          const address = server.address()
          const bound = typeof address === 'object' && address !== null ? address : { address: host, port }
          resolve({
            host: bound.address,
            port: bound.port,
            // Node's own callback waits for every open connection to end; ours says that no new ones come.
            close: () =>
              new Promise((closed) => {
                server.close()
                abandon()
                setImmediate(closed)
              }),
          })
        })
      })
    },
    async connect({ host, port }, tls = null) {
      if (tls !== null) {
        const { connectTls } = await import('./node-tls.ts')
        return new TcpSocket(await connectTls({ host, port }, tls), null, null)
      }
      return await new Promise<Socket>((resolve, reject) => {
        const arrivals = new Arrivals()
        const socket = createConnection({ host, port, noDelay: true, onread: arrivals.onread })
        const refused = (error: Error): void => reject(netError(error, `cannot connect to ${host}:${port}`))
        socket.once('error', refused)
        socket.once('connect', () => {
          socket.off('error', refused)
          resolve(new TcpSocket(socket, arrivals, null))
        })
      })
    },
  }
}

function acceptPlain(accept: (taken: ReturnType<typeof takeOver>) => void): {
  readonly server: Server
  abandon(): void
} {
  const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => accept(takeOver(socket)))
  return { server, abandon() {} }
}

class TcpSocket implements Socket {
  readonly remote: string
  readonly local: string
  readonly peerSubject: string | null
  readonly #socket: NodeSocket
  /** Null: bytes come as events of the socket. */
  readonly #arrivals: Arrivals | null
  #error: Error | null = null
  #closed = false
  #onClose: ((error: Error | null) => void) | null = null

  constructor(socket: NodeSocket, arrivals: Arrivals | null, peerSubject: string | null) {
    this.#socket = socket
    this.#arrivals = arrivals
    this.peerSubject = peerSubject
    this.remote = `${socket.remoteAddress}:${socket.remotePort}`
    this.local = `${socket.localAddress}:${socket.localPort}`
    socket.on('error', (error) => {
      this.#error = netError(error, `connection with ${this.remote} broke`)
    })
    socket.once('close', () => {
      this.#closed = true
      this.#onClose?.(this.#error)
    })
  }

  get queuedBytes(): number {
    return this.#socket.writableLength
  }

  write(bytes: Uint8Array): boolean {
    return this.#socket.writable && this.#socket.write(bytes)
  }

  writeAll(chunks: readonly Uint8Array[], taken: () => void): boolean {
    const socket = this.#socket
    if (!socket.writable) return false
    const last = chunks.length - 1
    socket.cork()
    let goesOn = true
    for (const [i, bytes] of chunks.entries()) {
      goesOn = i < last ? socket.write(bytes) : socket.write(bytes, (error) => error == null && taken())
    }
    socket.uncork()
    return goesOn
  }

  onData(handler: (bytes: Uint8Array) => void): void {
    if (this.#arrivals !== null) this.#arrivals.listen(this.#socket, handler)
    // Made paused by the server, it would stay so.
    else this.#socket.removeAllListeners('data').on('data', handler).resume()
  }

  onDrain(handler: () => void): void {
    this.#socket.removeAllListeners('drain').on('drain', handler)
  }

  onClose(handler: (error: Error | null) => void): void {
    this.#onClose = handler
    if (this.#closed) setImmediate(() => handler(this.#error))
  }

  pause(): void {
    if (this.#arrivals === null) this.#socket.pause()
    else this.#arrivals.pause(this.#socket)
  }

  resume(): void {
    if (this.#arrivals === null) this.#socket.resume()
    else this.#arrivals.resume(this.#socket)
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }
}

function netError(error: Error, what: string): NetError {
  const code = (error as NodeJS.ErrnoException).code ?? 'ECONNRESET'
  return new NetError(code, `${what}: ${code}`, { cause: error })
}
