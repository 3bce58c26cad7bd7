// One connection's way to be somebody (KIP-43, KIP-152, KIP-368): which requests are answered before, how SASL's messages
// go, how long it lasts. Failures all look alike, and take their time.
import type { World } from '../../world/world.ts'
import { Disconnect, type Principal } from '../server/serving.ts'
import { waitMsMax } from './failed-logins.ts'
import type { SaslMechanism, SaslSettings } from './sasl.ts'
import { plainLogin, type SaslStep, scramLogin } from './sasl.ts'
import { SaslMessageError } from './scram.ts'
import type { Security } from './security.ts'

/** API keys that a stranger may use. */
const saslHandshakeKey = 17
const apiVersionsKey = 18
const saslAuthenticateKey = 36

export type HandshakeError = 'NONE' | 'UNSUPPORTED_SASL_MECHANISM' | 'ILLEGAL_SASL_STATE'
export interface LoginAnswer {
  readonly error: 'NONE' | 'SASL_AUTHENTICATION_FAILED' | 'ILLEGAL_SASL_STATE'
  readonly message: string | null
  readonly bytes: Uint8Array
  /** 0: without end. */
  readonly lifetimeMs: number
}
const noBytes = new Uint8Array(0)

/** A login under way: what answers the client's next message. */
interface Login {
  readonly mechanism: SaslMechanism
  readonly step: (message: Uint8Array) => Promise<SaslStep>
}

export interface SessionSettings {
  /** Null: nobody has to log in here. */
  readonly sasl: SaslSettings | null
  /** Who the connection is before any login. */
  readonly principal: Principal
  /** Where the client is. */
  readonly address: string
  /** A failed login is answered no sooner. */
  readonly failedLoginMs: number
}

export class Session {
  readonly #world: World
  readonly #security: Security
  readonly #settings: SessionSettings
  readonly #opened: () => void
  readonly #failed: () => void
  #principal: Principal
  /** The user of the last login, null before it. */
  #user: string | null = null
  #mechanism: SaslMechanism | null = null
  #expiresMs = Number.POSITIVE_INFINITY
  #login: Login | null = null
  #isRaw = false
  #isOver = false

  /** `opened` is called with the first login, `failed` when one has failed: what was answered is still to be sent. */
  constructor(world: World, security: Security, settings: SessionSettings, opened: () => void, failed: () => void) {
    this.#world = world
    this.#security = security
    this.#settings = settings
    this.#opened = opened
    this.#failed = failed
    this.#principal = settings.principal
  }

  get principal(): Principal {
    return this.#principal
  }
  /** The connection carries bare tokens for now (SaslHandshake 0). */
  get isRaw(): boolean {
    return this.#isRaw
  }
  get mechanisms(): readonly SaslMechanism[] {
    return this.#settings.sasl?.mechanisms ?? []
  }

  /** Is a request of this kind answered now? If not, the connection is to be closed. */
  admits(apiKey: number): boolean {
    if (this.#settings.sasl === null) return true
    if (this.#isOver) return false
    const isLogin = apiKey === saslHandshakeKey || apiKey === saslAuthenticateKey || apiKey === apiVersionsKey
    if (this.#user === null || this.#login !== null) return isLogin
    // A user who was removed is out at once; a session that is over may only be taken up again.
    if (!this.#security.credentials.has(this.#user)) return false
    return isLogin || this.#world.clock.monoMs() < this.#expiresMs
  }

  handshake(name: string, version: number): HandshakeError {
    const { sasl } = this.#settings
    if (sasl === null || this.#login !== null) return this.#end('ILLEGAL_SASL_STATE')
    const mechanism = sasl.mechanisms.find((each) => each === name)
    if (mechanism === undefined) return this.#end('UNSUPPORTED_SASL_MECHANISM')
    // A second login is one by the same mechanism, and not by bare tokens: requests may be on their way.
    if (this.#user !== null && (mechanism !== this.#mechanism || version === 0)) return this.#end('ILLEGAL_SASL_STATE')
    const step = mechanism === 'PLAIN' ? plainLogin(this.#security) : scramLogin(this.#world, this.#security, mechanism)
    this.#login = { mechanism, step }
    this.#isRaw = version === 0
    return 'NONE'
  }
  #end(error: Exclude<HandshakeError, 'NONE'>): HandshakeError {
    // Who has nothing to log in to, or has logged in, does no harm by asking.
    if (this.#settings.sasl !== null && this.#user === null) this.#over()
    return error
  }

  /** One message of the mechanism by SaslAuthenticate. */
  async authenticate(message: Uint8Array): Promise<LoginAnswer> {
    const login = this.#login
    if (login === null || this.#isRaw) {
      this.#end('ILLEGAL_SASL_STATE')
      return refused('ILLEGAL_SASL_STATE', 'no login is under way: SaslHandshake comes first')
    }
    const step = await this.#step(login, message)
    if (step === null) return refused('SASL_AUTHENTICATION_FAILED', failureText(login.mechanism))
    const lifetimeMs = step.user === null ? 0 : (this.#settings.sasl?.sessionMsMax ?? 0)
    return { error: 'NONE', message: null, bytes: step.answer, lifetimeMs }
  }

  /** One bare message; the answer as a frame. Rejects with a Disconnect when the login has failed. */
  async raw(message: Uint8Array): Promise<readonly Uint8Array[]> {
    const login = this.#login
    const step = login === null ? null : await this.#step(login, message)
    if (step === null) throw new Disconnect('a login by bare SASL tokens has failed')
    const length = new Uint8Array(4)
    new DataView(length.buffer).setInt32(0, step.answer.length)
    return [length, step.answer]
  }

  /** Null: it has failed, and the connection is to end. */
  async #step(login: Login, message: Uint8Array): Promise<SaslStep | null> {
    const { failedLogins } = this.#security
    const { address } = this.#settings
    const waitMs = failedLogins.waitMs(address)
    if (waitMs > waitMsMax) {
      await this.#world.clock.sleep(this.#settings.failedLoginMs)
      this.#over()
      return null
    }
    if (waitMs > 0) await this.#world.clock.sleep(waitMs)
    const beganMs = this.#world.clock.monoMs()
    const step = await login.step(message).catch((error: unknown) => {
      if (error instanceof SaslMessageError) return null
      throw error
    })
    const isSame = step === null || step.user === null || this.#user === null || step.user === this.#user
    if (step === null || !isSame) {
      failedLogins.failed(address)
      const tookMs = this.#world.clock.monoMs() - beganMs
      await this.#world.clock.sleep(Math.max(0, this.#settings.failedLoginMs - tookMs))
      this.#over()
      return null
    }
    if (step.user !== null) this.#loggedIn(login.mechanism, step.user)
    return step
  }
  #loggedIn(mechanism: SaslMechanism, user: string): void {
    const { sasl } = this.#settings
    this.#login = null
    this.#isRaw = false
    this.#user = user
    this.#mechanism = mechanism
    this.#principal = { name: `User:${user}` }
    if (sasl !== null && sasl.sessionMsMax > 0) this.#expiresMs = this.#world.clock.monoMs() + sasl.sessionMsMax
    this.#opened()
  }
  #over(): void {
    this.#isOver = true
    this.#login = null
    this.#failed()
  }
}

const refused = (error: LoginAnswer['error'], message: string): LoginAnswer => ({
  error,
  message,
  bytes: noBytes,
  lifetimeMs: 0,
})
/** In Kafka's words: some clients show them. The same for a name that nobody has and a password that is wrong. */
const failureText = (mechanism: SaslMechanism): string =>
  mechanism === 'PLAIN'
    ? 'Authentication failed: Invalid username or password'
    : `Authentication failed during authentication due to invalid credentials with SASL mechanism ${mechanism}`
