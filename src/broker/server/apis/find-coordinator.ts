// FindCoordinator 0-6 (key 10): the one broker there is coordinates every group. Transactions and share groups are not
// served: asked for those it answers INVALID_REQUEST and says so.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import type { Asking } from '../serving.ts'

const ofGroup = 0
const ofTransaction = 1

export function findCoordinator(
  { keyType, key, coordinatorKeys }: RequestOf<'findCoordinator'>,
  { serving, version, advertised: { host, port }, may }: Asking,
): ResponseTo<'findCoordinator'> {
  const errorCode = keyType === ofGroup ? kafkaErrors.NONE : kafkaErrors.INVALID_REQUEST
  const here =
    keyType === ofGroup
      ? { errorCode, errorMessage: null, nodeId: serving.core.nodeId, host, port }
      : { errorCode, errorMessage: notServed(keyType), nodeId: -1, host: '', port: -1 }
  const answered = (name: string) =>
    keyType === ofGroup && !may('describe', 'group', name)
      ? { ...nowhere, errorCode: kafkaErrors.GROUP_AUTHORIZATION_FAILED }
      : here
  if (version < severalSince) return { ...answered(key), coordinators: [] }
  return {
    ...nowhere,
    errorCode: kafkaErrors.NONE,
    coordinators: coordinatorKeys.map((key) => ({ key, ...answered(key) })),
  }
}
const severalSince = 4
const nowhere = { errorMessage: null, nodeId: -1, host: '', port: -1 }
const notServed = (keyType: number): string =>
  keyType === ofTransaction
    ? 'this broker serves no transactions: set no transactional.id'
    : `this broker coordinates groups (key type ${ofGroup}), not key type ${keyType}`
