// This machine and this process as a `Host`.
import { readFileSync } from 'node:fs'
import { hostname, uptime } from 'node:os'
import type { Host } from './world.ts'

export function nodeHost(): Host {
  return {
    pid: process.pid,
    bootId: bootId(),
    name: hostname(),
    env: (name) => process.env[name],
    isAlive(pid) {
      try {
        process.kill(pid, 0) // signal 0 asks and sends nothing
        return true
      } catch (error) {
        // EPERM: it is there, but belongs to someone else
        return (error as NodeJS.ErrnoException).code === 'EPERM'
      }
    },
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
