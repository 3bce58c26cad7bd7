// ListConfigResources 0-1 (key 74): what has settings: topics and the broker (1+; version 0 asks for client metrics only).
// Left out: client metrics, loggers and groups, which have no settings of their own here.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { mayOnCluster } from '../allowed.ts'
import { configResources } from '../config-resources.ts'
import type { Asking } from '../serving.ts'

/** Those that version 1 may ask for. */
const listable: readonly number[] = Object.values(configResources)

export function listConfigResources(
  { resourceTypes }: RequestOf<'listConfigResources'>,
  asking: Asking,
): ResponseTo<'listConfigResources'> {
  const { version, serving } = asking
  const refused = (errorCode: number) => ({ errorCode, configResources: [] })
  if (!mayOnCluster(asking, 'describe-configs')) return refused(kafkaErrors.CLUSTER_AUTHORIZATION_FAILED)
  if (resourceTypes.some((type) => !listable.includes(type))) return refused(kafkaErrors.UNSUPPORTED_VERSION)
  const wanted = (type: number): boolean => version >= 1 && (resourceTypes.length === 0 || resourceTypes.includes(type))
  const topics = wanted(configResources.topic) ? serving.core.topics() : []
  const found: { resourceName: string; resourceType: number }[] = topics.map(({ name }) => ({
    resourceName: name,
    resourceType: configResources.topic,
  }))
  if (wanted(configResources.broker)) {
    found.push({ resourceName: String(serving.core.nodeId), resourceType: configResources.broker })
  }
  return { errorCode: kafkaErrors.NONE, configResources: found }
}
