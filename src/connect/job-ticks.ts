// A tick's payload in the log, JSON:
//
//   {"v":1,"atMs":…,"interval":…,"idle":[["sales",3],…]}
//
// Changing this needs a format version.
import type { Tick } from '../engine/engine.ts'
import { assert } from '../std/assert.ts'

export function encodeTick(tick: Tick): Uint8Array {
  const idle = tick.idle.map(({ topic, partition }) => [topic, partition])
  return new TextEncoder().encode(JSON.stringify({ v: 1, atMs: tick.atMs, interval: tick.interval, idle }))
}
export function decodeTick(payload: Uint8Array): Tick {
  const given = JSON.parse(new TextDecoder().decode(payload)) as {
    v: number
    atMs: number
    interval: boolean
    idle: [string, number][]
  }
  assert(given.v === 1, `a tick of version ${given.v}; this build reads version 1`)
  return {
    atMs: given.atMs,
    interval: given.interval,
    idle: given.idle.map(([topic, partition]) => ({ topic, partition })),
  }
}
