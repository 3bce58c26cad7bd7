// Records that prove themselves: from a value its key and its bytes, and back only if every byte is as it was sent.
// Printable and without line ends or tabs, so that tools of the command line can carry and print them.
import { garbage, type Value } from './history.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-.,;=()[]{}<>!?*/@#&%_~^$|'
/** Longer than a block of the journal is never needed: a few records cross one anyway. */
const fillBytesMax = 9_000
const pattern = alphabet.repeat(Math.ceil((fillBytesMax + alphabet.length) / alphabet.length))

export interface Payload {
  readonly key: string
  readonly value: string
}
/** Mostly a few hundred bytes, one in sixty-four some thousands. */
export function payloadOf(value: Value): Payload {
  const mixed = Math.imul(value ^ 0x9e3779b9, 2654435761) >>> 0
  const length = mixed % 64 === 0 ? 2_000 + (mixed % 7_000) : mixed % 300
  const start = value % alphabet.length
  return { key: `k${value}`, value: `${value}:${pattern.slice(start, start + length)}` }
}

export function provenValue(key: string | null, value: string | null): Value {
  if (key === null || value === null) return garbage
  const found = Number(value.slice(0, value.indexOf(':')))
  if (!Number.isSafeInteger(found) || found < 0) return garbage
  const wanted = payloadOf(found)
  return wanted.key === key && wanted.value === value ? found : garbage
}
