// InitProducerId 0-5 (key 22): an identity for an idempotent or a transactional producer. As in Kafka one without a
// transactional id always gets a new one, whatever identity it names (3+): it raises its epoch by itself, and some clients
// name id 0 at first. With one the epoch goes up and fences whoever had the id; an open transaction is aborted first,
// which is answered CONCURRENT_TRANSACTIONS: the producer asks again. Id 0 with epoch 0 is no identity, for
// @platformatic/kafka says that of none; ids of this broker begin above it. (Kafka takes it for an identity, and refuses.)
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { mayOnCluster } from '../allowed.ts'
import { type Asking, refusal } from '../serving.ts'

const fencedSince = 4

export async function initProducerId(
  request: RequestOf<'initProducerId'>,
  asking: Asking,
): Promise<ResponseTo<'initProducerId'>> {
  const { core } = asking.serving
  if (request.transactionalId !== null) return transactional(request.transactionalId, request, asking)
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

async function transactional(
  id: string,
  { transactionTimeoutMs, producerId, producerEpoch }: RequestOf<'initProducerId'>,
  { serving: { core }, version, may }: Asking,
): Promise<ResponseTo<'initProducerId'>> {
  if (!may('write', 'transactional-id', id)) return refused(kafkaErrors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
  // Both are said, or neither.
  if (producerId < 0n !== producerEpoch < 0) return refused(kafkaErrors.INVALID_REQUEST)
  const isNone = producerId < 0n || (producerId === 0n && producerEpoch === 0)
  const expected = isNone ? null : { producerId: Number(producerId), epoch: producerEpoch }
  const answer = await core.transactions.init(id, transactionTimeoutMs, expected)
  if (answer.error === 'NONE') {
    return { errorCode: kafkaErrors.NONE, producerId: BigInt(answer.producerId), producerEpoch: answer.epoch }
  }
  const fenced = answer.error === 'PRODUCER_FENCED' && version < fencedSince
  return refused(kafkaErrors[fenced ? 'INVALID_PRODUCER_EPOCH' : answer.error])
}

const refused = (errorCode: number): ResponseTo<'initProducerId'> => ({ errorCode, producerId: -1n, producerEpoch: -1 })
