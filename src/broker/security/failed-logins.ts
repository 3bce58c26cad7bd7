// How fast an address may guess: some failed logins are free, then every attempt from there waits for its turn, also one
// that would succeed, or a guess could be told from its not being answered.
import type { Clock } from '../../world/world.ts'

export interface FailedLoginLimits {
  /** Failures of an address that cost nothing. */
  readonly freeMax: number
  /** One more is free after so long. */
  readonly eachMs: number
}
export const failedLoginLimits: FailedLoginLimits = { freeMax: 20, eachMs: 250 }

/** An attempt that would have to wait longer is refused without being looked at. */
export const waitMsMax = 5_000
/** Addresses remembered; beyond, those who have waited long enough are forgotten, then the oldest. */
export const addressesMax = 10_000

export class FailedLogins {
  readonly #clock: Clock
  readonly #limits: FailedLoginLimits
  /** By address: the time at which all its failures have been waited for. In the order of their last change. */
  readonly #paidMs = new Map<string, number>()

  constructor(clock: Clock, limits: FailedLoginLimits = failedLoginLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  /** How long an attempt from there has to wait before it is looked at. */
  waitMs(address: string): number {
    const { freeMax, eachMs } = this.#limits
    const paidMs = this.#paidMs.get(address)
    return paidMs === undefined ? 0 : Math.max(0, paidMs - freeMax * eachMs - this.#clock.monoMs())
  }
  failed(address: string): void {
    const nowMs = this.#clock.monoMs()
    const paidMs = Math.max(nowMs, this.#paidMs.get(address) ?? 0) + this.#limits.eachMs
    this.#paidMs.delete(address)
    this.#paidMs.set(address, paidMs)
    if (this.#paidMs.size <= addressesMax) return
    for (const [each, untilMs] of this.#paidMs) if (untilMs <= nowMs) this.#paidMs.delete(each)
    for (const each of this.#paidMs.keys()) {
      if (this.#paidMs.size <= addressesMax) break
      this.#paidMs.delete(each)
    }
  }
  get size(): number {
    return this.#paidMs.size
  }
}
