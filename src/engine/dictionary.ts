// Values of a column as small integers, given back when a sweep finds that no window holds them any more.

export class Dictionary<T extends string | number> {
  readonly #ids = new Map<T, number>()
  #values: (T | undefined)[] = []
  #free: number[] = []
  #textBytes = 0
  /** Changes when ids were given back: what is cached per id is void then. */
  generation = 0
  /** Sweep when it holds more than this. */
  sweepAt = 65_536

  idOf(value: T): number {
    const known = this.#ids.get(value)
    if (known !== undefined) return known
    const id = this.#free.pop() ?? this.#values.length
    this.#values[id] = value
    this.#ids.set(value, id)
    this.#textBytes += typeof value === 'string' ? value.length + 64 : 64
    return id
  }
  valueOf(id: number): T {
    const value = this.#values[id]
    if (value === undefined) throw new RangeError(`no value has id ${id}`)
    return value
  }
  /** Ids ever given out: arrays indexed by id need this length. */
  get high(): number {
    return this.#values.length
  }
  get count(): number {
    return this.#ids.size
  }
  /** Estimated: the runtime does not tell what a string costs. */
  get bytes(): number {
    return this.#textBytes + this.#values.length * 8 + this.#free.length * 8
  }
  /** Gives back every id that is not marked. */
  sweep(live: Uint8Array): void {
    for (let id = 0; id < this.#values.length; id++) {
      const value = this.#values[id]
      if (value === undefined || live[id] === 1) continue
      this.#ids.delete(value)
      this.#values[id] = undefined
      this.#free.push(id)
      this.#textBytes -= typeof value === 'string' ? value.length + 64 : 64
    }
    this.generation++
    this.sweepAt = Math.max(65_536, this.#ids.size * 2)
  }
  /** Its content, for a snapshot: values by id, and the free ids in the order they will be taken. */
  content(): { readonly values: readonly (T | undefined)[]; readonly free: readonly number[] } {
    return { values: this.#values, free: this.#free }
  }
  load(values: readonly (T | undefined)[], free: readonly number[], sweepAt: number): void {
    this.#values = [...values]
    this.#free = [...free]
    this.sweepAt = sweepAt
    this.#ids.clear()
    this.#textBytes = 0
    this.generation++
    for (const [id, value] of this.#values.entries()) {
      if (value === undefined) continue
      this.#ids.set(value, id)
      this.#textBytes += typeof value === 'string' ? value.length + 64 : 64
    }
  }
}
