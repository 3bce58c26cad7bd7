// Segment files open for reading, a bounded number of them; and the newest bytes kept in memory, a bounded number too.
import type { File, FileSystem } from '../../world/world.ts'
import { arenaBytes, type Segment } from './segment.ts'

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

/** The arenas in memory, oldest first; drops the oldest that the file already has. */
export class TailCache {
  readonly #arenasMax: number
  #arenas: { readonly segment: Segment; readonly index: number }[] = []

  constructor(bytesMax: number) {
    this.#arenasMax = Math.max(2, Math.floor(bytesMax / arenaBytes))
  }
  readonly made = (segment: Segment, index: number): void => {
    this.#arenas.push({ segment, index })
  }
  get bytes(): number {
    return this.#arenas.length * arenaBytes
  }
  trim(): void {
    let tooMany = this.#arenas.length - this.#arenasMax
    if (tooMany <= 0) return
    const kept: { readonly segment: Segment; readonly index: number }[] = []
    for (const arena of this.#arenas) {
      if (tooMany > 0 && arena.segment.dropArena(arena.index)) tooMany--
      else kept.push(arena)
    }
    this.#arenas = kept
  }
}
