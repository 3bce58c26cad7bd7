// The features that the broker has, as Kafka calls what changes in ways that no single API's version tells (KIP-584): all
// are in use at their highest level. Clients read them off ApiVersions.

interface Feature {
  readonly name: string
  /** 0: it can be off. Clients before KAFKA-17011 fail at such a minimum, so only ApiVersions 4+ tells of it. */
  readonly levelMin: number
  readonly levelMax: number
}
export const features: readonly Feature[] = [
  // Every end of a transaction raises the epoch, and partitions join one by themselves (KIP-890).
  { name: 'transaction.version', levelMin: 0, levelMax: 2 },
  // Groups of KIP-848. Tools look at it; consumers look for the API.
  { name: 'group.version', levelMin: 0, levelMax: 1 },
]
/** Below 0 would be "unknown", and Java then takes no notice of the features. */
export const featuresEpoch = 0
