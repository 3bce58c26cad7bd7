// DeleteGroups 0-2 (key 42): groups without members, and what they have committed. Each succeeds or fails on its own,
// answered when it is durable.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import type { Asking } from '../serving.ts'
import { storageError } from './offset-commit.ts'

export async function deleteGroups(
  { groupsNames }: RequestOf<'deleteGroups'>,
  { serving: { groups }, may }: Asking,
): Promise<ResponseTo<'deleteGroups'>> {
  const results = groupsNames.map(async (groupId) => {
    if (!may('delete', 'group', groupId)) return { groupId, errorCode: kafkaErrors.GROUP_AUTHORIZATION_FAILED }
    const error = await groups.deleteGroup(groupId).catch(storageError)
    return { groupId, errorCode: kafkaErrors[error] }
  })
  return { results: await Promise.all(results) }
}
