// A quota as administrators set it (KIP-546): for a user, a client id, both, or the default of either.
import { assert } from '../std/assert.ts'

/** What can be limited, as Kafka names it. Bytes per second, percent of a thread's time, changes of partitions per second. */
export const quotaKeys = [
  'producer_byte_rate',
  'consumer_byte_rate',
  'request_percentage',
  'controller_mutation_rate',
] as const
export type QuotaKey = (typeof quotaKeys)[number]
export type QuotaLimits = { readonly [Key in QuotaKey]?: number }

/** Undefined: the quota does not ask for it; null: whoever has no quota of their own (Kafka's `<default>`). */
export interface QuotaEntity {
  readonly user?: string | null
  readonly clientId?: string | null
}
export interface QuotaSetting {
  readonly what: 'quota'
  /** `quotaName` of its entity. */
  readonly about: string
  /** Null: nothing is limited any more. */
  readonly value: { readonly entity: QuotaEntity; readonly limits: QuotaLimits } | null
}

/** The same text for the same entity. */
export function quotaName({ user, clientId }: QuotaEntity): string {
  const part = (name: string, value: string | null | undefined): string[] =>
    value === undefined ? [] : [JSON.stringify([name, value])]
  return [...part('user', user), ...part('client-id', clientId)].join('')
}

export function quotaSetting(entity: QuotaEntity, limits: QuotaLimits): QuotaSetting {
  const value = Object.keys(limits).length === 0 ? null : { entity, limits }
  return { what: 'quota', about: quotaName(entity), value }
}

/** From a journal entry: our own bytes, checked all the same. */
export function readQuotaSetting(about: string, value: Readonly<Record<string, unknown>> | null): QuotaSetting {
  if (value === null) return { what: 'quota', about, value }
  const { entity: given, limits: set } = value
  assert(typeof given === 'object' && given !== null, 'a quota is for somebody')
  assert(typeof set === 'object' && set !== null, 'a quota limits something')
  const parts = new Map<string, unknown>(Object.entries(given))
  const nameOf = (part: string): string | null => {
    const name = parts.get(part)
    assert(name === null || typeof name === 'string', `${part} of a quota is ${String(name)}`)
    return name
  }
  const entity: QuotaEntity = {
    ...(parts.has('user') ? { user: nameOf('user') } : {}),
    ...(parts.has('clientId') ? { clientId: nameOf('clientId') } : {}),
  }
  const values = new Map<string, unknown>(Object.entries(set))
  const limits: { [Key in QuotaKey]?: number } = {}
  for (const key of quotaKeys) {
    const limit = values.get(key)
    if (limit === undefined) continue
    assert(typeof limit === 'number', `${key} is ${String(limit)}`)
    limits[key] = limit
  }
  assert(quotaName(entity) === about, `a quota of ${quotaName(entity)} under the name ${about}`)
  return { what: 'quota', about, value: { entity, limits } }
}
