// DescribeAcls 1-3 (key 29): the access rules that pass a filter, by resource. SECURITY_DISABLED without access control.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { operationCodes, patternCodes, permissionCodes, resourceCodes } from '../../security/access-codes.ts'
import { type AccessRule, passes } from '../../security/access-rules.ts'
import { accessIsOff, filterOf } from '../acl-requests.ts'
import { mayOnCluster } from '../allowed.ts'
import type { Asking } from '../serving.ts'

type ResourceAnswer = ResponseTo<'describeAcls'>['resources'][number]

export function describeAcls(request: RequestOf<'describeAcls'>, asking: Asking): ResponseTo<'describeAcls'> {
  const { access } = asking.serving.security
  if (!access.isOn) return { ...accessIsOff, resources: [] }
  if (!mayOnCluster(asking, 'describe')) {
    return { errorCode: kafkaErrors.CLUSTER_AUTHORIZATION_FAILED, errorMessage: null, resources: [] }
  }
  const filter = filterOf(request)
  if (filter === null) {
    const errorMessage = 'the filter names a kind of resource, pattern, operation or permission that there is not'
    return { errorCode: kafkaErrors.INVALID_REQUEST, errorMessage, resources: [] }
  }
  const found = access.rules().filter((rule) => passes(rule, filter))
  return { errorCode: kafkaErrors.NONE, errorMessage: null, resources: byResource(found) }
}

function byResource(rules: readonly AccessRule[]): ResourceAnswer[] {
  const groups = new Map<string, AccessRule[]>()
  for (const rule of rules) {
    const key = `${rule.resource} ${rule.pattern} ${rule.name}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [rule])
    else group.push(rule)
  }
  return [...groups.values()].map((group) => {
    const { resource, pattern, name } = group[0]!
    return {
      resourceType: resourceCodes[resource],
      resourceName: name,
      patternType: patternCodes[pattern],
      acls: group.map(({ principal, host, operation, permission }) => ({
        principal,
        host,
        operation: operationCodes[operation],
        permissionType: permissionCodes[permission],
      })),
    }
  })
}
