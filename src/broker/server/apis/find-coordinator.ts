// FindCoordinator 0-6 (key 10): the one broker there is coordinates every group and every transaction. Share groups (6)
// are not served: asked for those it answers INVALID_REQUEST and says so.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import type { Asking } from '../serving.ts'

const ofGroup = 0
const ofTransaction = 1
const severalSince = 4

export function findCoordinator(
  { keyType, key, coordinatorKeys }: RequestOf<'findCoordinator'>,
  { serving, version, advertised: { host, port }, may }: Asking,
): ResponseTo<'findCoordinator'> {
  const { NONE, INVALID_REQUEST, GROUP_AUTHORIZATION_FAILED, TRANSACTIONAL_ID_AUTHORIZATION_FAILED } = kafkaErrors
  const here = { errorCode: NONE, errorMessage: null, nodeId: serving.core.nodeId, host, port }
  const answered = (name: string) => {
    if (keyType === ofGroup) {
      return may('describe', 'group', name) ? here : { ...nowhere, errorCode: GROUP_AUTHORIZATION_FAILED }
    }
    if (keyType === ofTransaction) {
      const allowed = may('describe', 'transactional-id', name)
      return allowed ? here : { ...nowhere, errorCode: TRANSACTIONAL_ID_AUTHORIZATION_FAILED }
    }
    return { ...nowhere, errorCode: INVALID_REQUEST, errorMessage: notServed(keyType) }
  }
  if (version < severalSince) return { ...answered(key), coordinators: [] }
  const several = { ...nowhere, errorCode: NONE }
  return { ...several, coordinators: coordinatorKeys.map((each) => ({ key: each, ...answered(each) })) }
}
const nowhere = { errorMessage: null, nodeId: -1, host: '', port: -1 }
const notServed = (keyType: number): string =>
  `this broker coordinates groups (key type ${ofGroup}) and transactions (${ofTransaction}), not key type ${keyType}`
