// Passwords that come as they are (SASL PLAIN), checked against the same verifiers as SCRAM's. A check takes milliseconds
// on purpose: they are made one after the other with pauses between them, so that guessing takes neither the event loop
// nor much of a core. Who was right once is known by a quick keyed hash as long as the credential stays the same.
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { World } from '../../world/world.ts'
import type { Credentials } from './credentials.ts'
import { isPassword, type ScramMechanism, type ScramVerifier, scramMechanisms } from './scram.ts'

/** Checks that wait for their turn; further ones fail at once. */
export const checksWaitingMax = 1_000
/** After each check it rests so many times as long as it took. */
const restFactor = 2
/** For users that are not there: any one does. */
const usualMechanism: ScramMechanism = 'SCRAM-SHA-512'

export class Passwords {
  readonly #world: World
  readonly #credentials: Credentials
  /** Of this process alone. */
  readonly #key: Uint8Array
  /** By user. */
  readonly #known = new Map<string, Uint8Array>()
  #turn: Promise<void> = Promise.resolve()
  #waiting = 0
  readonly #waitingMax: number

  constructor(world: World, credentials: Credentials, waitingMax = checksWaitingMax) {
    this.#waitingMax = waitingMax
    this.#world = world
    this.#credentials = credentials
    this.#key = world.host.secretBytes(32)
  }

  async isRight(user: string, password: string): Promise<boolean> {
    const { mechanism, verifier, isThere } = this.#verifierOf(user)
    const mark = createHmac('sha256', this.#key).update(verifier.storedKey).update(password).digest()
    const known = this.#known.get(user)
    if (isThere && known !== undefined && timingSafeEqual(known, mark)) return true
    if (this.#waiting >= this.#waitingMax) return false
    const isRight = await this.#inTurn(() => isPassword(mechanism, password, verifier))
    if (!isRight || !isThere) return false
    this.#known.set(user, mark)
    return true
  }
  #verifierOf(user: string): {
    readonly mechanism: ScramMechanism
    readonly verifier: ScramVerifier
    readonly isThere: boolean
  } {
    for (const mechanism of [...scramMechanisms].reverse()) {
      const verifier = this.#credentials.verifier(user, mechanism)
      if (verifier !== null) return { mechanism, verifier, isThere: true }
    }
    const verifier = this.#credentials.inventedVerifier(user, usualMechanism)
    return { mechanism: usualMechanism, verifier, isThere: false }
  }

  #inTurn<T>(check: () => T): Promise<T> {
    const { clock } = this.#world
    this.#waiting++
    const result = this.#turn.then(() => {
      this.#waiting--
      const beganMs = clock.monoMs()
      const value = check()
      return { value, tookMs: clock.monoMs() - beganMs }
    })
    this.#turn = result.then(({ tookMs }) => clock.sleep(tookMs * restFactor))
    return result.then(({ value }) => value)
  }
}
