// DescribeClientQuotas 0-1 (key 48): the quotas that are set, by users and client ids exactly, by their defaults, or any.
// Left out: addresses (Kafka's `ip`), for which no quota can be set.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { type QuotaEntity, quotaKeys } from '../../quota-setting.ts'
import { type Asking, shortened } from '../serving.ts'

type Part = keyof QuotaEntity
/** How the protocol calls the parts of an entity. */
export const partOfType = new Map<string, Part>([
  ['user', 'user'],
  ['client-id', 'clientId'],
])
const matchTypes = { exact: 0, default: 1, any: 2 } as const

export function describeClientQuotas(
  request: RequestOf<'describeClientQuotas'>,
  { serving, may }: Asking,
): ResponseTo<'describeClientQuotas'> {
  if (!may('describe-configs', 'cluster', 'kafka-cluster')) {
    return { errorCode: kafkaErrors.CLUSTER_AUTHORIZATION_FAILED, errorMessage: null, entries: null }
  }
  const filter = new Map<Part, RequestOf<'describeClientQuotas'>['components'][number]>()
  for (const component of request.components) {
    const problem = problemOf(component)
    if (problem !== null) return { ...problem, entries: null }
    const part = partOfType.get(component.entityType)
    if (part === undefined) continue
    if (filter.has(part)) return { ...invalid(`two components are about ${component.entityType}`), entries: null }
    filter.set(part, component)
  }
  const matches = (entity: QuotaEntity): boolean => {
    for (const [part, { matchType, match }] of filter) {
      const name = entity[part]
      if (name === undefined) return false
      if (matchType !== matchTypes.any && name !== match) return false
    }
    return !request.strict || Object.keys(entity).length === filter.size
  }
  const entries = serving.quotas.all().flatMap(({ entity, limits }) => {
    if (!matches(entity)) return []
    const values = quotaKeys.flatMap((key) => {
      const value = limits[key]
      return value === undefined ? [] : [{ key, value }]
    })
    return [{ entity: namesOf(entity), values }]
  })
  return { errorCode: kafkaErrors.NONE, errorMessage: null, entries }
}
function namesOf(entity: QuotaEntity): { readonly entityType: string; readonly entityName: string | null }[] {
  return [...partOfType].flatMap(([entityType, part]) => {
    const entityName = entity[part]
    return entityName === undefined ? [] : [{ entityType, entityName }]
  })
}

interface Problem {
  readonly errorCode: number
  readonly errorMessage: string
}
const invalid = (message: string): Problem => ({
  errorCode: kafkaErrors.INVALID_REQUEST,
  errorMessage: shortened(message),
})
function problemOf(component: RequestOf<'describeClientQuotas'>['components'][number]): Problem | null {
  const { entityType, matchType, match } = component
  if (entityType === '') return invalid('a component names no entity type')
  if (!partOfType.has(entityType)) {
    const errorMessage = shortened(`quotas are for user and client-id, not for "${entityType}"`)
    return { errorCode: kafkaErrors.UNSUPPORTED_VERSION, errorMessage }
  }
  if (matchType === matchTypes.exact) return match === null ? invalid('an exact match needs a name') : null
  if (matchType !== matchTypes.default && matchType !== matchTypes.any) {
    return invalid(`a match is exact (0), the default (1) or any (2), not ${matchType}`)
  }
  return match === null ? null : invalid('only an exact match has a name')
}
