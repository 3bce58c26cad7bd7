// What administrators have set while the broker runs: quotas, and whatever else has a name and a value. One journal entry
// (kind 11, stream `settings`) per change, JSON:
//
//   {"what":"quota","about":name within its kind,"value":{…} or null = gone}
//
// Changing this needs a format version (journal/entry.ts); a further `what` does not. To add one: its type and reader in a
// file of its own (as quota-setting.ts), the type into `Setting`, the reader into `readSetting`. Who acts on settings keeps
// its own picture of them: `all()` at the start, then `onChange`. Nothing is told before it is durable.

import { LogError } from '../log/log.ts'
import { assert, unreachable } from '../std/assert.ts'
import { type BrokerConfigSetting, readBrokerConfigSetting } from './broker-setting.ts'
import { type QuotaSetting, readQuotaSetting } from './quota-setting.ts'
import { type AccessRuleSetting, readAccessRuleSetting } from './security/access-rules.ts'
import {
  type CredentialSetting,
  readCredentialSetting,
  readSecretSetting,
  type SecretSetting,
} from './security/credentials.ts'

export type Setting = QuotaSetting | AccessRuleSetting | CredentialSetting | SecretSetting | BrokerConfigSetting

/** Settings of all kinds together. */
export const settingsMax = 100_000
/** Bytes of one setting in the journal. */
export const settingBytesMax = 64 * 1024

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/** Throws a LogError INVALID_CONFIG for one that is too large. */
export function writeSetting(setting: Setting): Uint8Array {
  const bytes = encoder.encode(JSON.stringify(setting))
  if (bytes.length <= settingBytesMax) return bytes
  throw new LogError('INVALID_CONFIG', `a setting of ${bytes.length} bytes; the limit is ${settingBytesMax}`)
}
export function readSetting(payload: Uint8Array): Setting {
  return settingOf(JSON.parse(decoder.decode(payload)))
}
function settingOf(json: unknown): Setting {
  const { what, about, value } = fieldsOf(json)
  assert(typeof about === 'string', `a setting about ${String(about)}`)
  const fields = value === null ? null : fieldsOf(value)
  const kind: unknown = what
  assert(isKind(kind), `a setting of the kind ${String(kind)}, which this format does not have`)
  switch (kind) {
    case 'quota':
      return readQuotaSetting(about, fields)
    case 'access-rule':
      return readAccessRuleSetting(about, fields)
    case 'credential':
      return readCredentialSetting(about, fields)
    case 'secret':
      return readSecretSetting(about, fields)
    case 'broker-config':
      return readBrokerConfigSetting(about, fields)
    default:
      return unreachable(kind)
  }
}
const kinds: { readonly [What in Setting['what']]: true } = {
  quota: true,
  'access-rule': true,
  credential: true,
  secret: true,
  'broker-config': true,
}
const isKind = (what: unknown): what is Setting['what'] => typeof what === 'string' && Object.hasOwn(kinds, what)
function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  assert(typeof value === 'object' && value !== null, 'a setting is a JSON object')
  return { ...value }
}

/** JSON-safe: part of the broker's snapshots (snapshot.ts). In order. */
export type CapturedSettings = readonly unknown[]

export class SettingsTable {
  /** Why some that were set may be missing; null: all are there. */
  damage: string | null = null
  /** By `what` and `about`; only those that have a value. */
  readonly #settings = new Map<string, Setting>()
  /** Not durable yet, in order. */
  readonly #taken: Setting[] = []
  readonly #listeners = new Set<(setting: Setting) => void>()

  all(): readonly Setting[] {
    return [...this.#settings.values()]
  }
  /** Called whenever one has changed, and is durable. Returns the way out. */
  onChange(listener: (setting: Setting) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Throws a LogError INVALID_CONFIG if there would be too many. */
  checkRoom(more: readonly Setting[]): void {
    const count = this.#settings.size + this.#taken.length + more.length
    if (count > settingsMax && more.some(({ value }) => value !== null)) {
      throw new LogError('INVALID_CONFIG', `${settingsMax} settings are kept at most; remove some`)
    }
  }
  /** The journal has taken it. Returns the way back. */
  take(settings: readonly Setting[]): () => void {
    this.#taken.push(...settings)
    return () => {
      for (const setting of [...settings].reverse()) {
        assert(this.#taken.pop() === setting, 'settings are taken back newest first')
      }
    }
  }
  takenAreDurable(settings: readonly Setting[]): void {
    for (const setting of settings) {
      assert(this.#taken.shift() === setting, 'settings become durable oldest first')
      this.apply(setting)
    }
  }
  /** In the order of the journal. */
  apply(setting: Setting): void {
    const key = `${setting.what} ${setting.about}`
    if (setting.value === null) this.#settings.delete(key)
    else this.#settings.set(key, setting)
    for (const listener of this.#listeners) listener(setting)
  }

  /** All of it, with what is not durable yet; for a snapshot. */
  capture(): CapturedSettings {
    return [...this.#settings.values(), ...this.#taken]
  }
  restore(captured: CapturedSettings): void {
    for (const setting of captured) this.apply(settingOf(setting))
  }
}

/** The settings as the rest of the broker sees them. */
export interface SettingsStore {
  all(): readonly Setting[]
  /** Why some that were set may be missing; left out or null: all are there. */
  readonly damage?: string | null
  onChange(listener: (setting: Setting) => void): () => void
  /** All together or none. Resolves when durable; rejects with a LogError INVALID_CONFIG or KAFKA_STORAGE_ERROR. */
  set(settings: readonly Setting[]): Promise<void>
}

/**
 * The store on a journal. `take` appends entries as one group: calls `taken` at once, and what that returns if they are
 * taken back; `durable` when they are.
 */
export function settingsStore(
  table: SettingsTable,
  take: (payloads: readonly Uint8Array[], taken: () => () => void, durable: () => void) => Promise<void>,
): SettingsStore {
  return {
    all: () => table.all(),
    get damage() {
      return table.damage
    },
    onChange: (listener) => table.onChange(listener),
    set: async (changes) => {
      if (changes.length === 0) return
      table.checkRoom(changes)
      await take(
        changes.map(writeSetting),
        () => table.take(changes),
        () => table.takenAreDurable(changes),
      )
    },
  }
}
