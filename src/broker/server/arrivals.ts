// Who waits for records of which partition: long polls register here and are woken when a durable end moves.
import type { BrokerCore } from '../core.ts'

export interface Wanted {
  readonly topic: string
  readonly partition: number
}
export interface Wait {
  /** Resolves once when one of the partitions has moved since the wait was made. */
  readonly news: Promise<void>
  cancel(): void
}

export class Arrivals {
  readonly #waits = new Map<string, Map<number, Set<() => void>>>()
  readonly #stop: () => void

  constructor(core: BrokerCore) {
    this.#stop = core.onAdvance((topic, partition) => {
      const waits = this.#waits.get(topic)?.get(partition)
      if (waits !== undefined) for (const wake of [...waits]) wake()
    })
  }

  /** Make it before looking at the log: what arrives in between is not missed. */
  wait(wanted: readonly Wanted[]): Wait {
    let wake = (): void => {}
    const news = new Promise<void>((resolve) => {
      wake = resolve
    })
    for (const { topic, partition } of wanted) {
      let partitions = this.#waits.get(topic)
      if (partitions === undefined) {
        partitions = new Map()
        this.#waits.set(topic, partitions)
      }
      const waits = partitions.get(partition)
      if (waits === undefined) partitions.set(partition, new Set([wake]))
      else waits.add(wake)
    }
    const cancel = (): void => {
      for (const { topic, partition } of wanted) {
        const partitions = this.#waits.get(topic)
        const waits = partitions?.get(partition)
        if (partitions === undefined || waits === undefined) continue
        waits.delete(wake)
        if (waits.size === 0) partitions.delete(partition)
        if (partitions.size === 0) this.#waits.delete(topic)
      }
    }
    return { news, cancel }
  }

  /** How many partitions are waited for; 0 when nobody waits. */
  get waitedFor(): number {
    let count = 0
    for (const partitions of this.#waits.values()) count += partitions.size
    return count
  }

  close(): void {
    this.#stop()
  }
}
