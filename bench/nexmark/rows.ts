// Rows of two engines compared without an order and without holding them all: how many there are, and sums of two hashes
// of each row's text.
import { crc32c } from '../../src/std/crc32c.ts'
import { xxhash32 } from '../../src/std/xxhash32.ts'

export interface Digest {
  readonly rows: number
  readonly hashes: string
}

export function digestOf(lines: Iterable<string>): Digest {
  const encoder = new TextEncoder()
  let [rows, a, b] = [0, 0n, 0n]
  for (const line of lines) {
    // The same text whoever wrote it: members in the order they stand, no blanks.
    const bytes = encoder.encode(JSON.stringify(JSON.parse(line)))
    rows++
    a += BigInt(xxhash32(bytes))
    b += BigInt(crc32c(bytes) >>> 0)
  }
  return { rows, hashes: `${a.toString(16)}-${b.toString(16)}` }
}
