// Node's clock and timers as a `Clock`.
import { assert } from '../std/assert.ts'
import type { Clock, Timer } from './world.ts'

/** Node fires a longer timer after 1 ms instead: longer delays are waited for in pieces. */
const timerPieceMsMax = 0x7fffffff

export function nodeClock(): Clock {
  const timer = (delayMs: number, callback: () => void, background: boolean): Timer => {
    assert(delayMs >= 0, `a timer needs a delay of at least 0 ms: ${delayMs}`)
    let remainingMs = delayMs
    let handle: NodeJS.Timeout
    const arm = (): void => {
      const pieceMs = Math.min(remainingMs, timerPieceMsMax)
      remainingMs -= pieceMs
      handle = setTimeout(() => (remainingMs > 0 ? arm() : callback()), pieceMs)
      if (background) handle.unref()
    }
    arm()
    return { cancel: () => clearTimeout(handle) }
  }
  return {
    nowMs: () => Date.now(),
    monoMs: () => performance.now(),
    timer: (delayMs, callback, options) => timer(delayMs, callback, options?.background ?? false),
    sleep: (delayMs) => new Promise((resolve) => timer(delayMs, resolve, false)),
    soon: (callback) => {
      setImmediate(callback)
    },
  }
}
