// The processor time that a process has used: unlike a rate it can be told on a busy machine, and says what work costs.
import { readFileSync } from 'node:fs'

/** Linux counts in hundredths of a second, whatever its own clock. */
const tickMs = 10

/** Of all threads, in the program and in the kernel, since its start. From /proc, so on Linux only; else null. */
export function processorMsOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name of the program may hold anything, brackets too: fields are counted from behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = Number(fields[11]) + Number(fields[12])
    return Number.isNaN(ticks) ? null : ticks * tickMs
  } catch {
    return null
  }
}
