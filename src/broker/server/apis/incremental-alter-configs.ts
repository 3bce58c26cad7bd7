// IncrementalAlterConfigs 0-1 (key 44): single settings of topics and of the broker: set, deleted (back to the default), and
// of lists values appended and subtracted. Changes: ../config-changes.ts.
// Left out: loggers, client metrics and groups (they have no settings here).
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { type ConfigOperation, changeResources, type ResourceChange } from '../config-changes.ts'
import type { Asking } from '../serving.ts'

type Answer = ResponseTo<'incrementalAlterConfigs'>['responses'][number]
const operations: readonly ConfigOperation[] = ['set', 'delete', 'append', 'subtract']

export async function incrementalAlterConfigs(
  { resources, validateOnly }: RequestOf<'incrementalAlterConfigs'>,
  asking: Asking,
): Promise<ResponseTo<'incrementalAlterConfigs'>> {
  const wanted: ResourceChange[] = []
  const refused: Answer[] = []
  for (const { resourceType, resourceName, configs } of resources) {
    const changes = configs.flatMap(({ name, configOperation, value }) => {
      const operation = operations[configOperation]
      return operation === undefined ? [] : [{ name, operation, value }]
    })
    if (changes.length === configs.length) wanted.push({ resourceType, resourceName, replace: false, changes })
    else {
      const errorMessage = 'the operations are set (0), delete (1), append (2) and subtract (3)'
      refused.push({ resourceType, resourceName, errorCode: kafkaErrors.INVALID_REQUEST, errorMessage })
    }
  }
  return { responses: [...(await changeResources(asking, wanted, validateOnly)), ...refused] }
}
