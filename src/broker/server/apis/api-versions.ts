// ApiVersions 0-4 (key 18): what this server speaks. Asked first by every client, before anything else.
import { apis, kafkaErrors, type RequestOf, type ResponseTo } from '../../../wire/wire.ts'
import { features, featuresEpoch } from '../features.ts'

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

/** In versions before, a supported feature whose lowest level is 0 breaks clients (KAFKA-17011). */
const levelZeroSince = 4

/** Without a version: what can be said to a client of which none is known. */
export function apiVersions(
  _?: RequestOf<'apiVersions'>,
  { version }: { readonly version: number } = { version: 0 },
): ResponseTo<'apiVersions'> {
  const told = features.filter(({ levelMin }) => levelMin > 0 || version >= levelZeroSince)
  return {
    errorCode: kafkaErrors.NONE,
    apiKeys,
    supportedFeatures: told.map(({ name, levelMin, levelMax }) => ({
      name,
      minVersion: levelMin,
      maxVersion: levelMax,
    })),
    finalizedFeaturesEpoch: featuresEpoch,
    finalizedFeatures: features.map(({ name, levelMax }) => ({
      name,
      maxVersionLevel: levelMax,
      minVersionLevel: levelMax,
    })),
  }
}
