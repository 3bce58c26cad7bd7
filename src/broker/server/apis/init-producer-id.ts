// InitProducerId 0-5 (key 22): an identity for an idempotent producer. As in Kafka one without a transactional id always
// gets a new one, whatever identity it names (3+): it raises its epoch by itself, and some clients name id 0 at first.
// Left out: transactional producers, who are refused.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { mayOnCluster } from '../allowed.ts'
import { type Asking, refusal } from '../serving.ts'

export async function initProducerId(
  request: RequestOf<'initProducerId'>,
  asking: Asking,
): Promise<ResponseTo<'initProducerId'>> {
  const { core } = asking.serving
  if (request.transactionalId !== null) return refused(kafkaErrors.INVALID_REQUEST)
  // Who may write to some topic may do so without repeats: the right of the cluster is only needed by itself (KIP-679).
  if (!mayOnCluster(asking, 'idempotent-write') && !asking.mayAny('write', 'topic')) {
    return refused(kafkaErrors.CLUSTER_AUTHORIZATION_FAILED)
  }
  try {
    const { producerId, epoch } = await core.newProducerId()
    return { errorCode: kafkaErrors.NONE, producerId, producerEpoch: epoch }
  } catch (error) {
    return refused(refusal(error).errorCode)
  }
}

const refused = (errorCode: number): ResponseTo<'initProducerId'> => ({ errorCode, producerId: -1n, producerEpoch: -1 })
