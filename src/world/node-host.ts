// This machine and this process as a `Host`.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { availableParallelism, hostname, uptime } from 'node:os'
import type { Host } from './world.ts'

export function nodeHost(): Host {
  return {
    pid: process.pid,
    cores: availableParallelism(),
    bootId: bootId(),
    name: hostname(),
    env: (name) => process.env[name],
    isAlive(pid) {
      const seen = processOf(pid)
      if (seen !== null) return seen.state !== 'Z' && seen.state !== 'X'
      try {
        process.kill(pid, 0) // signal 0 asks and sends nothing
        return true
      } catch (error) {
        // EPERM: it is there, but belongs to someone else
        return (error as NodeJS.ErrnoException).code === 'EPERM'
      }
    },
    birthOf: (pid) => processOf(pid)?.started ?? null,
    secretBytes: (count) => new Uint8Array(randomBytes(count)),
  }
}

/** Linux tells it; elsewhere the minute of the boot stands in, the same for all processes up to a rounding edge. */
function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  } catch {
    return `booted-in-minute-${Math.round((Date.now() / 1000 - uptime()) / 60)}`
  }
}

/**
 * What Linux says of a process (proc(5), `stat`): its state, `Z` = ended but not collected (in a container often for
 * ever: nobody collects there), and when it started, in clock ticks since the boot. Null elsewhere, or if there is none.
 */
function processOf(pid: number): { readonly state: string; readonly started: string } | null {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return null
  }
  // The second field is the program's name in parentheses and may hold anything; what follows the last one is regular.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, started] = [fields[0], fields[19]]
  return state === undefined || started === undefined ? null : { state, started }
}
