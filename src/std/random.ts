// Seeded random streams, forked by name: the same seed and the same names give the same numbers, whatever other
// streams do in between. Generator: sfc32 (Chris Doty-Humphrey, PractRand); seeding: two rounds of xmur3-style mixing.
import { assert } from './assert.ts'

export interface RandomStream {
  /** What replays this stream: pass it to `randomStream`. */
  readonly seed: string
  /** A uniform integer in [0, 2^32). */
  u32(): number
  /** A uniform float in [0, 1) with 53 random bits. */
  float(): number
  /** A uniform integer in [0, n), n in 1..2^32, without modulo bias. */
  below(n: number): number
  /** An independent stream that depends on this stream's seed and the name only, not on what was drawn. */
  fork(name: string): RandomStream
  /** Fills the array with random bytes and returns it. */
  fill(bytes: Uint8Array): Uint8Array
}

function mixer(text: string): () => number {
  let h = 1779033703 ^ text.length
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 3432918353)
    h = (h << 13) | (h >>> 19)
  }
  return () => {
    h = Math.imul(h ^ (h >>> 16), 2246822507)
    h = Math.imul(h ^ (h >>> 13), 3266489909)
    h ^= h >>> 16
    return h >>> 0
  }
}

export function randomStream(seed: string | number): RandomStream {
  const name = String(seed)
  const mix = mixer(name)
  let a = mix() | 0
  let b = mix() | 0
  let c = mix() | 0
  let d = mix() | 0
  const u32 = (): number => {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return t >>> 0
  }
  for (let i = 0; i < 12; i++) u32()
  return {
    seed: name,
    u32,
    float: () => (u32() >>> 5) * 2 ** -27 + (u32() >>> 6) * 2 ** -53,
    below(n) {
      assert(n >= 1 && n <= 2 ** 32, `below(n) needs n in 1..2^32: ${n}`)
      const limit = 2 ** 32 - (2 ** 32 % n)
      let value = u32()
      while (value >= limit) value = u32()
      return value % n
    },
    fork: (child) => randomStream(`${name}/${child}`),
    fill(bytes) {
      for (let i = 0; i < bytes.length; i++) bytes[i] = u32() >>> 24
      return bytes
    },
  }
}
