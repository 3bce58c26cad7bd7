// Produce 0-2 (key 0): offered, because librdkafka before 2.12 looks for version 0 (KAFKA-18659), and always refused: their
// record formats are not stored. Each partition is answered UNSUPPORTED_VERSION; without acknowledgements the connection is
// closed, which is the only answer there is.
import { kafkaErrors, type OldProduceRequest, type OldProduceResponse } from '../../../wire/wire.ts'
import { Disconnect } from '../serving.ts'

export function produceOfOld({ acks, topicData }: OldProduceRequest): OldProduceResponse {
  if (acks === 0) throw new Disconnect('Produce below version 3 is not served')
  return {
    responses: topicData.map(({ name, partitionData }) => ({
      name,
      partitionResponses: partitionData.map(({ index }) => ({
        index,
        errorCode: kafkaErrors.UNSUPPORTED_VERSION,
        baseOffset: -1,
      })),
    })),
  }
}
