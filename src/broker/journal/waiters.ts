// Who waits for which LSN to become durable.
import type { JournalError } from './journal-error.ts'

interface Waiter {
  readonly lsn: number
  readonly resolve: () => void
  readonly reject: (error: JournalError) => void
}

export class Waiters {
  #waiting: Waiter[] = []

  wait(lsn: number): Promise<void> {
    return new Promise((resolve, reject) => this.#waiting.push({ lsn, resolve, reject }))
  }
  /** Everything up to `lsn` is durable. */
  durable(lsn: number): void {
    for (const waiter of this.#take((waiter) => waiter.lsn <= lsn)) waiter.resolve()
  }
  /** Everything after `lsn` was taken back. */
  takenBack(lsn: number, error: JournalError): void {
    for (const waiter of this.#take((waiter) => waiter.lsn > lsn)) waiter.reject(error)
  }
  #take(isTaken: (waiter: Waiter) => boolean): Waiter[] {
    if (this.#waiting.length === 0) return this.#waiting
    const taken = this.#waiting.filter(isTaken)
    if (taken.length > 0) this.#waiting = this.#waiting.filter((waiter) => !isTaken(waiter))
    return taken
  }
}
