// DeleteAcls 1-3 (key 31): removes the access rules that pass filters, all of a request together, answered when that is
// durable. SECURITY_DISABLED without access control.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { operationCodes, patternCodes, permissionCodes, resourceCodes } from '../../security/access-codes.ts'
import { type AccessRule, noRuleSetting, passes, ruleName } from '../../security/access-rules.ts'
import { accessIsOff, filterOf } from '../acl-requests.ts'
import { mayOnCluster } from '../allowed.ts'
import { type Asking, refusal } from '../serving.ts'

type FilterResult = ResponseTo<'deleteAcls'>['filterResults'][number]
interface Said {
  readonly errorCode: number
  readonly errorMessage: string | null
}

export async function deleteAcls(
  { filters }: RequestOf<'deleteAcls'>,
  asking: Asking,
): Promise<ResponseTo<'deleteAcls'>> {
  const { security, core } = asking.serving
  const { access } = security
  const all = (said: Said) => ({ filterResults: filters.map(() => ({ ...said, matchingAcls: [] })) })
  if (!access.isOn) return all(accessIsOff)
  if (!mayOnCluster(asking, 'alter')) {
    return all({ errorCode: kafkaErrors.CLUSTER_AUTHORIZATION_FAILED, errorMessage: null })
  }
  const rules = access.rules()
  const gone = new Map<string, AccessRule>()
  const filterResults = filters.map((request): FilterResult => {
    const filter = filterOf(request)
    if (filter === null) {
      const errorMessage = 'the filter names a kind of resource, pattern, operation or permission that there is not'
      return { errorCode: kafkaErrors.INVALID_REQUEST, errorMessage, matchingAcls: [] }
    }
    const found = rules.filter((rule) => passes(rule, filter))
    for (const rule of found) gone.set(ruleName(rule), rule)
    return { errorCode: kafkaErrors.NONE, errorMessage: null, matchingAcls: found.map(told) }
  })
  try {
    await core.settings.set([...gone.values()].map(noRuleSetting))
    return { filterResults }
  } catch (error) {
    return all(refusal(error))
  }
}

const told = ({ resource, pattern, name, principal, host, operation, permission }: AccessRule) => ({
  errorCode: kafkaErrors.NONE,
  errorMessage: null,
  resourceType: resourceCodes[resource],
  resourceName: name,
  patternType: patternCodes[pattern],
  principal,
  host,
  operation: operationCodes[operation],
  permissionType: permissionCodes[permission],
})
