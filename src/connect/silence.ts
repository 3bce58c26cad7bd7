// Which partitions have been silent for longer than their source's idle timeout, by the monotonic clock of this process.
// Only a finding: it becomes a decision when the job records it as a tick.
import type { Contract } from '../query/contract.ts'
import { entryOf } from '../std/maps.ts'
import type { Clock } from '../world/world.ts'

export interface IdlePartition {
  readonly topic: string
  readonly partition: number
  /** When a batch of it last came through. */
  readonly lastMs: number
}

export class Silence {
  readonly #clock: Clock
  readonly #partitionsOf: (topic: string) => number
  readonly #topics: readonly string[]
  readonly #contracts: ReadonlyMap<string, Contract>
  /** By topic and partition: when a batch last came through; null once found idle. */
  readonly #lastBatchMs = new Map<string, Map<number, number | null>>()

  constructor(
    clock: Clock,
    partitionsOf: (topic: string) => number,
    topics: readonly string[],
    contracts: ReadonlyMap<string, Contract>,
  ) {
    this.#clock = clock
    this.#partitionsOf = partitionsOf
    this.#topics = topics
    this.#contracts = contracts
  }
  #of(topic: string): Map<number, number | null> {
    return entryOf(this.#lastBatchMs, topic, () => new Map<number, number | null>())
  }
  heard(topic: string, partition: number): void {
    this.#of(topic).set(partition, this.#clock.monoMs())
  }
  /** Each is told once, until a batch of it comes again. */
  newlyIdle(): IdlePartition[] {
    const nowMs = this.#clock.monoMs()
    const found: IdlePartition[] = []
    for (const topic of this.#topics) {
      const timeoutMs = this.#contracts.get(topic)?.idleTimeoutMs
      if (timeoutMs === undefined) continue
      const seen = this.#of(topic)
      for (let partition = 0; partition < this.#partitionsOf(topic); partition++) {
        const last = seen.get(partition)
        if (last === undefined) seen.set(partition, nowMs)
        else if (last !== null && nowMs - last >= timeoutMs) {
          seen.set(partition, null)
          found.push({ topic, partition, lastMs: last })
        }
      }
    }
    return found
  }
  /** The log has not taken the decision: they are told again. */
  undecided(idle: readonly IdlePartition[]): void {
    for (const { topic, partition, lastMs } of idle) {
      const seen = this.#of(topic)
      if (seen.get(partition) === null) seen.set(partition, lastMs)
    }
  }
}
