// ListGroups 0-5 (key 16): all groups that have members or committed offsets, or those in some states (4+) or of some types
// (5+): those that the asker may describe. All are of the type `classic`.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { mayOnCluster } from '../allowed.ts'
import type { Asking } from '../serving.ts'

const groupType = 'classic'

export function listGroups(
  { statesFilter, typesFilter }: RequestOf<'listGroups'>,
  asking: Asking,
): ResponseTo<'listGroups'> {
  const { groups } = asking.serving
  const mayAll = mayOnCluster(asking, 'describe')
  const seen = groups.groupIds().filter((id) => mayAll || asking.may('describe', 'group', id))
  const wanted = (filter: readonly string[], value: string): boolean =>
    filter.length === 0 || filter.some((each) => each.toLowerCase() === value.toLowerCase())
  const listed = seen.map((groupId) => {
    const group = groups.group(groupId)
    const protocolType = group?.protocolType ?? groups.offsets.protocolType(groupId)
    return { groupId, protocolType, groupState: group?.state ?? 'Empty', groupType }
  })
  return {
    errorCode: kafkaErrors.NONE,
    groups: listed.filter(({ groupState }) => wanted(statesFilter, groupState) && wanted(typesFilter, groupType)),
  }
}
