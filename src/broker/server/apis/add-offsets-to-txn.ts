// AddOffsetsToTxn 0-4 (key 25): a group whose offsets a transaction is about to commit, answered when that is durable.
import { type KafkaError, kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import type { Asking } from '../serving.ts'

const fencedSince = 2
const abortableSince = 4

export async function addOffsetsToTxn(
  { transactionalId, producerId, producerEpoch, groupId }: RequestOf<'addOffsetsToTxn'>,
  { serving, version, may }: Asking,
): Promise<ResponseTo<'addOffsetsToTxn'>> {
  if (!may('write', 'transactional-id', transactionalId)) {
    return { errorCode: kafkaErrors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED }
  }
  if (!may('read', 'group', groupId)) return { errorCode: kafkaErrors.GROUP_AUTHORIZATION_FAILED }
  const { groups, core } = serving
  if (Buffer.byteLength(groupId) > groups.settings.groupIdBytesMax) return { errorCode: kafkaErrors.INVALID_GROUP_ID }
  const claim = { producerId: Number(producerId), epoch: producerEpoch }
  const error =
    transactionalId === '' ? 'INVALID_REQUEST' : await core.transactions.addOffsets(transactionalId, claim, groupId)
  return { errorCode: said(error, version) }
}

function said(error: KafkaError, version: number): number {
  if (error === 'TRANSACTION_ABORTABLE' && version < abortableSince) return kafkaErrors.INVALID_TXN_STATE
  return kafkaErrors[error === 'PRODUCER_FENCED' && version < fencedSince ? 'INVALID_PRODUCER_EPOCH' : error]
}
