// A client that sends exactly the bytes a test wants: frames by the codecs of wire/, or no frames at all.
import assert from 'node:assert/strict'
import { type ApiName, apis, type RequestOf, type ResponseOf, readResponse, writeRequest } from '../../wire/wire.ts'
import type { Socket, World } from '../../world/world.ts'
import { FrameAssembler } from './frames.ts'

export class RawClient {
  readonly socket: Socket
  readonly #frames = new FrameAssembler(256 * 1024 * 1024, 4)
  readonly #arrived: Uint8Array[] = []
  readonly #wanting: ((frame: Uint8Array | null) => void)[] = []
  #correlationId = 0
  readonly closed: Promise<void>
  isClosed = false
  receivedBytes = 0

  static async connect(world: World, address: { readonly host: string; readonly port: number }): Promise<RawClient> {
    return new RawClient(await world.net.connect({ host: address.host, port: address.port }))
  }
  private constructor(socket: Socket) {
    this.socket = socket
    this.closed = new Promise((resolve) => {
      socket.onClose(() => {
        this.isClosed = true
        for (const want of this.#wanting.splice(0)) want(null)
        resolve()
      })
    })
    this.readOn()
  }
  /** Takes the socket's bytes for frames, again if a test has looked at them itself. */
  readOn(): void {
    this.socket.onData((bytes) => {
      this.receivedBytes += bytes.length
      this.#frames.push(bytes, (frame) => {
        const want = this.#wanting.shift()
        if (want === undefined) this.#arrived.push(frame)
        else want(frame)
      })
    })
  }
  /** Sends a request and returns its correlation id; take the answer with `answer`. */
  send<Name extends ApiName>(name: Name, version: number, body: Partial<RequestOf<Name>>): number {
    const correlationId = ++this.#correlationId
    // Fields that are left out are written at their defaults.
    for (const chunk of writeRequest(apis[name] as never, version, correlationId, 'raw', body as never)) {
      this.socket.write(chunk)
    }
    return correlationId
  }
  /** The next frame; null when the connection ends first. */
  frame(): Promise<Uint8Array | null> {
    const arrived = this.#arrived.shift()
    if (arrived !== undefined) return Promise.resolve(arrived)
    if (this.isClosed) return Promise.resolve(null)
    return new Promise((resolve) => this.#wanting.push(resolve))
  }
  async answer<Name extends ApiName>(
    name: Name,
    version: number,
  ): Promise<{ readonly correlationId: number; readonly body: ResponseOf<Name> }> {
    const frame = await this.frame()
    assert.ok(frame !== null, 'the connection ended before the answer')
    return readResponse(apis[name] as never, version, frame) as never
  }
  async ask<Name extends ApiName>(
    name: Name,
    version: number,
    body: Partial<RequestOf<Name>>,
  ): Promise<ResponseOf<Name>> {
    const correlationId = this.send(name, version, body)
    const answer = await this.answer(name, version)
    assert.equal(answer.correlationId, correlationId)
    return answer.body
  }
}
