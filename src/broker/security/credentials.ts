// Who has which password: SCRAM verifiers, those that administrators have set (durable, settings of the broker) over a list
// given at the start. A user of that list is changed there, not by the protocol.
import { createHmac } from 'node:crypto'
import { assert } from '../../std/assert.ts'
import type { Setting, SettingsStore } from '../settings-table.ts'
import {
  isScramMechanism,
  iterationsMin,
  keyBytes,
  type ScramMechanism,
  type ScramVerifier,
  scramMechanisms,
  verifierOf,
} from './scram.ts'

export interface CredentialSetting {
  readonly what: 'credential'
  /** `credentialName` of user and mechanism. */
  readonly about: string
  /** Null: the user has no credential of the mechanism any more. Bytes in base64. */
  readonly value: {
    readonly user: string
    readonly mechanism: ScramMechanism
    readonly salt: string
    readonly iterations: number
    readonly storedKey: string
    readonly serverKey: string
  } | null
}
/** What makes up salts for users that are not there: kept, so that they stay the same, as real ones do. */
export interface SecretSetting {
  readonly what: 'secret'
  readonly about: 'salts'
  /** 32 bytes in base64. */
  readonly value: { readonly bytes: string } | null
}

export const credentialName = (user: string, mechanism: ScramMechanism): string => JSON.stringify([mechanism, user])
export function credentialSetting(user: string, mechanism: ScramMechanism, verifier: ScramVerifier): CredentialSetting {
  const { salt, iterations, storedKey, serverKey } = verifier
  return {
    what: 'credential',
    about: credentialName(user, mechanism),
    value: {
      user,
      mechanism,
      salt: base64(salt),
      iterations,
      storedKey: base64(storedKey),
      serverKey: base64(serverKey),
    },
  }
}
export const noCredentialSetting = (user: string, mechanism: ScramMechanism): CredentialSetting => ({
  what: 'credential',
  about: credentialName(user, mechanism),
  value: null,
})

/** From a journal entry: our own bytes, checked all the same. */
export function readCredentialSetting(
  about: string,
  value: Readonly<Record<string, unknown>> | null,
): CredentialSetting {
  if (value === null) return { what: 'credential', about, value }
  const { user, mechanism, salt, iterations, storedKey, serverKey } = value
  assert(typeof user === 'string', 'a credential is of a user')
  assert(typeof mechanism === 'string' && isScramMechanism(mechanism), `a credential of ${String(mechanism)}`)
  assert(typeof iterations === 'number', 'a credential has a number of iterations')
  assert(typeof salt === 'string' && typeof storedKey === 'string' && typeof serverKey === 'string', 'keys are base64')
  assert(bytesOf(storedKey).length === keyBytes(mechanism), 'a key is as long as its hash')
  return { what: 'credential', about, value: { user, mechanism, salt, iterations, storedKey, serverKey } }
}
export function readSecretSetting(about: string, value: Readonly<Record<string, unknown>> | null): SecretSetting {
  assert(about === 'salts', `a secret about ${about}`)
  if (value === null) return { what: 'secret', about, value }
  const { bytes } = value
  assert(typeof bytes === 'string', 'a secret is base64')
  return { what: 'secret', about, value: { bytes } }
}

/** A user and a password, as people give them. */
export interface NamedPassword {
  readonly user: string
  readonly password: string
}

/** Users, and characters of a name. */
export const usersMax = 10_000
export const userNameMax = 255
const secretBytes = 32
const saltBytes = 16

export class Credentials {
  readonly #settings: SettingsStore
  /** Null until somebody may log in. */
  #secret: Uint8Array | null = null
  /** By `credentialName`: of the list given at the start, and those that were set. */
  readonly #given = new Map<string, ScramVerifier>()
  readonly #set = new Map<string, ScramVerifier>()
  readonly #givenUsers = new Set<string>()
  /** How many credentials a user has that were set. */
  readonly #setUsers = new Map<string, number>()

  constructor(settings: SettingsStore) {
    this.#settings = settings
    for (const setting of settings.all()) this.#heed(setting)
    settings.onChange((setting) => this.#heed(setting))
  }
  #heed(setting: Setting): void {
    if (setting.what !== 'credential') return
    const { about, value } = setting
    const user = userOf(about)
    const count = (this.#setUsers.get(user) ?? 0) + (value === null ? 0 : 1) - (this.#set.delete(about) ? 1 : 0)
    if (count > 0) this.#setUsers.set(user, count)
    else this.#setUsers.delete(user)
    if (value === null) return
    const { salt, iterations, storedKey, serverKey } = value
    this.#set.set(about, {
      salt: bytesOf(salt),
      iterations,
      storedKey: bytesOf(storedKey),
      serverKey: bytesOf(serverKey),
    })
  }

  /**
   * To be called before anybody logs in: makes the secret if there is none yet, durable when it resolves.
   */
  async prepare(freshBytes: (count: number) => Uint8Array): Promise<void> {
    if (secretIn(this.#settings) === null) {
      const value = { bytes: base64(freshBytes(secretBytes)) }
      await this.#settings.set([{ what: 'secret', about: 'salts', value }])
    }
    this.#secret = secretIn(this.#settings)
  }
  /** The users of the list; takes some milliseconds for each. After `prepare`. */
  give(list: readonly NamedPassword[]): void {
    for (const { user, password } of list) {
      this.#givenUsers.add(user)
      for (const mechanism of scramMechanisms) {
        const verifier = verifierOf(mechanism, password, this.#saltFor(user, mechanism), iterationsMin)
        this.#given.set(credentialName(user, mechanism), verifier)
      }
    }
  }

  isGiven(user: string): boolean {
    return this.#givenUsers.has(user)
  }
  has(user: string): boolean {
    return this.#givenUsers.has(user) || this.#setUsers.has(user)
  }
  users(): readonly string[] {
    return [...new Set([...this.#givenUsers, ...this.#setUsers.keys()])].sort()
  }
  verifier(user: string, mechanism: ScramMechanism): ScramVerifier | null {
    const name = credentialName(user, mechanism)
    return this.#givenUsers.has(user) ? (this.#given.get(name) ?? null) : (this.#set.get(name) ?? null)
  }
  /** A verifier that no password fits and that looks like one of a user, the same each time. */
  inventedVerifier(user: string, mechanism: ScramMechanism): ScramVerifier {
    const keys = (what: string): Uint8Array => this.#derived(`${what} ${credentialName(user, mechanism)}`)
    const storedKey = new Uint8Array(keyBytes(mechanism))
    const serverKey = new Uint8Array(keyBytes(mechanism))
    storedKey.set(keys('stored key').subarray(0, keyBytes(mechanism)))
    serverKey.set(keys('server key').subarray(0, keyBytes(mechanism)))
    return { salt: this.#saltFor(user, mechanism), iterations: iterationsMin, storedKey, serverKey }
  }
  #saltFor(user: string, mechanism: ScramMechanism): Uint8Array {
    return this.#derived(`salt ${credentialName(user, mechanism)}`).subarray(0, saltBytes)
  }
  #derived(about: string): Uint8Array {
    assert(this.#secret !== null, 'salts are made after the secret')
    return new Uint8Array(createHmac('sha512', this.#secret).update(about).digest())
  }
}

function secretIn(settings: SettingsStore): Uint8Array | null {
  for (const setting of settings.all()) {
    if (setting.what === 'secret' && setting.value !== null) return bytesOf(setting.value.bytes)
  }
  return null
}
function userOf(about: string): string {
  const parts: unknown = JSON.parse(about)
  const user: unknown = Array.isArray(parts) ? parts[1] : undefined
  assert(typeof user === 'string', `a credential about ${about}`)
  return user
}
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))
