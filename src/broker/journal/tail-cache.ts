// The newest bytes of the journal in memory, a bounded number of them, and the memory they lie in, used again: fresh
// memory for each MiB appended costs more than the append (the kernel clears it, the collector comes for it).
import { arenaBytes, type Segment } from './segment.ts'

/** Kept for the next ones, at most: as many as one write fills. */
const idleMax = 2

/** The arenas in memory, oldest first; drops the oldest that the file already has. */
export class TailCache {
  readonly #arenasMax: number
  #arenas: { readonly segment: Segment; readonly index: number }[] = []
  readonly #idle: Uint8Array[] = []

  constructor(bytesMax: number) {
    this.#arenasMax = Math.max(2, Math.floor(bytesMax / arenaBytes))
  }
  /** Memory for an arena; what stands in it is of an earlier one. */
  readonly make = (segment: Segment, index: number): Uint8Array => {
    this.#arenas.push({ segment, index })
    return this.#idle.pop() ?? new Uint8Array(arenaBytes)
  }
  readonly #recycle = (arena: Uint8Array): void => {
    if (this.#idle.length < idleMax) this.#idle.push(arena)
  }
  get bytes(): number {
    return (this.#arenas.length + this.#idle.length) * arenaBytes
  }
  trim(): void {
    let tooMany = this.#arenas.length - this.#arenasMax
    if (tooMany <= 0) return
    const kept: { readonly segment: Segment; readonly index: number }[] = []
    for (const arena of this.#arenas) {
      if (tooMany > 0 && arena.segment.dropArena(arena.index, this.#recycle)) tooMany--
      else kept.push(arena)
    }
    this.#arenas = kept
  }
}
