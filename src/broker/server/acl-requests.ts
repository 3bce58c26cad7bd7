// Access rules and filters as requests say them: codes in, words out.
import { kafkaErrors, type RequestOf } from '../../wire/wire.ts'
import {
  anyCode,
  matchCode,
  operationCodes,
  patternCodes,
  permissionCodes,
  resourceCodes,
  wordOf,
} from '../security/access-codes.ts'
import type { AccessRule, RuleFilter } from '../security/access-rules.ts'

export const accessIsOff = {
  errorCode: kafkaErrors.SECURITY_DISABLED,
  errorMessage: 'access control is off: start the broker with a super user',
} as const

/** Null: there is no such rule. */
export function ruleOf(creation: RequestOf<'createAcls'>['creations'][number]): AccessRule | null {
  const resource = wordOf(resourceCodes, creation.resourceType)
  const pattern = wordOf(patternCodes, creation.resourcePatternType)
  const operation = wordOf(operationCodes, creation.operation)
  const permission = wordOf(permissionCodes, creation.permissionType)
  if (resource === null || pattern === null || operation === null || permission === null) return null
  const { resourceName, principal, host } = creation
  return { resource, pattern, name: resourceName, principal, host, operation, permission }
}

/** Null: there is no such filter. */
export function filterOf(request: RequestOf<'deleteAcls'>['filters'][number]): RuleFilter | null {
  const resource = orAny(resourceCodes, request.resourceTypeFilter)
  const pattern = request.patternTypeFilter === matchCode ? 'match' : orAny(patternCodes, request.patternTypeFilter)
  const operation = orAny(operationCodes, request.operation)
  const permission = orAny(permissionCodes, request.permissionType)
  if (resource === undefined || pattern === undefined || operation === undefined || permission === undefined)
    return null
  const { resourceNameFilter: name, principalFilter: principal, hostFilter: host } = request
  return { resource, name, pattern, principal, host, operation, permission }
}

/** Null: any; undefined: there is no such word. */
function orAny<Word extends string>(codes: Readonly<Record<Word, number>>, code: number): Word | null | undefined {
  return code === anyCode ? null : (wordOf(codes, code) ?? undefined)
}
