// What will happen and when: a heap of things to do, the earliest first, equal times in the order they were put in.

/** Does what is due at `atMs` and says whether it handed a record over. */
export type Act<Sink> = (sink: Sink, atMs: number) => boolean

interface Entry<Sink> {
  readonly atMs: number
  readonly order: number
  readonly act: Act<Sink>
}

export class Agenda<Sink> {
  readonly #heap: Entry<Sink>[] = []
  #order = 0

  /** When the next thing is due; Infinity if nothing is. */
  get nextMs(): number {
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY
  }
  get size(): number {
    return this.#heap.length
  }

  put(atMs: number, act: Act<Sink>): void {
    const heap = this.#heap
    const entry: Entry<Sink> = { atMs, order: this.#order++, act }
    let at = heap.length
    heap.push(entry)
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = heap[above]!
      if (!before(entry, parent)) break
      heap[at] = parent
      at = above
    }
    heap[at] = entry
  }

  /** Takes the next thing out and does it. Nothing due: false. */
  step(sink: Sink): boolean {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined) return false
    if (heap.length > 0) this.#sink(last)
    return first.act(sink, first.atMs)
  }

  /** Puts the entry at the top and lets it down to its place. */
  #sink(entry: Entry<Sink>): void {
    const heap = this.#heap
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && before(heap[below + 1]!, heap[below]!)) below++
      const child = heap[below]!
      if (!before(child, entry)) break
      heap[at] = child
      at = below
    }
    heap[at] = entry
  }
}

function before(a: { atMs: number; order: number }, b: { atMs: number; order: number }): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}
