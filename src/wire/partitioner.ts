// Which partition a key belongs to: murmur2 exactly as Kafka's Java producer computes it, so that equal keys of all
// clients meet. A door of `wire/`.
import { assert } from '../std/assert.ts'
import { murmur2 } from '../std/murmur2.ts'

/** The partition of a key, 0 to `partitions` - 1. Records without a key are the caller's to spread. */
export function partitionOfKey(key: Uint8Array, partitions: number): number {
  return partitionOfKeyAt(key, 0, key.length, partitions)
}
/** Of the key bytes[from, to). */
export function partitionOfKeyAt(bytes: Uint8Array, from: number, to: number, partitions: number): number {
  assert(partitions >= 1, `a topic has at least one partition: ${partitions}`)
  return (murmur2(bytes, from, to) & 0x7fffffff) % partitions
}
