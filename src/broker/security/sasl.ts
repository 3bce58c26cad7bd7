// The mechanisms of SASL that are served, each as a row of steps: a message of the client in, the answer out, and in the end
// the user.
import type { World } from '../../world/world.ts'
import { userNameMax } from './credentials.ts'
import {
  beginScram,
  endScram,
  SaslMessageError,
  type ScramBegun,
  type ScramMechanism,
  scramMechanisms,
} from './scram.ts'
import type { Security } from './security.ts'

export const saslMechanisms = ['PLAIN', ...scramMechanisms] as const
export type SaslMechanism = (typeof saslMechanisms)[number]
export const isSaslMechanism = (name: string): name is SaslMechanism => saslMechanisms.some((each) => each === name)

export interface SaslSettings {
  readonly mechanisms: readonly SaslMechanism[]
  /** A login holds so long, then the client must log in again (KIP-368); 0: as long as the connection. */
  readonly sessionMsMax: number
}

export interface SaslStep {
  readonly answer: Uint8Array
  /** Who has logged in; null: the client has more to say. */
  readonly user: string | null
}
/** Rejects with a SaslMessageError for what has failed, for whatever reason. */
export type SaslSteps = (message: Uint8Array) => Promise<SaslStep>

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })
const noBytes = new Uint8Array(0)
/** Characters of a password. */
const passwordMax = 1_024
const nonceBytes = 18

/** RFC 4616: whom to act as (nobody else than the user), NUL, the user, NUL, the password. */
export function plainLogin({ passwords }: Security): SaslSteps {
  return async (message) => {
    const [authzid, user, password, ...more] = textOf(message).split('\0')
    if (authzid === undefined || user === undefined || password === undefined || more.length > 0) {
      throw new SaslMessageError('a PLAIN message has three parts')
    }
    if (user === '' || password === '' || user.length > userNameMax || password.length > passwordMax) {
      throw new SaslMessageError('a user or a password of no possible length')
    }
    if (authzid !== '' && authzid !== user) throw new SaslMessageError('to act as somebody else is not served')
    if (!(await passwords.isRight(user, password))) throw new SaslMessageError('not the password')
    return { answer: noBytes, user }
  }
}

export function scramLogin(world: World, { credentials }: Security, mechanism: ScramMechanism): SaslSteps {
  let begun: ScramBegun | null = null
  return async (message) => {
    if (begun === null) {
      const nonce = Buffer.from(world.host.secretBytes(nonceBytes)).toString('base64')
      const first = beginScram(
        message,
        nonce,
        (user) => credentials.verifier(user, mechanism) ?? credentials.inventedVerifier(user, mechanism),
      )
      begun = first.begun
      return { answer: encoder.encode(first.answer), user: null }
    }
    const { user } = begun
    const answer = endScram(mechanism, begun, message)
    if (answer === null || credentials.verifier(user, mechanism) === null)
      throw new SaslMessageError('not the password')
    return { answer: encoder.encode(answer), user }
  }
}

function textOf(message: Uint8Array): string {
  try {
    return decoder.decode(message)
  } catch {
    throw new SaslMessageError('a PLAIN message is UTF-8')
  }
}
