// The log of a running Millrace on stderr: JSON lines by pino for programs, short lines for people at a terminal.
// LOG_LEVEL: debug, info, warn, error or silent; LOG_FORMAT: json or pretty.
import { type LogFields, type LogLevel, logLevels, type WriteLog } from '../std/log-line.ts'
import { CommandError, exitCodes } from './errors.ts'
import { clean, type Output } from './output.ts'

type Format = 'json' | 'pretty'
type Threshold = LogLevel | 'silent'

/** At a terminal the banner speaks and the log only warns; elsewhere it tells all that an operator wants to find later. */
export async function logLines(out: Output, env: NodeJS.ProcessEnv, isTerminal: boolean): Promise<WriteLog> {
  const level = chosen<Threshold>(env, 'LOG_LEVEL', [...logLevels, 'silent'], isTerminal ? 'warn' : 'info')
  const format = chosen<Format>(env, 'LOG_FORMAT', ['json', 'pretty'], isTerminal ? 'pretty' : 'json')
  if (level === 'silent') return () => {}
  if (format === 'json') {
    const { default: pino } = await import('pino')
    // Written at once: the last words before an exit are the ones that matter. stderr is file 2.
    const logger = pino({ level, base: null }, pino.destination({ dest: 2, sync: true }))
    return (at, component, message, fields) => logger[at]({ component, ...fields }, message)
  }
  const least = logLevels.indexOf(level)
  return (at, component, message, fields = {}) => {
    if (logLevels.indexOf(at) < least) return
    const mark = at === 'error' ? out.style('red', at) : at === 'warn' ? out.style('yellow', at) : at
    out.warn(clean(`${component}: ${message}${shown(fields)}`).replace(/^/, `${mark} `))
  }
}

function chosen<Choice extends string>(
  env: NodeJS.ProcessEnv,
  name: string,
  choices: readonly Choice[],
  otherwise: Choice,
): Choice {
  const text = env[name]
  if (text === undefined || text === '') return otherwise
  const found = choices.find((choice) => choice === text)
  if (found !== undefined) return found
  throw new CommandError(exitCodes.usage, {
    what: `${name} is ${JSON.stringify(text)}`,
    cause: 'that is none of its values',
    cure: `set it to one of ${choices.join(', ')}`,
  })
}

function shown(fields: LogFields): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => ` ${name}=${value instanceof Error ? value.message : String(value)}`)
    .join('')
}
