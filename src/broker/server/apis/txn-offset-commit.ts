// TxnOffsetCommit 0-5 (key 28): how far a group will have come once the transaction commits, answered when that is durable.
// 3+: only for members of the present generation, if it names one. 5: the group joins the transaction by itself (KIP-890).
import { type KafkaError, kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { committedBytes } from '../../groups/offset-table.ts'
import type { StagedOffset } from '../../transactions/transaction-entry.ts'
import type { Asking, Serving } from '../serving.ts'

type PartitionRequest = RequestOf<'txnOffsetCommit'>['topics'][number]['partitions'][number]

const joinsSince = 5
const abortableSince = 4

export async function txnOffsetCommit(
  request: RequestOf<'txnOffsetCommit'>,
  { serving, version, may }: Asking,
): Promise<ResponseTo<'txnOffsetCommit'>> {
  const { transactionalId, groupId, producerId, producerEpoch, topics } = request
  const { groups, core } = serving
  const offsets: StagedOffset[] = []
  // As for a commit of no transaction; what is staged is as good as committed.
  const { offsetBytesMax } = groups.settings
  const room = { bytes: offsetBytesMax - groups.offsets.bytes - core.transactions.table.stagedBytes }
  const refused = refusal(request, { serving, may })
  const judged = topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((partition) => {
      const error = refused !== 'NONE' ? refused : judge(serving, may, name, partition, offsets, room)
      return { partitionIndex: partition.partitionIndex, error }
    }),
  }))
  const outcome =
    refused === 'NONE' && offsets.length > 0
      ? await core.transactions.stage(
          transactionalId,
          { producerId: Number(producerId), epoch: producerEpoch },
          { group: groupId, protocolType: groups.protocolType(groupId), joins: version >= joinsSince },
          offsets,
        )
      : 'NONE'
  return {
    topics: judged.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, error }) => {
        return { partitionIndex, errorCode: said(error === 'NONE' ? outcome : error, version) }
      }),
    })),
  }
}

/** What holds for all partitions of the request. */
function refusal(
  { transactionalId, groupId, memberId, groupInstanceId, generationId }: RequestOf<'txnOffsetCommit'>,
  { serving: { groups }, may }: Pick<Asking, 'serving' | 'may'>,
): KafkaError {
  if (!may('write', 'transactional-id', transactionalId)) return 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'
  if (!may('read', 'group', groupId)) return 'GROUP_AUTHORIZATION_FAILED'
  if (groupId === '' || Buffer.byteLength(groupId) > groups.settings.groupIdBytesMax) return 'INVALID_GROUP_ID'
  // A producer that is not told of the consumer's membership claims none: it is fenced by its epoch alone.
  if (generationId < 0 && memberId === '') return 'NONE'
  const claim = { memberId, instanceId: groupInstanceId, generation: generationId }
  const error = groups.checkCommit(groupId, claim, true)
  // Producers know of no member epochs; for an error that they do not know they give up for good.
  return error === 'STALE_MEMBER_EPOCH' ? 'ILLEGAL_GENERATION' : error
}

function judge(
  { groups, core }: Serving,
  may: Asking['may'],
  name: string,
  { partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata }: PartitionRequest,
  offsets: StagedOffset[],
  room: { bytes: number },
): KafkaError {
  if (!may('read', 'topic', name)) return 'TOPIC_AUTHORIZATION_FAILED'
  const place = core.transactions.placeOf(name, partitionIndex)
  if (place === null) return 'UNKNOWN_TOPIC_OR_PARTITION'
  const metadata = committedMetadata ?? ''
  if (metadata.length > groups.settings.offsetMetadataCharactersMax) return 'OFFSET_METADATA_TOO_LARGE'
  if (!(committedOffset >= 0 && committedOffset <= Number.MAX_SAFE_INTEGER)) return 'INVALID_REQUEST'
  room.bytes -= committedBytes(metadata)
  if (room.bytes < 0) return 'INVALID_COMMIT_OFFSET_SIZE'
  offsets.push([place[0], place[1], committedOffset, committedLeaderEpoch, metadata])
  return 'NONE'
}

/** As a group's coordinator says it: there fencing is an outdated epoch. */
function said(error: KafkaError, version: number): number {
  if (error === 'TRANSACTION_ABORTABLE' && version < abortableSince) return kafkaErrors.INVALID_TXN_STATE
  return kafkaErrors[error === 'PRODUCER_FENCED' ? 'INVALID_PRODUCER_EPOCH' : error]
}
