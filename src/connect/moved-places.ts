// Where a job has read each partition up to since its last commit was put together: told once the commit is durable.
import type { LogEntry } from '../log/log.ts'

/** The offset from which a partition is yet to be read. */
export interface Place {
  readonly topic: string
  readonly partition: number
  readonly next: number
}
/** Which offsets come next in the partitions that a durable commit moved in. */
export type TellPlaces = (places: readonly Place[]) => void

export class MovedPlaces {
  readonly #tell: TellPlaces | undefined
  readonly #moved = new Map<string, Place>()

  constructor(tell: TellPlaces | undefined) {
    this.#tell = tell
  }
  /** The entry is in the job. */
  done({ topic, partition, lastOffset }: Extract<LogEntry, { kind: 'batch' }>): void {
    if (this.#tell !== undefined) this.#moved.set(`${topic}/${partition}`, { topic, partition, next: lastOffset + 1 })
  }
  /** All so far, for the commit that is put together now; the next one begins anew. */
  take(): readonly Place[] {
    const moved = [...this.#moved.values()]
    this.#moved.clear()
    return moved
  }
  committed(places: readonly Place[]): void {
    if (places.length > 0) this.#tell?.(places)
  }
}
