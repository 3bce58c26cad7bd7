// The simulated network: every connection cuts its bytes anew, delays them, and may break; its own bytes stay in order.
import type { RandomStream } from '../src/std/random.ts'
import { type Listener, NetError, type Network, type Socket } from '../src/world/world.ts'
import type { Context } from './machine.ts'
import type { Lane, Scheduler } from './scheduler.ts'

export interface NetworkFaults {
  /** Odds that a connection breaks at a piece of its bytes. */
  readonly resetOdds: number
  /** A piece on its way takes up to this long. */
  readonly delayMsMax: number
}
export const calmNetwork: NetworkFaults = { resetOdds: 0, delayMsMax: 2 }

/** What the kernels of both sides hold of one direction. */
const windowBytes = 64 * 1024
/** With more than this queued, a writer is told to wait. */
const queuedBytesHigh = 64 * 1024

interface Listening {
  readonly context: Context
  readonly accept: (socket: Socket) => void
}

export class SimNetwork {
  readonly scheduler: Scheduler
  readonly random: RandomStream
  faults: NetworkFaults
  readonly listening = new Map<number, Listening>()
  readonly open = new Set<SimSocket>()
  #nextPort = 40_000

  constructor(scheduler: Scheduler, random: RandomStream, faults: NetworkFaults) {
    this.scheduler = scheduler
    this.random = random
    this.faults = faults
  }

  freshPort(): number {
    return this.#nextPort++
  }

  delayMs(): number {
    return 0.02 + this.random.float() * this.faults.delayMsMax
  }

  /** A process died: nobody listens there any more, and its connections end or break on the other side. */
  abandon(isDead: (context: Context) => boolean): void {
    for (const [port, { context }] of this.listening) if (isDead(context)) this.listening.delete(port)
    for (const socket of [...this.open]) if (isDead(socket.context)) socket.destroy()
  }
}

export function simNetwork(network: SimNetwork, context: Context): Network {
  return {
    listen: ({ host, port: wanted }, accept) =>
      new Promise<Listener>((resolve, reject) => {
        context.after(network.delayMs(), () => {
          const port = wanted === 0 ? network.freshPort() : wanted
          if (network.listening.has(port)) {
            reject(new NetError('EADDRINUSE', `cannot listen on ${host}:${port}: EADDRINUSE`))
            return
          }
          const entry: Listening = { context, accept }
          network.listening.set(port, entry)
          resolve({
            host,
            port,
            close: () =>
              new Promise((closed) => {
                if (network.listening.get(port) === entry) network.listening.delete(port)
                context.after(0, closed)
              }),
          })
        })
      }),
    connect: ({ host, port }) =>
      // TLS leaves the bytes as they are here.
      new Promise<Socket>((resolve, reject) => {
        context.after(network.delayMs(), () => {
          const there = network.listening.get(port)
          if (there === undefined || !there.context.alive) {
            reject(new NetError('ECONNREFUSED', `cannot connect to ${host}:${port}: ECONNREFUSED`))
            return
          }
          const ours = `127.0.0.1:${network.freshPort()}`
          const theirs = `${host}:${port}`
          const near = new SimSocket(network, context, theirs, ours)
          const far = new SimSocket(network, there.context, ours, theirs)
          near.join(far)
          there.context.after(0, () => there.accept(far))
          context.after(network.delayMs(), () => resolve(near))
        })
      }),
  }
}

class SimSocket implements Socket {
  readonly remote: string
  readonly local: string
  readonly peerSubject = null
  readonly context: Context
  readonly #network: SimNetwork
  readonly #lane: Lane
  #peer: SimSocket | null = null
  #queue: Uint8Array[] = []
  #queuedBytes = 0
  /** Since the connection began. */
  #queuedInAll = 0
  readonly #waitsForTaken: { readonly last: number; readonly taken: () => void }[] = []
  #windowBytes = windowBytes
  #inbox: Uint8Array[] = []
  #paused = false
  #waitsForDrain = false
  #ending = false
  #endSent = false
  #endArrived = false
  #closed: { readonly error: Error | null } | null = null
  #onData: ((bytes: Uint8Array) => void) | null = null
  #onDrain: (() => void) | null = null
  #onClose: ((error: Error | null) => void) | null = null

  constructor(network: SimNetwork, context: Context, remote: string, local: string) {
    this.#network = network
    this.context = context
    this.remote = remote
    this.local = local
    this.#lane = network.scheduler.lane()
    network.open.add(this)
  }

  join(peer: SimSocket): void {
    this.#peer = peer
    peer.#peer = this
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  write(bytes: Uint8Array): boolean {
    if (this.#ending || this.#closed !== null) return false
    if (bytes.length > 0) {
      this.#queue.push(bytes)
      this.#queuedBytes += bytes.length
      this.#queuedInAll += bytes.length
      this.#pump()
    }
    this.#waitsForDrain ||= this.#queuedBytes >= queuedBytesHigh
    return !this.#waitsForDrain
  }

  /** Copies, so that bytes which change too early are sent as they were; `taken` comes when the kernel has the last. */
  writeAll(chunks: readonly Uint8Array[], taken: () => void): boolean {
    const last = chunks.reduce((sum, { length }) => sum + length, this.#queuedInAll)
    if (this.#ending || this.#closed !== null) return false
    this.#waitsForTaken.push({ last, taken })
    let goesOn = true
    for (const bytes of chunks) goesOn = this.write(bytes.slice())
    return goesOn
  }

  onData(handler: (bytes: Uint8Array) => void): void {
    this.#onData = handler
    this.context.after(0, () => this.#deliver())
  }

  onDrain(handler: () => void): void {
    this.#onDrain = handler
  }

  onClose(handler: (error: Error | null) => void): void {
    this.#onClose = handler
    const closed = this.#closed
    if (closed !== null) this.context.after(0, () => handler(closed.error))
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.context.after(0, () => this.#deliver())
  }

  end(): void {
    this.#ending = true
    this.#pump()
  }

  destroy(): void {
    if (this.#closed !== null) return
    // The peer reads an end if there was nothing left to say on either side, else it may well see a reset.
    const breaks = this.#inbox.length > 0 || this.#queue.length > 0 || this.#network.random.below(2) === 0
    const peer = this.#peer
    this.close(null)
    this.#lane.after(this.#network.delayMs(), () => (breaks ? peer?.close(reset(peer.remote)) : peer?.peerEnded()))
  }

  /** Hands the kernel what it takes; each piece travels by itself, in order. */
  #pump(): void {
    if (this.#closed !== null) return
    const { random } = this.#network
    while (this.#windowBytes > 0 && this.#queue.length > 0) {
      const head = this.#queue[0]!
      const limit = random.below(4) === 0 ? 1 + random.below(16) : 1 + random.below(windowBytes)
      const piece = head.subarray(0, Math.min(limit, this.#windowBytes))
      if (piece.length === head.length) this.#queue.shift()
      else this.#queue[0] = head.subarray(piece.length)
      this.#queuedBytes -= piece.length
      this.#windowBytes -= piece.length
      this.#lane.after(this.#network.delayMs(), () => this.#arrived(piece))
    }
    const takenInAll = this.#queuedInAll - this.#queuedBytes
    while (this.#waitsForTaken.length > 0 && this.#waitsForTaken[0]!.last <= takenInAll) {
      this.context.after(0, this.#waitsForTaken.shift()!.taken)
    }
    if (this.#queue.length > 0) return
    if (this.#waitsForDrain) {
      this.#waitsForDrain = false
      this.context.after(0, () => this.#onDrain?.())
    }
    if (this.#ending && !this.#endSent) {
      this.#endSent = true
      this.#lane.after(this.#network.delayMs(), () => {
        this.#peer?.peerEnded()
        this.#closeIfOver()
      })
    }
  }

  #arrived(piece: Uint8Array): void {
    const peer = this.#peer
    if (peer === null || peer.#closed !== null || !peer.context.alive) return
    if (this.#network.faults.resetOdds > 0 && this.#network.random.float() < this.#network.faults.resetOdds) {
      this.close(reset(this.remote))
      peer.close(reset(peer.remote))
      return
    }
    // Copied only now: a sender that changes bytes it has handed over is found out. (`slice` of a Buffer copies nothing.)
    peer.#inbox.push(new Uint8Array(piece))
    peer.#deliver()
  }

  #deliver(): void {
    while (this.#inbox.length > 0 && this.#onData !== null && !this.#paused && this.#closed === null) {
      const piece = this.#inbox.shift()!
      const peer = this.#peer
      this.#network.scheduler.after(0, () => peer?.taken(piece.length))
      this.#onData(piece)
      // The memory is used again: a handler that keeps it is found out.
      piece.fill(0xdb)
    }
    if (this.#inbox.length === 0 && this.#endArrived) {
      this.end()
      this.#closeIfOver()
    }
  }

  taken(bytes: number): void {
    this.#windowBytes += bytes
    this.#pump()
  }

  /** The other side will say no more. Ours says what it still has queued, then the connection is over. */
  peerEnded(): void {
    this.#endArrived = true
    if (this.#closed === null && this.context.alive) this.#deliver()
  }

  #closeIfOver(): void {
    if (this.#endSent && this.#endArrived && this.#inbox.length === 0) this.close(null)
  }

  /** It is over, here and now. */
  close(error: Error | null): void {
    if (this.#closed !== null) return
    this.#closed = { error }
    this.#queue = []
    this.#queuedBytes = 0
    this.#network.open.delete(this)
    this.context.after(0, () => this.#onClose?.(error))
  }
}

function reset(remote: string): NetError {
  return new NetError('ECONNRESET', `connection with ${remote} broke: ECONNRESET`)
}
