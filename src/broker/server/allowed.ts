// Questions about rights that several handlers ask in the same words.
import { clusterName, operationCodes, operationsOf } from '../security/access-codes.ts'
import type { AccessOperation, AccessResource, Asking } from './serving.ts'

export const mayOnCluster = ({ may }: Asking, operation: AccessOperation): boolean =>
  may(operation, 'cluster', clusterName)

/** A topic may be made by who may make any (the cluster's right), or one of this name. */
export const mayCreateTopic = (asking: Asking, name: string): boolean =>
  mayOnCluster(asking, 'create') || asking.may('create', 'topic', name)

/** What a client is told of its rights (KIP-430): one bit for each operation it may. */
export function authorizedOperations({ may }: Asking, resource: AccessResource, name: string): number {
  let bits = 0
  for (const operation of operationsOf[resource]) {
    if (may(operation, resource, name)) bits |= 1 << operationCodes[operation]
  }
  return bits
}
