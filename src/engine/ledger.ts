// The account of every record: in = processed + duplicates + late + dead-lettered, per partition. A record counts once,
// as the worst that any Plan made of it.
import type { LedgerLine } from './engine.ts'
import { grownBytes } from './int-set.ts'
import type { StateReader, StateWriter } from './state-bytes.ts'

const IN = 0
const DUPLICATES = 1
const LATE = 2
const DEAD = 3
const FIGURES = 4

/** The worse the greater. */
const FATE_DUPLICATE = 1
const FATE_LATE = 2
const FATE_DEAD = 3

export class Ledger {
  readonly #partitions: number
  #figures: Float64Array
  /** Fate of each record of the batch at hand. */
  #fates: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  #partition = 0
  #count = 0

  constructor(partitions: number) {
    this.#partitions = partitions
    this.#figures = new Float64Array(partitions * FIGURES)
  }
  begin(partition: number, count: number): void {
    this.#partition = partition
    this.#count = count
    this.#fates = grownBytes(this.#fates, count)
    this.#fates.fill(0, 0, count)
  }
  /** False if the record is a dead letter already. */
  deadLetter(record: number): boolean {
    if (this.#fates[record] === FATE_DEAD) return false
    this.#fates[record] = FATE_DEAD
    return true
  }
  late(record: number): void {
    if (this.#fates[record]! < FATE_LATE) this.#fates[record] = FATE_LATE
  }
  duplicate(record: number): void {
    if (this.#fates[record] === 0) this.#fates[record] = FATE_DUPLICATE
  }
  end(): void {
    const base = this.#partition * FIGURES
    this.#figures[base + IN]! += this.#count
    for (let i = 0; i < this.#count; i++) {
      if (this.#fates[i] === FATE_DUPLICATE) this.#figures[base + DUPLICATES]!++
      else if (this.#fates[i] === FATE_LATE) this.#figures[base + LATE]!++
      else if (this.#fates[i] === FATE_DEAD) this.#figures[base + DEAD]!++
    }
  }
  lines(topic: string): LedgerLine[] {
    return Array.from({ length: this.#partitions }, (_, partition) => {
      const base = partition * FIGURES
      const [seen, duplicates] = [this.#figures[base + IN]!, this.#figures[base + DUPLICATES]!]
      const [late, deadLettered] = [this.#figures[base + LATE]!, this.#figures[base + DEAD]!]
      return {
        topic,
        partition,
        in: seen,
        processed: seen - duplicates - late - deadLettered,
        duplicates,
        late,
        deadLettered,
      }
    })
  }
  write(out: StateWriter): void {
    out.floats(this.#figures, this.#figures.length)
  }
  restore(from: StateReader): void {
    this.#figures = from.floats()
  }
}
