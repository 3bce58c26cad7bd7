// One client's connection: frames in, answers out in the order of the requests, each side bounded.
//
// As in Kafka a request begins when the one before it is answered; only Produce requests may follow each other while
// earlier ones wait for the disk (they reach the log in their order). So order holds without a client's care, and a
// pipelining producer is not slowed to one batch per sync.
import { assert } from '../../std/assert.ts'
import { apis } from '../../wire/wire.ts'
import { WireError } from '../../wire/wire-error.ts'
import type { Socket } from '../../world/world.ts'
import { FrameAssembler, FrameError } from './frames.ts'
import { Disconnect, type Serving } from './serving.ts'

/** Answers one frame: chunks to send, or null if the protocol wants no answer. Rejects with Disconnect or WireError. */
export type Answer = (frame: Uint8Array, connection: Connection) => Promise<readonly Uint8Array[] | null>

interface Slot {
  /** Undefined until the answer is known. */
  chunks: readonly Uint8Array[] | null | undefined
}

export class Connection {
  readonly socket: Socket
  readonly #serving: Serving
  readonly #answer: Answer
  readonly #frames: FrameAssembler
  readonly #waiting: Uint8Array[] = []
  /** Bytes of requests that are read and not yet answered. */
  #heldBytes = 0
  /** Requests that are being answered, in order; those at the front may be sent. */
  readonly #slots: Slot[] = []
  #unanswered = 0
  #onlyProduces = true
  #paused = false
  #closing = false
  #gone = false
  #lastSeenMs: number
  #halfSinceMs: number | null = null
  /** What this connection has added to `serving.outboundBytes`. */
  #countedBytes = 0
  readonly #goneCallbacks = new Set<() => void>()

  constructor(serving: Serving, socket: Socket, answer: Answer, onOver: () => void) {
    this.socket = socket
    this.#serving = serving
    this.#answer = answer
    this.#frames = new FrameAssembler(serving.limits.frameBytesMax)
    this.#lastSeenMs = serving.world.clock.monoMs()
    socket.onClose(() => {
      this.#gone = true
      this.#waiting.length = 0
      this.#countOutbound()
      for (const callback of [...this.#goneCallbacks]) callback()
      onOver()
    })
    socket.onDrain(() => {
      this.#countOutbound()
      this.#begin()
    })
    socket.onData((bytes) => this.#receive(bytes))
  }

  /** Calls back when the connection is over (or about to be closed); returns the way out. */
  onGone(callback: () => void): () => void {
    this.#goneCallbacks.add(callback)
    return () => this.#goneCallbacks.delete(callback)
  }

  /** Lets what is under way be answered, sends it and closes; `destroy` of the socket is the caller's last word. */
  close(): void {
    if (this.#closing) return
    this.#closing = true
    this.#waiting.length = 0
    for (const callback of [...this.#goneCallbacks]) callback()
    if (this.#slots.length === 0) this.socket.end()
  }

  /** Looked at from time to time: closes a connection that has been half a frame, or silent, for too long. */
  look(nowMs: number): void {
    const { halfFrameMsMax, idleMsMax } = this.#serving.limits
    const half = this.#halfSinceMs !== null && nowMs - this.#halfSinceMs >= halfFrameMsMax
    const idle = this.#unanswered === 0 && nowMs - this.#lastSeenMs >= idleMsMax
    if (half || idle) this.socket.destroy()
  }

  #receive(bytes: Uint8Array): void {
    if (this.#closing || this.#gone) return
    const nowMs = this.#serving.world.clock.monoMs()
    this.#lastSeenMs = nowMs
    let framed = false
    try {
      // A plain view: Node hands out Buffers, whose `slice` does not copy as everyone further in may expect.
      this.#frames.push(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), (frame) => {
        framed = true
        this.#heldBytes += frame.length
        this.#waiting.push(frame)
      })
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      this.socket.destroy()
      return
    }
    if (!this.#frames.half) this.#halfSinceMs = null
    else if (framed || this.#halfSinceMs === null) this.#halfSinceMs = nowMs
    this.#begin()
    this.#throttle()
  }

  /** Reads on or stops reading, by what is held. A socket that is not read makes the peer's kernel hold the rest. */
  #throttle(): void {
    const { pipelinedRequestsMax, pipelinedBytesMax } = this.#serving.limits
    const full = this.#waiting.length + this.#unanswered >= pipelinedRequestsMax || this.#heldBytes >= pipelinedBytesMax
    if (full === this.#paused || this.#gone) return
    this.#paused = full
    if (full) this.socket.pause()
    else {
      // While we did not read, the missing half was ours to fetch.
      if (this.#halfSinceMs !== null) this.#halfSinceMs = this.#serving.world.clock.monoMs()
      this.socket.resume()
    }
  }

  #begin(): void {
    while (!this.#gone && !this.#closing) {
      const frame = this.#waiting[0]
      if (frame === undefined) return
      if (this.socket.queuedBytes >= this.#serving.limits.connectionOutboundBytesMax) return
      const isProduce = frame[0] === 0 && frame[1] === apis.produce.key
      if (this.#unanswered > 0 && !(isProduce && this.#onlyProduces)) return
      this.#onlyProduces = isProduce
      this.#waiting.shift()
      this.#start(frame)
    }
  }

  #start(frame: Uint8Array): void {
    const slot: Slot = { chunks: undefined }
    this.#slots.push(slot)
    this.#unanswered++
    this.#answer(frame, this).then(
      (chunks) => {
        this.#heldBytes -= frame.length
        this.#unanswered--
        slot.chunks = chunks
        this.#send()
        this.#begin()
        this.#throttle()
      },
      (error: unknown) => {
        // Anything else is a bug or the end of the disk: it must stop the process, not just this client.
        if (!(error instanceof Disconnect || error instanceof WireError)) throw error
        this.#heldBytes -= frame.length
        this.#unanswered--
        this.#closing = true
        this.socket.destroy()
      },
    )
  }

  #send(): void {
    assert(this.#unanswered >= 0, 'more answers than requests')
    while (this.#slots.length > 0) {
      const { chunks } = this.#slots[0]!
      if (chunks === undefined) return
      this.#slots.shift()
      if (!this.#gone && chunks !== null) for (const chunk of chunks) this.socket.write(chunk)
    }
    this.#lastSeenMs = this.#serving.world.clock.monoMs()
    this.#countOutbound()
    if (this.#closing && !this.#gone) this.socket.end()
  }

  #countOutbound(): void {
    const queued = this.#gone ? 0 : this.socket.queuedBytes
    this.#serving.outboundBytes += queued - this.#countedBytes
    this.#countedBytes = queued
  }
}
