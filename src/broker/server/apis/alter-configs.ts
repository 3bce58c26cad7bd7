// AlterConfigs 0-2 (key 33): all settings of a topic, or all that were set of the broker, replaced at once: what is not named
// is at its default again. Changes: ../config-changes.ts.
// Left out: loggers, client metrics and groups (they have no settings here).
import type { RequestOf, ResponseTo } from '../../../wire/wire.ts'
import { changeResources } from '../config-changes.ts'
import type { Asking } from '../serving.ts'

export async function alterConfigs(
  { resources, validateOnly }: RequestOf<'alterConfigs'>,
  asking: Asking,
): Promise<ResponseTo<'alterConfigs'>> {
  const wanted = resources.map(({ resourceType, resourceName, configs }) => ({
    resourceType,
    resourceName,
    replace: true,
    changes: configs.map(({ name, value }) => ({ name, operation: 'set' as const, value })),
  }))
  return { responses: await changeResources(asking, wanted, validateOnly) }
}
