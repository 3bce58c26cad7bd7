// Where a job has read each partition up to, and how many records it was handed: told once a commit is durable, and held
// against what the engine says it took in.
import type { LedgerLine } from '../engine/engine.ts'
import type { LogEntry } from '../log/log.ts'
import { entryOf } from '../std/maps.ts'
import { recordCount } from '../wire/record-batch.ts'

/** The offset from which a partition is yet to be read. */
export interface Place {
  readonly topic: string
  readonly partition: number
  readonly next: number
}
/** Which offsets come next in the partitions that a durable commit moved in. */
export type TellPlaces = (places: readonly Place[]) => void

/** Of one partition. */
export interface Handed {
  /** As the headers of the batches say, and before this life as the engine had it. */
  readonly records: number
  /** Of them, in batches of this life that cannot be read: kept whole as dead letters. */
  readonly unreadable: number
  /** Null: nothing came in this life. */
  readonly next: number | null
}
interface Counted {
  records: number
  unreadable: number
  next: number | null
}

export class MovedPlaces {
  readonly #tell: TellPlaces | undefined
  readonly #moved = new Map<string, Place>()
  readonly #handed = new Map<string, Counted>()

  /** `ledger`: as the job stands before anything is handed over. */
  constructor(tell: TellPlaces | undefined, ledger: readonly LedgerLine[]) {
    this.#tell = tell
    for (const { topic, partition, in: records } of ledger)
      this.#handed.set(`${topic}/${partition}`, { records, unreadable: 0, next: null })
  }
  /** The entry is in the job. */
  done(entry: Extract<LogEntry, { kind: 'batch' }>, isReadable: boolean): void {
    const { topic, partition } = entry
    const place = `${topic}/${partition}`
    const next = entry.lastOffset + 1
    const handed = entryOf(this.#handed, place, () => ({ records: 0, unreadable: 0, next: null }))
    const records = recordCount(entry.bytes)
    handed.records += records
    if (!isReadable) handed.unreadable += records
    handed.next = next
    if (this.#tell !== undefined) this.#moved.set(place, { topic, partition, next })
  }
  handed(topic: string, partition: number): Handed {
    return this.#handed.get(`${topic}/${partition}`) ?? { records: 0, unreadable: 0, next: null }
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
