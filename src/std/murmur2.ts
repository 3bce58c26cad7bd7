// MurmurHash2 of bytes with Kafka's seed: what decides on which partition a key belongs to.

/** MurmurHash2 with Kafka's seed, as a signed 32-bit number (org.apache.kafka.common.utils.Utils.murmur2). */
export function murmur2(bytes: Uint8Array, from = 0, to = bytes.length): number {
  const m = 0x5bd1e995
  let hash = 0x9747b28c ^ (to - from)
  let i = from
  for (; i + 4 <= to; i += 4) {
    let k = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    k = Math.imul(k, m)
    k ^= k >>> 24
    hash = Math.imul(hash, m) ^ Math.imul(k, m)
  }
  const rest = to - i
  if (rest === 3) hash ^= bytes[i + 2]! << 16
  if (rest >= 2) hash ^= bytes[i + 1]! << 8
  if (rest >= 1) hash = Math.imul(hash ^ bytes[i]!, m)
  hash = Math.imul(hash ^ (hash >>> 13), m)
  return hash ^ (hash >>> 15)
}
