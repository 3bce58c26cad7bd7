// EndTxn 0-5 (key 26): commits or aborts, answered when the decision, the markers and the offsets are durable, which they
// are together. 5: every end raises the epoch, and the answer says what the producer goes on with (KIP-890).
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import type { Asking } from '../serving.ts'

const raisesSince = 5
const fencedSince = 2

export async function endTxn(
  { transactionalId, producerId, producerEpoch, committed }: RequestOf<'endTxn'>,
  { serving, version, may }: Asking,
): Promise<ResponseTo<'endTxn'>> {
  if (!may('write', 'transactional-id', transactionalId)) {
    return { errorCode: kafkaErrors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED }
  }
  if (transactionalId === '') return { errorCode: kafkaErrors.INVALID_REQUEST }
  const answer = await serving.core.transactions.end(transactionalId, {
    producerId: Number(producerId),
    epoch: producerEpoch,
    commit: committed,
    raises: version >= raisesSince,
  })
  const fenced = answer.error === 'PRODUCER_FENCED' && version < fencedSince
  return {
    errorCode: kafkaErrors[fenced ? 'INVALID_PRODUCER_EPOCH' : answer.error],
    producerId: BigInt(answer.producerId),
    producerEpoch: answer.epoch,
  }
}
