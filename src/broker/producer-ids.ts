// Producer identities: ids nobody has had before, and the epoch each stands at.
import { LogError } from '../log/log.ts'
import { readU32 } from './journal/big-endian.ts'

/** Producers whose raised epoch is remembered; the one raised longest ago is forgotten first. */
export const raisedEpochsMax = 100_000
/** Epochs are 16-bit signed; the last one is not given out (KIP-360): a new id takes its place. */
export const epochMax = 32_766

export class ProducerIds {
  readonly #first: number
  #next: number
  /** Only producers above epoch 0, in the order of use. */
  readonly #epochs = new Map<number, number>()

  /** Ids start at a place drawn with the log, so that producers of an earlier, lost log are strangers and not doubles. */
  constructor(logId: Uint8Array) {
    this.#first = readU32(logId, 0) * 0x1_0000 + 1
    this.#next = this.#first
  }

  get next(): number {
    return this.#next
  }
  /** Of producers above epoch 0, in the order of use. */
  epochs(): [id: number, epoch: number][] {
    return [...this.#epochs]
  }
  restore(next: number, epochs: readonly (readonly [id: number, epoch: number])[]): void {
    this.#next = next
    for (const [id, epoch] of epochs) this.setEpoch(id, epoch)
  }
  take(): number {
    return this.#next++
  }
  /** Of a known producer. */
  epoch(id: number): number {
    return this.#epochs.get(id) ?? 0
  }
  isKnown(id: number): boolean {
    return id >= this.#first && id < this.#next
  }
  setEpoch(id: number, epoch: number): void {
    this.#epochs.delete(id)
    if (epoch === 0) return
    this.#epochs.set(id, epoch)
    if (this.#epochs.size <= raisedEpochsMax) return
    for (const oldest of this.#epochs.keys()) {
      this.#epochs.delete(oldest)
      break
    }
  }
  /** An entry or a batch of the journal told of it. */
  seen(id: number, epoch: number): void {
    if (id >= this.#first && id < this.#first + 2 ** 40) this.#next = Math.max(this.#next, id + 1)
    if (epoch > this.epoch(id)) this.setEpoch(id, epoch)
  }
  /** So many entries that may have given ids are lost. */
  skip(count: number): void {
    this.#next += count
  }

  /** What a raise gives: the next epoch, or a new id when the epochs are used up. Throws INVALID_PRODUCER_EPOCH. */
  raised(id: number, epoch: number): { readonly id: number; readonly epoch: number } {
    if (!this.isKnown(id)) {
      throw new LogError('INVALID_PRODUCER_EPOCH', `producer id ${id} was not given out by this broker`)
    }
    const current = this.epoch(id)
    if (epoch !== current) {
      throw new LogError('INVALID_PRODUCER_EPOCH', `producer ${id} is at epoch ${current}, not ${epoch}`)
    }
    return epoch >= epochMax ? { id: this.take(), epoch: 0 } : { id, epoch: epoch + 1 }
  }
}
