// Segment files open for reading, a bounded number of them.
import type { File, FileSystem } from '../../world/world.ts'
import type { Segment } from './segment.ts'

/** Opens a segment's file when it is read; closes the one used longest ago when there are too many. */
export class OpenFiles {
  readonly #fs: FileSystem
  readonly #filesMax: number
  /** In the order of use. */
  readonly #open = new Set<Segment>()

  constructor(fs: FileSystem, filesMax: number) {
    this.#fs = fs
    this.#filesMax = filesMax
  }
  of(segment: Segment): File {
    if (!segment.sealed && segment.file !== null) return segment.file
    this.#open.delete(segment)
    this.#open.add(segment)
    segment.file ??= this.#fs.open(segment.path, 'read')
    const file = segment.file
    for (const oldest of this.#open) {
      if (this.#open.size <= this.#filesMax) break
      oldest.file?.close()
      oldest.file = null
      this.#open.delete(oldest)
    }
    return file
  }
  /** Nobody will ask for it any more. */
  forget(segment: Segment): void {
    this.#open.delete(segment)
  }
}
