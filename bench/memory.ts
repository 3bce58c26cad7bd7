// What a process holds in memory, and the most it ever held.
import { readFileSync } from 'node:fs'

export interface Memory {
  readonly residentBytes: number
  readonly peakBytes: number
}

/**
 * From /proc, so on Linux only; null elsewhere, and when the process has gone. `getrusage` will not do: on Linux a
 * child's maximum starts at what its parent held when it was started.
 */
export function memoryOf(pid: number): Memory | null {
  let status: string
  try {
    status = readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return null
  }
  const kibibytes = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1])
  const residentBytes = kibibytes('VmRSS') * 1024
  const peakBytes = kibibytes('VmHWM') * 1024
  return Number.isNaN(residentBytes + peakBytes) ? null : { residentBytes, peakBytes }
}
