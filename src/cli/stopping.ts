// Ctrl-C and SIGTERM: the first asks for a clean stop, the second ends the process now.
import { CommandError, exitCodes, explain, Interrupted } from './errors.ts'
import type { Output } from './output.ts'

export interface Stopping {
  /** Aborts at the first signal. */
  readonly signal: AbortSignal
  /** Which one it was, or null. */
  by(): 'SIGINT' | 'SIGTERM' | null
  /** Throws `Interrupted` if a signal came. */
  check(): void
  /** Resolves at the first signal. */
  requested: Promise<'SIGINT' | 'SIGTERM'>
}

// One press of Ctrl-C reaches this process once from the terminal and again from each launcher above it (bin/, npm).
const samePressMs = 500
/** A clean stop that takes longer is a fault: Kubernetes kills after 30 s, so give up and say so before. */
const stopMsMax = 25_000

/** From here on signals ask instead of killing. Called by commands that have something to tidy up. */
export function watchSignals(out: Output): Stopping {
  const controller = new AbortController()
  let by: 'SIGINT' | 'SIGTERM' | null = null
  let firstMs = 0
  const { promise: requested, resolve } = Promise.withResolvers<'SIGINT' | 'SIGTERM'>()
  const onSignal = (signal: 'SIGINT' | 'SIGTERM'): void => {
    if (by !== null) {
      if (performance.now() - firstMs < samePressMs) return
      process.exit(signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated)
    }
    by = signal
    firstMs = performance.now()
    out.say(signal === 'SIGINT' ? 'stopping (Ctrl-C again stops at once)' : 'stopping')
    resolve(signal)
    controller.abort(new Interrupted(signal))
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return {
    signal: controller.signal,
    by: () => by,
    check() {
      if (by !== null) throw new Interrupted(by)
    },
    requested,
  }
}

/** Reading stdin ends at the first signal too: a pipe that stays silent would keep the command waiting for ever. */
export function stdinUntilStopped(stopping: Stopping): typeof process.stdin {
  stopping.signal.addEventListener('abort', () => process.stdin.destroy(stopping.signal.reason))
  return process.stdin
}

/** A server's life after its start: until a signal (then a clean stop) or a fault (thrown). Returns the exit code. */
export async function stayUntilStopped(
  server: { stop(): Promise<void>; readonly failed: Promise<Error> },
  stopping: Stopping,
): Promise<number> {
  // Nothing else may hold the process: the sockets do, but a server without any would end in silence.
  const alive = setInterval(() => {}, 2 ** 30)
  try {
    const end = await Promise.race([stopping.requested, server.failed])
    if (end instanceof Error) {
      await withinStopLimit(server.stop()).catch(() => {})
      throw new CommandError(
        exitCodes.internal,
        { cause: 'it cannot go on', ...explain(end).explanation },
        { cause: end },
      )
    }
    await withinStopLimit(server.stop())
    // A supervisor's SIGTERM is the normal end of a server; Ctrl-C tells the shell that it was interrupted.
    return end === 'SIGTERM' ? exitCodes.ok : exitCodes.interrupted
  } finally {
    clearInterval(alive)
  }
}

/** Runs the clean stop of a server; if it hangs, says so and fails rather than wait to be killed. */
export async function withinStopLimit(stop: Promise<void>): Promise<void> {
  const limit = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    limit.reject(
      new CommandError(exitCodes.internal, {
        what: `stopping took longer than ${stopMsMax / 1000} s`,
        cause: 'a part of Millrace did not end',
        cure: 'start it again: recovery keeps all that was acknowledged',
      }),
    )
  }, stopMsMax)
  try {
    await Promise.race([stop, limit.promise])
  } finally {
    clearTimeout(timer)
  }
}
