// Commits for a job, as often as it takes while the log has no room.
import { type Commit, type Log, LogError } from '../log/log.ts'
import type { Clock } from '../world/world.ts'

/** A commit that the log does not take for the time being is tried again so soon. */
export const commitAgainMs = 500

export class PatientCommit {
  /** Why the last commit has not been taken yet. */
  trouble: Error | null = null
  readonly #clock: Clock
  readonly #log: Log
  #ending = false
  /** Ends the wait for the next try. */
  #hurry: () => void = () => {}

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }
  /** False: the job is being stopped meanwhile; what the commit held is computed again at the next start. */
  async commit(commit: Commit): Promise<boolean> {
    for (;;) {
      try {
        await this.#log.commit(commit)
        this.trouble = null
        return true
      } catch (error) {
        if (!(error instanceof LogError) || !error.isTransient) throw error
        this.trouble = error
      }
      if (this.#ending) return false
      await new Promise<void>((resolve) => {
        const timer = this.#clock.timer(commitAgainMs, resolve, { background: true })
        this.#hurry = () => {
          timer.cancel()
          resolve()
        }
      })
    }
  }
  end(): void {
    this.#ending = true
    this.#hurry()
  }
}
