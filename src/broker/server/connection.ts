// One client's connection: frames in, answers out in the order of the requests, each side bounded.
//
// As in Kafka a request begins when the one before it is answered; only Produce requests may follow each other while
// earlier ones wait for the disk (they reach the log in their order). So order holds without a client's care, and a
// pipelining producer is not slowed to one batch per sync.
import { assert } from '../../std/assert.ts'
import { apis } from '../../wire/wire.ts'
import { WireError } from '../../wire/wire-error.ts'
import type { Socket, Timer } from '../../world/world.ts'
import type { Holder } from './flow.ts'
import { FrameAssembler, FrameError } from './frames.ts'
import { Disconnect, type Serving, type Turn } from './serving.ts'

/** Answers one frame: chunks to send, or null if the protocol wants no answer. Rejects with Disconnect or WireError. */
export type Answer = (frame: Uint8Array, connection: Connection, turn: Turn) => Promise<readonly Uint8Array[] | null>

interface Slot {
  /** Undefined until the answer is known. */
  chunks: readonly Uint8Array[] | null | undefined
  /** Of its answer, counted as outbound before there is one. */
  reservedBytes: number
  throttleMs: number
  afterSent: (() => void) | null
  /** Memory that is held until then. */
  heldBytes: number
}

export class Connection implements Holder {
  readonly socket: Socket
  readonly #serving: Serving
  readonly #answer: Answer
  readonly #frames: FrameAssembler
  readonly #waiting: Uint8Array[] = []
  #waitingBytes = 0
  /** Bytes of requests that are read and not yet answered, those that wait among them. */
  #heldBytes = 0
  /** Requests that are being answered, in order; those at the front may be sent. */
  readonly #slots: Slot[] = []
  #unanswered = 0
  #onlyProduces = true
  /** Requests that let nothing begin after them for now. */
  #holds = 0
  #paused = false
  /** Its client is to wait: nothing is read until then. */
  #muted: Timer | null = null
  #closing = false
  #gone = false
  #lastSeenMs: number
  #halfSinceMs: number | null = null
  /** What this connection has added to the flow of all. */
  #countedInbound = 0
  #countedOutbound = 0
  stillSinceMs: number
  #isAdmitted: boolean
  readonly #sinceMs: number
  readonly #goneCallbacks = new Set<() => void>()

  /** `isAdmitted` false: a stranger, who gets little room and time until `admit` is called. */
  constructor(serving: Serving, socket: Socket, answer: Answer, onOver: () => void, isAdmitted = true) {
    this.socket = socket
    this.#serving = serving
    this.#answer = answer
    this.#isAdmitted = isAdmitted
    const { frameBytesMax, strangersFrameBytesMax } = serving.limits
    // What a stranger says may be shorter than any request: bare tokens of SASL.
    this.#frames = isAdmitted
      ? new FrameAssembler(frameBytesMax, undefined, serving.memory)
      : new FrameAssembler(strangersFrameBytesMax, 1, serving.memory)
    this.#lastSeenMs = serving.world.clock.monoMs()
    this.#sinceMs = this.#lastSeenMs
    this.stillSinceMs = this.#lastSeenMs
    serving.flow.add(this)
    socket.onClose(() => {
      this.#leave()
      onOver()
    })
    socket.onDrain(() => {
      this.#countOutbound()
      this.#begin()
    })
    socket.onData((bytes) => this.#receive(bytes))
  }
  /** What it held is nobody's any more, whatever is still being worked on. */
  #leave(): void {
    if (this.#gone) return
    this.#gone = true
    this.#waiting.length = 0
    this.#heldBytes -= this.#waitingBytes
    this.#waitingBytes = 0
    for (const slot of this.#slots) this.#release(slot)
    this.#muted?.cancel()
    this.#serving.flow.remove(this)
    this.#countOutbound()
    this.#countInbound()
    for (const callback of [...this.#goneCallbacks]) callback()
  }

  /** The client has proved who it is. */
  admit(): void {
    if (this.#isAdmitted) return
    this.#isAdmitted = true
    this.#frames.setBounds(this.#serving.limits.frameBytesMax)
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
    for (const frame of this.#waiting.splice(0)) this.#heldBytes -= frame.length
    this.#waitingBytes = 0
    this.#countInbound()
    for (const callback of [...this.#goneCallbacks]) callback()
    if (this.#slots.length === 0) this.socket.end()
  }

  /** Looked at from time to time: closes a connection that has been half a frame, or silent, for too long. */
  look(nowMs: number): void {
    const { halfFrameMsMax, idleMsMax, authenticationMsMax } = this.#serving.limits
    this.#countOutbound()
    const strange = !this.#isAdmitted && nowMs - this.#sinceMs >= authenticationMsMax
    const half = this.#halfSinceMs !== null && !this.#paused && nowMs - this.#halfSinceMs >= halfFrameMsMax
    const idle = this.#unanswered === 0 && this.#muted === null && nowMs - this.#lastSeenMs >= idleMsMax
    if (half || idle || strange) this.socket.destroy()
  }

  get idleInboundBytes(): number {
    return this.#gone ? 0 : this.#waitingBytes + this.#frames.bufferBytes
  }
  get queuedBytes(): number {
    return this.#gone ? 0 : this.socket.queuedBytes
  }
  readOn(): void {
    this.#throttle()
  }
  letGo(): void {
    this.#leave()
    this.socket.destroy()
  }

  #receive(bytes: Uint8Array): void {
    if (this.#closing || this.#gone) return
    const nowMs = this.#serving.world.clock.monoMs()
    this.#lastSeenMs = nowMs
    let framed = false
    try {
      this.#frames.push(bytes, (frame) => {
        framed = true
        this.#heldBytes += frame.length
        this.#waitingBytes += frame.length
        this.#waiting.push(frame)
      })
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      this.#broken(error)
      this.socket.destroy()
      return
    }
    if (!this.#frames.half) this.#halfSinceMs = null
    else if (framed || this.#halfSinceMs === null) this.#halfSinceMs = nowMs
    this.#countInbound()
    this.#begin()
    this.#throttle()
  }

  /** Reads on or stops reading, by what is held. A socket that is not read makes the peer's kernel hold the rest. */
  #throttle(): void {
    if (this.#gone) return
    const { pipelinedRequestsMax, strangersRequestsMax, pipelinedBytesMax } = this.#serving.limits
    const requestsMax = this.#isAdmitted ? pipelinedRequestsMax : strangersRequestsMax
    const full =
      this.#muted !== null ||
      this.#waiting.length + this.#unanswered >= requestsMax ||
      this.#heldBytes >= pipelinedBytesMax ||
      !this.#serving.flow.mayRead(this)
    if (full === this.#paused) return
    this.#paused = full
    if (full) this.socket.pause()
    else {
      // While we did not read, the missing half was ours to fetch.
      if (this.#halfSinceMs !== null) this.#halfSinceMs = this.#serving.world.clock.monoMs()
      this.socket.resume()
    }
  }

  #begin(): void {
    while (!this.#gone && !this.#closing && this.#holds === 0 && this.#muted === null) {
      const frame = this.#waiting[0]
      if (frame === undefined) return
      if (this.socket.queuedBytes >= this.#serving.limits.connectionOutboundBytesMax) return
      const mayFollow = isProduce(frame)
      if (this.#unanswered > 0 && !(mayFollow && this.#onlyProduces)) return
      this.#onlyProduces = mayFollow
      this.#waiting.shift()
      this.#waitingBytes -= frame.length
      this.#start(frame)
    }
  }

  #start(frame: Uint8Array): void {
    const slot: Slot = { chunks: undefined, reservedBytes: 0, throttleMs: 0, afterSent: null, heldBytes: 0 }
    this.#slots.push(slot)
    this.#unanswered++
    const turn = this.#turnOf(slot)
    const { telemetry, world } = this.#serving
    const beganMs = world.clock.monoMs()
    telemetry.receivedBytes += 4 + frame.length
    const done = (): void => {
      this.#heldBytes -= frame.length
      this.#unanswered--
      this.#countInbound()
    }
    this.#answer(frame, this, turn).then(
      (chunks) => {
        telemetry.answered(apiKeyOf(frame), world.clock.monoMs() - beganMs)
        done()
        // The journal has copied the batches, and the answer is written: what else a frame says is not kept either.
        if (isProduce(frame)) this.#serving.memory.giveBack(frame)
        slot.chunks = chunks
        if (slot.throttleMs > 0) this.#mute(slot.throttleMs)
        this.#send()
        this.#begin()
        this.#throttle()
      },
      (error: unknown) => {
        // Anything else is a bug or the end of the disk: it must stop the process, not just this client.
        if (!(error instanceof Disconnect || error instanceof WireError)) throw error
        done()
        this.#release(slot)
        this.#closing = true
        this.#broken(error)
        this.socket.destroy()
      },
    )
  }
  #turnOf(slot: Slot): Turn {
    const { flow } = this.#serving
    const queuedBytes = (): number => this.queuedBytes
    return {
      throttle(ms) {
        slot.throttleMs = Math.max(slot.throttleMs, ms)
      },
      get throttleMs() {
        return slot.throttleMs
      },
      hold: () => {
        let held = true
        this.#holds++
        return () => {
          if (!held) return
          held = false
          this.#holds--
          this.#begin()
        }
      },
      reserve: (bytes) => {
        const more = bytes - slot.reservedBytes
        if (this.#gone || more === 0) return
        slot.reservedBytes = bytes
        flow.countOutbound(more)
      },
      afterSent(heldBytes, callback) {
        slot.heldBytes = heldBytes
        slot.afterSent = callback
      },
      get queuedBytes() {
        return queuedBytes()
      },
    }
  }
  #release(slot: Slot): void {
    if (slot.reservedBytes > 0) this.#serving.flow.countOutbound(-slot.reservedBytes)
    slot.reservedBytes = 0
  }
  /** Nothing that is not begun begins, and nothing is read. */
  #mute(ms: number): void {
    if (this.#gone) return
    this.#muted?.cancel()
    this.#muted = this.#serving.world.clock.timer(ms, () => {
      this.#muted = null
      this.#lastSeenMs = this.#serving.world.clock.monoMs()
      this.#begin()
      this.#throttle()
    })
    this.#throttle()
  }

  /** What the peer sent leaves nothing but to close. */
  #broken(error: Error): void {
    const { telemetry, log } = this.#serving
    telemetry.brokenConnections++
    log('info', 'broker', 'closed a connection for what it sent', { remote: this.socket.remote, reason: error.message })
  }

  #send(): void {
    assert(this.#unanswered >= 0, 'more answers than requests')
    this.#countOutbound()
    while (this.#slots.length > 0) {
      const slot = this.#slots[0]!
      if (slot.chunks === undefined) return
      this.#slots.shift()
      this.#release(slot)
      if (this.#gone || slot.chunks === null) continue
      this.#write(slot.chunks, slot)
      this.#countOutbound()
    }
    this.#lastSeenMs = this.#serving.world.clock.monoMs()
    if (this.#closing && !this.#gone) this.socket.end()
  }

  #write(chunks: readonly Uint8Array[], { heldBytes, afterSent }: Slot): void {
    let bytes = 0
    for (const chunk of chunks) bytes += chunk.length
    this.#serving.telemetry.sentBytes += bytes
    const isSlow = this.socket.queuedBytes > 0
    if (isSlow && heldBytes > 2 * bytes) {
      // For a peer that is slow: a small part of something large must not keep all of it in memory.
      const copy = new Uint8Array(bytes)
      let at = 0
      for (const chunk of chunks) {
        copy.set(chunk, at)
        at += chunk.length
      }
      afterSent?.()
      this.socket.write(copy)
    } else this.socket.writeAll(isSlow ? chunks.map(lean) : chunks, afterSent ?? ignored)
  }

  #countOutbound(): void {
    const queued = this.queuedBytes
    const more = queued - this.#countedOutbound
    if (more < 0 || this.#countedOutbound === 0) this.stillSinceMs = this.#serving.world.clock.monoMs()
    this.#countedOutbound = queued
    if (more !== 0) this.#serving.flow.countOutbound(more)
  }
  #countInbound(): void {
    // Who is gone still holds what is being worked on.
    const held = this.#heldBytes + (this.#gone ? 0 : this.#frames.bufferBytes)
    const more = held - this.#countedInbound
    this.#countedInbound = held
    if (more !== 0) this.#serving.flow.countInbound(more)
  }
}

/** The same of memory that nobody takes back. */
function lean(chunk: Uint8Array): Uint8Array {
  return chunk.buffer.byteLength > 2 * chunk.length ? new Uint8Array(chunk) : chunk
}
function ignored(): void {}
const apiKeyOf = (frame: Uint8Array): number => (frame[0]! << 8) | frame[1]!
const isProduce = (frame: Uint8Array): boolean => apiKeyOf(frame) === apis.produce.key
