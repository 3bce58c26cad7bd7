// Reading sockets into one buffer that all of them share, instead of 64 KiB of fresh memory for each read: under load
// those were a third of everything the process allocated, and the collector came once for every few megabytes of them.
import { Socket, type SocketConstructorOpts } from 'node:net'

/** What one read brings at most. It is used by one connection at a time: what a handler is given is its own while it runs. */
const readBytes = 128 * 1024
let shared: Uint8Array | null = null

/** Where the bytes of a socket go. Before there is a handler, and while it is paused, at most one piece is read and waits. */
export class Arrivals {
  #handler: ((bytes: Uint8Array) => void) | null = null
  #waiting: Uint8Array | null = null
  #isPaused = false
  readonly onread: NonNullable<SocketConstructorOpts['onread']>

  constructor() {
    shared ??= new Uint8Array(readBytes)
    this.onread = { buffer: shared, callback: (count, bytes) => this.#arrived(bytes.subarray(0, count)) }
  }

  /** False: read no more. */
  #arrived(bytes: Uint8Array): boolean {
    if (this.#handler !== null && !this.#isPaused && this.#waiting === null) {
      this.#handler(bytes)
      return true
    }
    // Node may bring one more after it was told to pause.
    this.#waiting = this.#waiting === null ? bytes.slice() : Buffer.concat([this.#waiting, bytes])
    return false
  }
  listen(socket: Socket, handler: (bytes: Uint8Array) => void): void {
    this.#handler = handler
    this.#readOn(socket)
  }
  pause(socket: Socket): void {
    this.#isPaused = true
    socket.pause()
  }
  resume(socket: Socket): void {
    this.#isPaused = false
    this.#readOn(socket)
  }
  #readOn(socket: Socket): void {
    if (this.#handler === null || this.#isPaused) return
    if (this.#waiting === null) {
      socket.resume()
      return
    }
    setImmediate(() => {
      const waiting = this.#waiting
      if (waiting === null || this.#isPaused) return
      this.#waiting = null
      if (!socket.destroyed) this.#handler?.(waiting)
      this.#readOn(socket)
    })
  }
}

/**
 * The same for a socket that a server has made, paused: Node lets nobody say where those read to. So its handle goes
 * to a socket of ours. That handle is Node's own affair: where it is not as it was, the socket stays as it came, and its
 * bytes come as events (`arrivals` null).
 */
export function takeOver(came: Socket): { readonly socket: Socket; readonly arrivals: Arrivals | null } {
  const handle: unknown = Reflect.get(came, '_handle')
  const isKnown =
    typeof handle === 'object' && handle !== null && typeof Reflect.get(handle, 'useUserBuffer') === 'function'
  if (!isKnown || !Reflect.set(came, '_handle', null)) return { socket: came, arrivals: null }
  const arrivals = new Arrivals()
  const socket: Socket = Reflect.construct(Socket, [{ handle, onread: arrivals.onread }])
  return { socket, arrivals }
}
