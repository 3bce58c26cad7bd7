// What the process says while it runs, as data: rooms tell it, the command line decides where and how it is written.
export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]
/** Units in names (`waitedMs`, `sizeBytes`). Never a secret, never a record's content. */
export interface LogFields {
  readonly [name: string]: string | number | boolean | null | undefined | Error
}
/** `component` is the room or part that speaks: `broker`, `groups`, `journal` … */
export type WriteLog = (level: LogLevel, component: string, message: string, fields?: LogFields) => void

/** For those who do not listen. */
export const noLog: WriteLog = () => {}

/**
 * Passes on at most `linesMax` lines of each message in `perMs`; what is held back is counted in the next line that goes
 * through (`suppressed`): a hostile peer must not fill the disk with its mistakes.
 */
export function limitedLog(write: WriteLog, monoMs: () => number, linesMax: number, perMs: number): WriteLog {
  const messages = new Map<string, { beganMs: number; lines: number; suppressed: number }>()
  return (level, component, message, fields) => {
    const nowMs = monoMs()
    let seen = messages.get(message)
    if (seen === undefined) {
      seen = { beganMs: nowMs, lines: 0, suppressed: 0 }
      messages.set(message, seen)
    }
    if (nowMs - seen.beganMs >= perMs) {
      seen.beganMs = nowMs
      seen.lines = 0
    }
    if (seen.lines >= linesMax) {
      seen.suppressed++
      return
    }
    seen.lines++
    write(level, component, message, seen.suppressed === 0 ? fields : { ...fields, suppressed: seen.suppressed })
    seen.suppressed = 0
  }
}
