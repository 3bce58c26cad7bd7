// The clock of a job: now and then it decides that running values are due and which partitions are idle, and makes the
// decision an entry of the log, so that a replay takes it at the same place.
import { type Log, LogError } from '../log/log.ts'
import type { Timer, World } from '../world/world.ts'
import { encodeTick } from './job-ticks.ts'
import type { Silence } from './silence.ts'

export interface TickingSettings {
  /** Its name in the log. */
  readonly job: string
  readonly tickMs: number
  /** Only who has read everything can call a partition silent. */
  readonly caughtUp: () => boolean
  /** No tick was needed. */
  readonly nothingNew: () => void
  readonly failed: (error: unknown) => void
}

export class Ticking {
  readonly #world: World
  readonly #log: Log
  readonly #silence: Silence
  readonly #settings: TickingSettings
  #timer: Timer | null = null
  #stopped = false
  /** Something came since the last tick, so a tick would tell something new. At the start nobody knows: corrections may wait. */
  #freshInput = true

  constructor(world: World, log: Log, silence: Silence, settings: TickingSettings) {
    this.#world = world
    this.#log = log
    this.#silence = silence
    this.#settings = settings
  }
  heard(topic: string, partition: number): void {
    this.#freshInput = true
    this.#silence.heard(topic, partition)
  }
  start(): void {
    const { tickMs, failed } = this.#settings
    const delayMs = tickMs - (this.#world.clock.nowMs() % tickMs)
    this.#timer = this.#world.clock.timer(
      delayMs,
      () => {
        this.#record()
          .then(() => {
            if (!this.#stopped) this.start()
          })
          .catch(failed)
      },
      { background: true },
    )
  }
  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }
  async #record(): Promise<void> {
    const { job, caughtUp, nothingNew } = this.#settings
    const idle = caughtUp() ? this.#silence.newlyIdle() : []
    if (!this.#freshInput && idle.length === 0) {
      // Nothing new to say; but progress without output is still committed now and then.
      nothingNew()
      return
    }
    this.#freshInput = false
    try {
      await this.#log.tick(job, encodeTick({ atMs: this.#world.clock.nowMs(), interval: true, idle }))
    } catch (error) {
      if (!(error instanceof LogError) || !error.isTransient) throw error
      // Not decided: the next tick looks anew.
      this.#freshInput = true
      this.#silence.undecided(idle)
    }
  }
}
