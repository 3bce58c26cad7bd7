// Memory of all connections together: bytes of requests that came and are not answered, bytes of answers that peers have
// not taken. Both bounded, whatever clients do: who brings too much is not read on, who takes nothing is let go of.
import type { KafkaServerLimits } from './limits.ts'

/** What a connection holds, as far as the whole must know. */
export interface Holder {
  /** Of requests that nobody works on yet: they wait behind others, or are not whole. */
  readonly idleInboundBytes: number
  /** Of answers in its queue. */
  readonly queuedBytes: number
  /** Since when none of those was taken, by the monotonic clock. */
  readonly stillSinceMs: number
  /** Its share has grown free, or the whole has. */
  readOn(): void
  letGo(): void
}

export class Flow {
  readonly #limits: KafkaServerLimits
  readonly #holders = new Set<Holder>()
  /** Not read on for the sake of the whole, in the order in which they stopped. */
  readonly #stopped = new Set<Holder>()
  #inboundBytes = 0
  #outboundBytes = 0
  #fullSinceMs: number | null = null
  #looking: Promise<void> = Promise.resolve()

  constructor(limits: KafkaServerLimits) {
    this.#limits = limits
  }

  add(holder: Holder): void {
    this.#holders.add(holder)
  }
  remove(holder: Holder): void {
    this.#holders.delete(holder)
    this.#stopped.delete(holder)
  }

  get inboundBytes(): number {
    return this.#inboundBytes
  }
  get outboundBytes(): number {
    return this.#outboundBytes
  }
  /** May this holder be read on? If not, it is told when it may. */
  mayRead(holder: Holder): boolean {
    if (this.#inboundBytes < this.#limits.inboundBytesMax) return true
    this.#stopped.add(holder)
    return false
  }
  /** So full that producers should come more slowly. */
  get inboundIsHigh(): boolean {
    return this.#inboundBytes >= this.#limits.inboundBytesMax / 2
  }
  countInbound(more: number): void {
    this.#inboundBytes += more
    // Some room first, so that reading does not stop again at once.
    if (this.#stopped.size === 0 || this.#inboundBytes > this.#limits.inboundBytesMax * 0.75) return
    for (const holder of [...this.#stopped]) {
      this.#stopped.delete(holder)
      holder.readOn()
    }
  }

  countOutbound(more: number): void {
    this.#outboundBytes += more
    if (more <= 0) return
    while (this.#outboundBytes > 2 * this.#limits.outboundBytesMax && this.#letGoOf(longestStill(this.#holders)));
  }
  /**
   * What one more answer may hold, less and less as answers pile up that peers do not take; 0: none with records now.
   * Who has taken all of the earlier answers is served longer than those who have not.
   */
  fetchBytes(queuedBytes: number): number {
    const { outboundBytesMax, fetchBytesMax, fetchBytesMin } = this.#limits
    const max = queuedBytes > 0 ? outboundBytesMax / 2 : outboundBytesMax
    if (this.#outboundBytes >= max) return 0
    return Math.min(fetchBytesMax, Math.max(fetchBytesMin, (outboundBytesMax - this.#outboundBytes) / 4))
  }

  /**
   * Looks for records of one answer after the other, each with what the ones before left of the room; null goes by without
   * waiting.
   */
  async oneByOne<T>(look: () => Promise<T> | null): Promise<T | null> {
    const before = this.#looking
    let done = (): void => {}
    this.#looking = new Promise((resolve) => {
      done = resolve
    })
    await before
    try {
      return await look()
    } finally {
      done()
    }
  }

  /**
   * Looked at from time to time. Half full of answers: who has taken nothing for too long is let go of. Full of requests
   * that nobody works on, for too long: so is who holds most of them, until there is room.
   */
  look(nowMs: number): void {
    const { outboundBytesMax, stillMsMax, inboundBytesMax, inboundFullMsMax } = this.#limits
    while (this.#outboundBytes >= outboundBytesMax / 2) {
      const still = longestStill(this.#holders)
      if (still === null || nowMs - still.stillSinceMs < stillMsMax || !this.#letGoOf(still)) break
    }
    if (this.#inboundBytes < inboundBytesMax) {
      this.#fullSinceMs = null
      return
    }
    this.#fullSinceMs ??= nowMs
    if (nowMs - this.#fullSinceMs < inboundFullMsMax) return
    let idle = 0
    for (const { idleInboundBytes } of this.#holders) idle += idleInboundBytes
    while (idle >= inboundBytesMax / 2) {
      let most: Holder | null = null
      for (const each of this.#holders) if (each.idleInboundBytes > (most?.idleInboundBytes ?? 0)) most = each
      idle -= most?.idleInboundBytes ?? 0
      if (!this.#letGoOf(most)) break
    }
  }
  #letGoOf(holder: Holder | null): boolean {
    if (holder === null) return false
    this.remove(holder)
    holder.letGo()
    return true
  }
}

function longestStill(holders: Iterable<Holder>): Holder | null {
  let found: Holder | null = null
  for (const holder of holders) {
    if (holder.queuedBytes === 0) continue
    if (
      found === null ||
      holder.stillSinceMs < found.stillSinceMs ||
      (holder.stillSinceMs === found.stillSinceMs && holder.queuedBytes > found.queuedBytes)
    ) {
      found = holder
    }
  }
  return found
}
