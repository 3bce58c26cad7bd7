// ListGroups 0-5 (key 16): all groups that have members or committed offsets, or those in some states (4+) or of some types
// (5+): those that the asker may describe.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { mayOnCluster } from '../allowed.ts'
import type { Asking } from '../serving.ts'

export function listGroups(
  { statesFilter, typesFilter }: RequestOf<'listGroups'>,
  asking: Asking,
): ResponseTo<'listGroups'> {
  const { groups } = asking.serving
  const mayAll = mayOnCluster(asking, 'describe')
  const seen = groups.groupIds().filter((id) => mayAll || asking.may('describe', 'group', id))
  const states = new Set(statesFilter.map((each) => each.toLowerCase()))
  const types = new Set(typesFilter.map((each) => each.toLowerCase()))
  const wanted = (filter: ReadonlySet<string>, value: string): boolean =>
    filter.size === 0 || filter.has(value.toLowerCase())
  const listed = seen.map((groupId) => {
    const { type, state, protocolType } = groups.listed(groupId)
    return { groupId, protocolType, groupState: state, groupType: type }
  })
  return {
    errorCode: kafkaErrors.NONE,
    groups: listed.filter(({ groupState, groupType }) => wanted(states, groupState) && wanted(types, groupType)),
  }
}
