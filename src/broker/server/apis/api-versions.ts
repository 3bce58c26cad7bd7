// ApiVersions 0-4 (key 18): what this server speaks. Asked first by every client, before anything else.
// Left out: features. Neither transactions nor the groups of KIP-848 are served, so none is finalised (the epoch stays -1).
import { apis, kafkaErrors, type ResponseTo } from '../../../wire/wire.ts'

/**
 * Kafka offers Produce from 0 on though it takes no batch below 3 (KAFKA-18659): librdkafka before 2.12 looks for
 * version 0, and if it is missing sends gzip, snappy and lz4 batches uncompressed. A Produce below 3 is refused.
 */
const produceVersionOfferedMin = 0

const apiKeys = Object.values(apis)
  .map(({ key, versions: { min, max } }) => ({
    apiKey: key,
    minVersion: key === apis.produce.key ? produceVersionOfferedMin : min,
    maxVersion: max,
  }))
  .sort((a, b) => a.apiKey - b.apiKey)

export function apiVersions(): ResponseTo<'apiVersions'> {
  return { errorCode: kafkaErrors.NONE, apiKeys }
}
