// InitProducerId 0-5 (key 22): an identity for an idempotent producer; one that names its identity (3+) gets its epoch
// raised. Left out: transactional producers, who are refused.
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { type Asking, refusal } from '../serving.ts'

export async function initProducerId(
  request: RequestOf<'initProducerId'>,
  { serving: { core }, version }: Asking,
): Promise<ResponseTo<'initProducerId'>> {
  if (request.transactionalId !== null) return refused(kafkaErrors.INVALID_REQUEST)
  try {
    const given =
      request.producerId < 0n
        ? await core.newProducerId()
        : await core.bumpProducerEpoch(request.producerId, request.producerEpoch)
    return { errorCode: kafkaErrors.NONE, producerId: given.producerId, producerEpoch: given.epoch }
  } catch (error) {
    const { errorCode } = refusal(error)
    const fenced = errorCode === kafkaErrors.INVALID_PRODUCER_EPOCH && version >= 4
    return refused(fenced ? kafkaErrors.PRODUCER_FENCED : errorCode)
  }
}

const refused = (errorCode: number): ResponseTo<'initProducerId'> => ({ errorCode, producerId: -1n, producerEpoch: -1 })
