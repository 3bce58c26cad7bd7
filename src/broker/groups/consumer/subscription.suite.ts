// Writes what members of the classic protocol `consumer` tell of themselves: for tests, which play them.
import type { NamedPartitions } from '../consumer-protocol.ts'

const int16 = (value: number): Buffer => Buffer.of((value >> 8) & 0xff, value & 0xff)
const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
const text = (value: string): Buffer => Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)])

export function writeSubscription(
  version: number,
  topics: readonly string[],
  owned: readonly NamedPartitions[] = [],
): Uint8Array {
  const parts = [int16(version), int32(topics.length), ...topics.map(text), int32(-1)]
  if (version >= 1) {
    parts.push(int32(owned.length))
    for (const { topic, partitions } of owned)
      parts.push(text(topic), int32(partitions.length), ...partitions.map(int32))
  }
  return new Uint8Array(Buffer.concat(parts))
}
