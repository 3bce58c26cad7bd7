// What has configs, as the protocol numbers it, and who may see and change them.
import { kafkaErrors } from '../../wire/wire.ts'
import type { ConfigScope } from '../broker-setting.ts'
import type { BrokerCore } from '../core.ts'
import { mayOnCluster } from './allowed.ts'
import type { Asking } from './serving.ts'

export const configResources = { topic: 2, broker: 4, brokerLogger: 8, clientMetrics: 16, group: 32 } as const

export interface ConfigProblem {
  readonly errorCode: number
  readonly errorMessage: string | null
}

export function forbidden(
  asking: Asking,
  operation: 'describe-configs' | 'alter-configs',
  resourceType: number,
  resourceName: string,
): ConfigProblem | null {
  const refused = (errorCode: number): ConfigProblem => ({ errorCode, errorMessage: null })
  switch (resourceType) {
    case configResources.topic:
      return asking.may(operation, 'topic', resourceName) ? null : refused(kafkaErrors.TOPIC_AUTHORIZATION_FAILED)
    case configResources.group:
      return asking.may(operation, 'group', resourceName) ? null : refused(kafkaErrors.GROUP_AUTHORIZATION_FAILED)
    default:
      return mayOnCluster(asking, operation) ? null : refused(kafkaErrors.CLUSTER_AUTHORIZATION_FAILED)
  }
}

/** Whom a broker's name means: no name all of them, a number the only one; null: nobody. */
export function scopeOf({ nodeId }: BrokerCore, resourceName: string): ConfigScope | null {
  if (resourceName === '') return 'cluster'
  return resourceName === String(nodeId) ? 'broker' : null
}
export const noSuchBroker = ({ nodeId }: BrokerCore): ConfigProblem => ({
  errorCode: kafkaErrors.INVALID_REQUEST,
  errorMessage: `the only broker is ${nodeId}`,
})
export const noConfigs = (resourceType: number): ConfigProblem => ({
  errorCode: kafkaErrors.INVALID_REQUEST,
  errorMessage: `topics (2), brokers (4) and groups (32) have configs here, not resources of type ${resourceType}`,
})
