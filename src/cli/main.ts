// The command line's beginning and end: parses, runs one command, turns whatever was thrown into words and an exit code.
import { enableCompileCache, getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'
import type { Act } from './command.ts'
import { errorLines, exitCodes, explain, Interrupted, withCauses } from './errors.ts'
import type { Globals } from './output.ts'
import { runProgram } from './program.ts'
import { ownVersion, terminalOutput } from './terminal.ts'

// Commands are imported when asked for; from the second start on Node takes them compiled, types stripped, from its cache.
enableCompileCache()
// Threads look for it in the environment. Without it each of them loads a stripper of types for itself: 17 MB.
const cacheFolder = getCompileCacheDir()
if (cacheFolder !== undefined) process.env.NODE_COMPILE_CACHE ??= dirname(cacheFolder)

// `millrace … | head` closes our stdout early: that is the reader's right, not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok)
  throw error
})
process.stderr.on('error', () => {})

// Started by the launcher under another Node: when that is killed hard, so are we, as if there were one process.
if (process.env.MILLRACE_LAUNCHED === '1' && process.channel !== undefined) {
  delete process.env.MILLRACE_LAUNCHED
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
  process.channel?.unref()
}

const args = process.argv.slice(2)
let globals: Globals = {
  json: args.includes('--json'),
  verbose: args.includes('-v') || args.includes('--verbose'),
  color: !args.includes('--no-color'),
}
let exitCode: number = exitCodes.ok

const act: Act =
  (action) =>
  async (...given) => {
    // Commander hands over arguments, flags and, last, the command itself.
    const command = given[given.length - 1] as Parameters<typeof action>[1]
    globals = command.optsWithGlobals<Globals>()
    exitCode = (await action(globals, command)) ?? exitCodes.ok
  }

function fail(thrown: unknown): number {
  if (thrown instanceof Interrupted) return thrown.signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated
  const { exitCode, explanation } = explain(thrown)
  const out = terminalOutput(globals)
  out.progress('')
  if (out.form === 'text') {
    const [first = '', ...rest] = errorLines(explanation)
    out.warn(out.style('red', first))
    for (const line of rest) out.warn(line)
  } else out.warn(JSON.stringify({ error: { exitCode, ...explanation } }))
  if (out.verbose && thrown instanceof Error)
    for (const [depth, error] of withCauses(thrown).entries())
      out.warn(`${depth === 0 ? '' : 'caused by '}${error.stack ?? error.message}`)
  return exitCode
}

// A fault nobody awaited (a callback, a lost promise) is still ours to tell.
process.on('uncaughtException', (error) => process.exit(fail(error)))

try {
  await runProgram(args, act, ownVersion)
} catch (thrown) {
  exitCode = fail(thrown)
}
// What is left open (a socket, a timer of a library) must not keep a finished command alive; a pipe is flushed first.
process.stdout.write('', () => process.exit(exitCode))
