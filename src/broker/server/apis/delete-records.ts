// DeleteRecords 0-2 (key 21): the records before an offset are gone for readers when it is answered; -1 = up to the high
// watermark. The answer's low watermark is where each log begins from then on.
import { LogError } from '../../../log/log.ts'
import { offset, partitionId } from '../../../std/units.ts'
import { kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { cannotWrite, isOfTheHouse } from '../house-topics.ts'
import { type Asking, refusal } from '../serving.ts'

type PartitionAnswer = ResponseTo<'deleteRecords'>['topics'][number]['partitions'][number]
const toTheEnd = -1

export async function deleteRecords(
  { topics }: RequestOf<'deleteRecords'>,
  asking: Asking,
): Promise<ResponseTo<'deleteRecords'>> {
  const answers = topics.map(async ({ name, partitions }) => ({
    name,
    partitions: await Promise.all(
      partitions.map(({ partitionIndex, offset: before }) => deleted(asking, name, partitionIndex, before)),
    ),
  }))
  return { topics: await Promise.all(answers) }
}

async function deleted(
  { serving, may }: Asking,
  name: string,
  partitionIndex: number,
  before: number,
): Promise<PartitionAnswer> {
  const { core, topics } = serving
  const refused = (errorCode: number): PartitionAnswer => ({ partitionIndex, lowWatermark: -1, errorCode })
  if (!may('delete', 'topic', name)) return refused(kafkaErrors.TOPIC_AUTHORIZATION_FAILED)
  const { topic, errorCode } = topics.byName(name)
  if (topic === null) return refused(errorCode)
  if (isOfTheHouse(core, name)) return refused(cannotWrite(name).errorCode)
  if (partitionIndex < 0 || partitionIndex >= topic.partitions) return refused(kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
  const partition = partitionId(partitionIndex)
  if (before < toTheEnd || before > Number.MAX_SAFE_INTEGER) return refused(kafkaErrors.OFFSET_OUT_OF_RANGE)
  try {
    const to = before === toTheEnd ? core.offsets(name, partition).end : offset(before)
    const lowWatermark = await core.deleteRecords(name, partition, to)
    return { partitionIndex, lowWatermark, errorCode: kafkaErrors.NONE }
  } catch (error) {
    if (!(error instanceof LogError)) throw error
    return refused(refusal(error).errorCode)
  }
}
