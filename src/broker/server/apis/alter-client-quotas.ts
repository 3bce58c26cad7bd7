// AlterClientQuotas 0-1 (key 49): sets and removes quotas for users, client ids, both, and their defaults. What one request
// changes is durable together, when it is answered; each entry has its own verdict.
// Left out: addresses (Kafka's `ip`).
import { LogError } from '../../../log/log.ts'
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import {
  type QuotaEntity,
  type QuotaLimits,
  type QuotaSetting,
  quotaKeys,
  quotaName,
  quotaSetting,
} from '../../quota-setting.ts'
import { type Asking, refusal, shortened } from '../serving.ts'
import { partOfType } from './describe-client-quotas.ts'

type Entry = RequestOf<'alterClientQuotas'>['entries'][number]
type Verdict = ResponseTo<'alterClientQuotas'>['entries'][number]

export async function alterClientQuotas(
  { entries, validateOnly }: RequestOf<'alterClientQuotas'>,
  { serving, may }: Asking,
): Promise<ResponseTo<'alterClientQuotas'>> {
  if (!may('alter-configs', 'cluster', 'kafka-cluster')) {
    const verdict = { errorCode: kafkaErrors.CLUSTER_AUTHORIZATION_FAILED, errorMessage: null }
    return { entries: entries.map(({ entity }) => ({ ...verdict, entity })) }
  }
  const altered = await serving.quotas.alter(async (limitsOf) => {
    const settings = new Map<string, QuotaSetting>()
    const verdicts = entries.map((entry): Verdict => {
      const entity = entityOf(entry)
      if (typeof entity === 'string') return refused(entry, entity)
      const about = quotaName(entity)
      const changed = change(settings.get(about)?.value?.limits ?? limitsOf(about), entry)
      if (typeof changed === 'string') return refused(entry, changed)
      settings.set(about, quotaSetting(entity, changed))
      return { errorCode: kafkaErrors.NONE, errorMessage: null, entity: entry.entity }
    })
    if (validateOnly) return verdicts
    try {
      await serving.core.settings.set([...settings.values()])
      return verdicts
    } catch (error) {
      if (!(error instanceof LogError)) throw error
      return verdicts.map((verdict) => (verdict.errorCode === 0 ? { ...verdict, ...refusal(error) } : verdict))
    }
  })
  return { entries: altered }
}

const refused = ({ entity }: Entry, message: string): Verdict => ({
  errorCode: kafkaErrors.INVALID_REQUEST,
  errorMessage: shortened(message),
  entity,
})

/** Or what is wrong with it. */
function entityOf({ entity }: Entry): QuotaEntity | string {
  if (entity.length === 0) return 'a quota is for a user, a client id, or both'
  const parts = new Map<'user' | 'clientId', string | null>()
  for (const { entityType, entityName } of entity) {
    const part = partOfType.get(entityType)
    if (part === undefined) return `quotas are for user and client-id, not for "${entityType}"`
    if (parts.has(part)) return `two parts of the entity are of type ${entityType}`
    if (entityName === '') return `the name of the ${entityType} is empty; the default has none at all`
    parts.set(part, entityName)
  }
  return Object.fromEntries(parts)
}
/** Or what is wrong with it. */
function change(limits: QuotaLimits, { ops }: Entry): QuotaLimits | string {
  const changed = new Map(Object.entries(limits))
  for (const { key, value, remove } of ops) {
    if (!quotaKeys.some((known) => known === key)) return `no quota is called "${key}"; known: ${quotaKeys.join(', ')}`
    if (remove) changed.delete(key)
    else {
      if (!(value > 0 && value <= Number.MAX_SAFE_INTEGER)) return `${key} is above 0 and at most 2^53, not ${value}`
      if (key.endsWith('_byte_rate') && !Number.isInteger(value)) return `${key} is a whole number, not ${value}`
      changed.set(key, value)
    }
  }
  return Object.fromEntries(changed)
}
