// DescribeCluster 0-2 (key 60): the one broker, which is also the controller, and what the asker may do to the cluster.
// Left out: controllers as endpoints of their own (1+; there are none), racks, fenced brokers (2+; none is).
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { clusterName } from '../../security/access-codes.ts'
import { authorizedOperations, mayOnCluster } from '../allowed.ts'
import type { Asking } from '../serving.ts'

const brokers = 1
const controllers = 2

export function describeCluster(request: RequestOf<'describeCluster'>, asking: Asking): ResponseTo<'describeCluster'> {
  const { serving, advertised } = asking
  const { clusterId, nodeId } = serving.core
  const { endpointType, includeClusterAuthorizedOperations } = request
  if (endpointType !== brokers) {
    const isKnown = endpointType === controllers
    return {
      errorCode: isKnown ? kafkaErrors.MISMATCHED_ENDPOINT_TYPE : kafkaErrors.UNSUPPORTED_ENDPOINT_TYPE,
      errorMessage: isKnown
        ? 'this is a broker, and no controller listens by itself'
        : `no endpoint type ${endpointType}`,
      endpointType,
      clusterId: '',
      brokers: [],
    }
  }
  const rights = mayOnCluster(asking, 'describe') ? authorizedOperations(asking, 'cluster', clusterName) : 0
  return {
    errorCode: kafkaErrors.NONE,
    endpointType,
    clusterId,
    controllerId: nodeId,
    brokers: [{ brokerId: nodeId, host: advertised.host, port: advertised.port, isFenced: false }],
    ...(includeClusterAuthorizedOperations ? { clusterAuthorizedOperations: rights } : {}),
  }
}
