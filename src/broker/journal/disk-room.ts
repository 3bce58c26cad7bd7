// Is there room on the disk? Asked once a second at most, and at once again after a write has failed.
import { FsError, type World } from '../../world/world.ts'
import { JournalError } from './journal-error.ts'

const checkEveryMs = 1000

export class DiskRoom {
  readonly #world: World
  readonly #folder: string
  readonly #freeBytesMin: number
  #checkedMono = Number.NEGATIVE_INFINITY
  #isLow = false

  constructor(world: World, folder: string, freeBytesMin: number) {
    this.#world = world
    this.#folder = folder
    this.#freeBytesMin = freeBytesMin
  }
  isLow(): boolean {
    const mono = this.#world.clock.monoMs()
    if (mono - this.#checkedMono >= checkEveryMs) {
      this.#checkedMono = mono
      this.#isLow = this.#world.fs.space(this.#folder).freeBytes < this.#freeBytesMin
    }
    return this.#isLow
  }
  lookAgain(): void {
    this.#checkedMono = Number.NEGATIVE_INFINITY
  }
  error(detail: string, cause?: unknown): JournalError {
    return new JournalError(
      'FULL',
      `the disk of ${this.#folder} has no room: ${detail}. Free some (at least ${this.#freeBytesMin} bytes ` +
        'must be free); reading goes on, and appends are taken again by themselves.',
      { cause },
    )
  }
}

/** Did it fail for want of room? */
export function isFull(error: unknown): boolean {
  return error instanceof FsError && (error.code === 'ENOSPC' || error.code === 'EFBIG' || error.code === 'EDQUOT')
}
