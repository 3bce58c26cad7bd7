// One connection to a broker of a Kafka cluster: requests go out in order, answers are matched by their numbers, and the
// versions spoken are agreed once, at the beginning.
import { assert } from '../../std/assert.ts'
import { type Api, apis, type Fields, readResponse, writeRequest } from '../../wire/wire.ts'
import { NetError, type Socket, type Timer, type World } from '../../world/world.ts'
import { type KafkaAccess, openAccess } from '../kafka-access.ts'
import { logIn } from './login.ts'
import { KafkaRefusal, kafkaErrorOf } from './refusal.ts'

export interface BrokerAddress {
  readonly host: string
  readonly port: number
}
export type RequestBody<Req extends Fields, Res extends Fields> = Parameters<typeof writeRequest<Req, Res>>[4]
export type ResponseBody<Req extends Fields, Res extends Fields> = ReturnType<typeof readResponse<Req, Res>>['body']

const answerBytesMax = 256 * 1024 * 1024
const lengthBytes = 4

/** What we speak at most where it is less than our codecs know: transactions are those of before KIP-890. */
const versionMax: Readonly<Record<number, number>> = {
  [apis.produce.key]: 11,
  [apis.fetch.key]: 13,
  [apis.findCoordinator.key]: 3,
  [apis.initProducerId.key]: 4,
  [apis.addPartitionsToTxn.key]: 3,
  [apis.endTxn.key]: 4,
  [apis.deleteTopics.key]: 5,
  [apis.metadata.key]: 12,
}

interface Asked {
  readonly name: string
  readonly answered: (frame: Uint8Array) => void
  readonly failed: (error: Error) => void
  readonly late: Timer
}

export interface ConnectionSettings {
  readonly clientId: string
  readonly requestTimeoutMs: number
  /** If not given: in plain text, as nobody. */
  readonly access?: KafkaAccess
}

export class BrokerConnection {
  readonly where: string
  readonly #world: World
  readonly #socket: Socket
  readonly #clientId: string
  readonly #timeoutMs: number
  readonly #asked = new Map<number, Asked>()
  readonly #versions = new Map<number, number>()
  #correlationId = 0
  #error: Error | null = null
  /** The frame that is coming in: its length first, then itself. */
  readonly #length = new Uint8Array(lengthBytes)
  #lengthBytes = 0
  #frame: Uint8Array | null = null
  #frameBytes = 0

  /** Rejects with a NetError if nobody listens there or does not speak the protocol. */
  static async open(world: World, address: BrokerAddress, settings: ConnectionSettings): Promise<BrokerConnection> {
    const { access = openAccess } = settings
    const connection = new BrokerConnection(world, await world.net.connect(address, access.tls), address, settings)
    try {
      await connection.#agree()
      if (access.sasl !== null) await logIn(world, connection, access.sasl)
    } catch (error) {
      connection.close()
      throw error
    }
    return connection
  }
  private constructor(
    world: World,
    socket: Socket,
    { host, port }: BrokerAddress,
    { clientId, requestTimeoutMs }: ConnectionSettings,
  ) {
    this.#world = world
    this.#socket = socket
    this.where = `${host}:${port}`
    this.#clientId = clientId
    this.#timeoutMs = requestTimeoutMs
    socket.onClose((error) =>
      this.#end(new NetError('CLOSED', `${this.where} closed the connection`, { cause: error })),
    )
    socket.onData((data) => this.#take(data))
  }

  /** Version 0 of ApiVersions is understood by every broker. */
  async #agree(): Promise<void> {
    this.#versions.set(apis.apiVersions.key, 0)
    const { errorCode, apiKeys } = await this.ask(apis.apiVersions, {
      clientSoftwareName: '',
      clientSoftwareVersion: '',
    })
    if (errorCode !== 0) throw new KafkaRefusal(kafkaErrorOf(errorCode), `${this.where} does not tell what it speaks`)
    for (const { apiKey, minVersion, maxVersion } of apiKeys) {
      const api = Object.values(apis).find(({ key }) => key === apiKey)
      if (api === undefined) continue
      const version = Math.min(maxVersion, api.versions.max, versionMax[apiKey] ?? Number.POSITIVE_INFINITY)
      if (version >= Math.max(minVersion, api.versions.min)) this.#versions.set(apiKey, version)
    }
  }

  get isOpen(): boolean {
    return this.#error === null
  }

  /** Rejects with a NetError when the connection ends before the answer, which also happens when that takes too long. */
  ask<Req extends Fields, Res extends Fields>(
    api: Api<Req, Res>,
    body: RequestBody<Req, Res>,
    waitMs = 0,
  ): Promise<ResponseBody<Req, Res>> {
    const version = this.#versions.get(api.key)
    if (this.#error !== null) return Promise.reject(this.#error)
    if (version === undefined) {
      return Promise.reject(new KafkaRefusal('UNSUPPORTED_VERSION', `${this.where} speaks no ${api.name} that we know`))
    }
    return new Promise((resolve, reject) => {
      const id = ++this.#correlationId
      const late = this.#world.clock.timer(
        this.#timeoutMs + waitMs,
        () => this.#end(new NetError('TIMEOUT', `${this.where} did not answer ${api.name} in ${this.#timeoutMs} ms`)),
        { background: true },
      )
      const answered = (frame: Uint8Array): void => {
        try {
          resolve(readResponse(api, version, frame).body)
        } catch (error) {
          reject(error)
        }
      }
      this.#asked.set(id, { name: api.name, answered, failed: reject, late })
      for (const chunk of writeRequest(api, version, id, this.#clientId, body)) this.#socket.write(chunk)
    })
  }

  #take(data: Uint8Array): void {
    for (let at = 0; at < data.length; ) {
      if (this.#frame === null) {
        while (this.#lengthBytes < lengthBytes && at < data.length) this.#length[this.#lengthBytes++] = data[at++]!
        if (this.#lengthBytes < lengthBytes) return
        const size = new DataView(this.#length.buffer).getInt32(0)
        if (size < lengthBytes || size > answerBytesMax) {
          this.#end(new NetError('PROTOCOL', `${this.where} sent a frame of ${size} bytes; is it a Kafka broker?`))
          return
        }
        this.#lengthBytes = 0
        this.#frame = new Uint8Array(size)
        this.#frameBytes = 0
      }
      const frame = this.#frame
      const part = data.subarray(at, at + frame.length - this.#frameBytes)
      frame.set(part, this.#frameBytes)
      this.#frameBytes += part.length
      at += part.length
      if (this.#frameBytes < frame.length) return
      this.#frame = null
      this.#answered(frame)
    }
  }
  #answered(frame: Uint8Array): void {
    const id = new DataView(frame.buffer).getInt32(0)
    const asked = this.#asked.get(id)
    if (asked === undefined) {
      this.#end(new NetError('PROTOCOL', `${this.where} answered a question (${id}) that was not asked`))
      return
    }
    this.#asked.delete(id)
    asked.late.cancel()
    asked.answered(frame)
  }
  #end(error: NetError): void {
    if (this.#error !== null) return
    this.#error = error
    this.#socket.destroy()
    for (const { failed, late, name } of this.#asked.values()) {
      late.cancel()
      failed(new NetError(error.code, `${name}: ${error.message}`, { cause: error.cause }))
    }
    this.#asked.clear()
  }
  close(): void {
    this.#end(new NetError('CLOSED', `the connection with ${this.where} is closed`))
    assert(this.#asked.size === 0, 'nobody waits on a closed connection')
  }
}
