// Frames of real clients (frames.txt, recorded by tools/record-frames.ts), and what becomes of them by chance.
import { readFileSync } from 'node:fs'
import type { RandomStream } from '../../src/std/random.ts'

export interface RecordedFrame {
  readonly client: string
  readonly apiKey: number
  readonly version: number
  readonly bytes: Uint8Array
}
export function recordedFrames(): readonly RecordedFrame[] {
  const text = readFileSync(new URL('frames.txt', import.meta.url), 'utf8')
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [client = '', apiKey, version, hex = ''] = line.split(' ')
      return {
        client,
        apiKey: Number(apiKey),
        version: Number(version),
        bytes: Uint8Array.from(Buffer.from(hex, 'hex')),
      }
    })
}

const telling = [0, 1, 0x7f, 0x80, 0xff, 0xfe]
const tellingWords = [0, 1, -1, 0x7fff_ffff, -0x8000_0000, 0x00ff_ffff, 10_000, 1_000_000]

/** Mostly one change, seldom four; mostly of values in their places, and not of the header: so that handlers are reached. */
export function mutated(frames: readonly RecordedFrame[], random: RandomStream): Uint8Array {
  const pick = (): Uint8Array => frames[random.below(frames.length)]!.bytes
  let bytes = new Uint8Array(pick())
  for (let left = random.below(2) === 0 ? 1 : 1 + random.below(4); left > 0; left--) {
    // Seldom in the key and version, else anywhere behind them.
    const from = random.below(20) === 0 ? 0 : Math.min(8, bytes.length)
    const at = from + random.below(Math.max(1, bytes.length - from))
    switch (random.below(3) === 0 ? 4 + random.below(5) : random.below(4)) {
      case 0:
        if (at < bytes.length) bytes[at] = bytes[at]! ^ (1 << random.below(8))
        break
      case 1:
        if (at < bytes.length) bytes[at] = telling[random.below(telling.length)]!
        break
      case 2:
        if (at + 4 <= bytes.length) {
          new DataView(bytes.buffer).setInt32(at, tellingWords[random.below(tellingWords.length)]!)
        }
        break
      case 3:
        if (at + 2 <= bytes.length) new DataView(bytes.buffer).setInt16(at, random.u32() & 0xffff)
        break
      case 4:
        bytes = bytes.slice(0, at)
        break
      case 5: {
        const end = Math.min(bytes.length, at + 1 + random.below(16))
        bytes = joined(bytes.subarray(0, at), bytes.subarray(end))
        break
      }
      case 6:
        bytes = joined(bytes.subarray(0, at), random.fill(new Uint8Array(1 + random.below(16))), bytes.subarray(at))
        break
      case 7: {
        // The same part again and again: arrays whose elements outnumber their count, and the other way round.
        const part = bytes.subarray(at, at + 1 + random.below(40))
        bytes = joined(
          bytes.subarray(0, at),
          ...Array.from({ length: 1 + random.below(50) }, () => part),
          bytes.subarray(at),
        )
        break
      }
      default: {
        const other = pick()
        bytes = joined(bytes.subarray(0, at), other.subarray(random.below(other.length)))
      }
    }
  }
  return bytes
}
function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
