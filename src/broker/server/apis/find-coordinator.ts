// FindCoordinator 0-6 (key 10): answered with INVALID_REQUEST and the reason, for neither groups nor transactions are
// served yet. It is offered all the same: librdkafka takes it as the sign of a broker that knows lz4, and without it
// sends lz4 batches uncompressed.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'

const refused = {
  errorCode: kafkaErrors.INVALID_REQUEST,
  errorMessage:
    'this broker serves neither consumer groups nor transactions: assign partitions, set no transactional.id',
  nodeId: -1,
  host: '',
  port: -1,
}

export function findCoordinator(request: RequestOf<'findCoordinator'>): ResponseTo<'findCoordinator'> {
  return { ...refused, coordinators: request.coordinatorKeys.map((key) => ({ key, ...refused })) }
}
