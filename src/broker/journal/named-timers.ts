// Timers by name, at most one of each: started, forgotten when they fire, cancelled together.
import type { Clock, Timer } from '../../world/world.ts'

export class NamedTimers<Name extends string> {
  readonly #clock: Clock
  readonly #timers = new Map<Name, Timer>()

  constructor(clock: Clock) {
    this.#clock = clock
  }
  has(name: Name): boolean {
    return this.#timers.has(name)
  }
  start(name: Name, delayMs: number, run: () => void, options?: { readonly background?: boolean }): void {
    const fire = (): void => {
      this.#timers.delete(name)
      run()
    }
    this.#timers.set(name, this.#clock.timer(delayMs, fire, options))
  }
  cancel(): void {
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
  }
}
