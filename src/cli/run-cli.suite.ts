// Runs the real command line for tests: a process, its output and how it ended.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const main = fileURLToPath(new URL('main.ts', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}
export interface Options {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Goes to stdin, which is then closed. */
  readonly input?: string
  /** Leaves stdin open, as a terminal or a silent pipe does. */
  readonly silentInput?: true
}
export interface Running {
  readonly pid: number
  /** The first line of stdout; rejects if the process ends without one. */
  readonly firstLine: Promise<string>
  readonly ended: Promise<Ended>
  kill(signal: NodeJS.Signals): void
}

// What the machine of the tests has set must not change what they see.
const neutral = [
  'NO_COLOR',
  'FORCE_COLOR',
  'CI',
  'KAFKA_BROKERS',
  'KAFKA_BOOTSTRAP_SERVERS',
  'MILLRACE_DATA_DIR',
  'PORT',
  'HOST',
  'LOG_LEVEL',
  'LOG_FORMAT',
  'DELAY_DEMO_MODE',
  'SALES_PER_HOUR',
  'LATE_ARRIVAL_BATCH',
  'BATCH_SIZE',
]

export function startCli(args: readonly string[], options: Options = {}): Running {
  const env = { ...process.env, ...options.env }
  for (const name of neutral) if (options.env?.[name] === undefined) delete env[name]
  // The runner of the tests tells its children so; a command must not think that it is a test.
  delete env.NODE_TEST_CONTEXT
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  let stdout = ''
  let stderr = ''
  const first = Promise.withResolvers<string>()
  first.promise.catch(() => {})
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    if (stdout.includes('\n')) first.resolve(stdout.slice(0, stdout.indexOf('\n')))
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.stdin.on('error', () => {})
  if (!options.silentInput) child.stdin.end(options.input ?? '')
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => {
      first.reject(new Error(`ended with ${code ?? signal} before its first line: ${stderr}`))
      resolve({ code, signal, stdout, stderr })
    })
  })
  return { pid: child.pid ?? -1, firstLine: first.promise, ended, kill: (signal) => child.kill(signal) }
}

export const runCli = (args: readonly string[], options: Options = {}): Promise<Ended> => startCli(args, options).ended
