// A set of small dense numbers (ids of a dictionary): one bit each in pages that come with their first member, and the
// members in the order they came. Adding costs two loads and no hashing; emptied, it keeps its memory for the next use.

/** 512 values, one cache line. */
const PAGE_WORDS = 16
const PAGE_SHIFT = 9
/** Rows for which room is made at once: a set of few members stays small however many rows come. */
const AT_ONCE = 256

export class MemberSet {
  /** Members in order of insertion: `members[0 .. count)`. */
  members: Int32Array<ArrayBuffer> = new Int32Array(64)
  count = 0
  /** By value >> 9: where its page begins in `#bits`, plus one; 0 is none. */
  #pages = new Int32Array(4)
  #bits = new Int32Array(PAGE_WORDS * 4)
  #used = 0
  /** Every member is below this. */
  span = 0

  /** True if the value was not there. */
  add(value: number): boolean {
    const page = value >>> PAGE_SHIFT
    const begin = page < this.#pages.length ? this.#pages[page]! : 0
    if (begin === 0) return this.#addToNewPage(value)
    const word = begin - 1 + ((value >>> 5) & (PAGE_WORDS - 1))
    const bits = this.#bits[word]!
    const bit = 1 << (value & 31)
    if ((bits & bit) !== 0) return false
    this.#bits[word] = bits | bit
    const at = this.count
    if (at === this.members.length) this.#growMembers()
    this.members[at] = value
    this.count = at + 1
    return true
  }
  /** Adds `ids[rows[i]]` for i in [from, to) but for null (-1). No branch on whether a value is new: mostly nobody can tell. */
  addRows(ids: Int32Array, rows: Int32Array, from: number, to: number): void {
    for (let at = from; at < to; at += AT_ONCE) this.#addSome(ids, rows, at, Math.min(to, at + AT_ONCE))
  }
  #addSome(ids: Int32Array, rows: Int32Array, from: number, to: number): void {
    while (this.members.length < this.count + to - from) this.#growMembers()
    const members = this.members
    let [pages, bits, count] = [this.#pages, this.#bits, this.count]
    for (let i = from; i < to; i++) {
      const value = ids[rows[i]!]!
      if (value < 0) continue
      const page = value >>> PAGE_SHIFT
      let begin = page < pages.length ? pages[page]! : 0
      if (begin === 0) {
        begin = this.#newPage(page)
        pages = this.#pages
        bits = this.#bits
      }
      const word = begin - 1 + ((value >>> 5) & (PAGE_WORDS - 1))
      const before = bits[word]!
      bits[word] = before | (1 << (value & 31))
      members[count] = value
      count += ~(before >>> (value & 31)) & 1
    }
    this.count = count
  }
  has(value: number): boolean {
    const page = value >>> PAGE_SHIFT
    const begin = page < this.#pages.length ? this.#pages[page]! : 0
    if (begin === 0) return false
    return (this.#bits[begin - 1 + ((value >>> 5) & (PAGE_WORDS - 1))]! & (1 << (value & 31))) !== 0
  }
  clear(): void {
    this.#pages.fill(0)
    this.#bits.fill(0, 0, this.#used)
    this.#used = 0
    this.span = 0
    this.count = 0
  }
  get bytes(): number {
    return this.members.byteLength + this.#pages.byteLength + this.#bits.byteLength
  }
  #addToNewPage(value: number): boolean {
    this.#newPage(value >>> PAGE_SHIFT)
    return this.add(value)
  }
  /** Where its bits begin, plus one. */
  #newPage(page: number): number {
    if (page >= this.#pages.length) {
      const pages = new Int32Array(Math.max(page + 1, this.#pages.length * 2))
      pages.set(this.#pages)
      this.#pages = pages
    }
    if (this.#used === this.#bits.length) {
      const bits = new Int32Array(this.#bits.length * 2)
      bits.set(this.#bits)
      this.#bits = bits
    }
    this.span = Math.max(this.span, (page + 1) << PAGE_SHIFT)
    const begin = this.#used + 1
    this.#pages[page] = begin
    this.#used += PAGE_WORDS
    return begin
  }
  #growMembers(): void {
    const members = new Int32Array(this.members.length * 2)
    members.set(this.members)
    this.members = members
  }
}

/** Sets by slot, made and given back as panes come and go; what was given back is used again. */
export class MemberSets {
  readonly #sets: (MemberSet | undefined)[] = []
  #spare: MemberSet[] = []

  find(slot: number): MemberSet | undefined {
    return this.#sets[slot]
  }
  at(slot: number): MemberSet {
    let set = this.#sets[slot]
    if (set === undefined) {
      set = this.#spare.pop() ?? new MemberSet()
      this.#sets[slot] = set
    }
    return set
  }
  /** Empties the slot. */
  drop(slot: number): void {
    const set = this.#sets[slot]
    if (set === undefined) return
    this.#sets[slot] = undefined
    set.clear()
    // As many as were in use at once do for the next panes.
    this.#spare.push(set)
  }
  /** Slots that hold a set, ascending. */
  slots(): number[] {
    return [...this.#sets.keys()].filter((slot) => this.#sets[slot] !== undefined)
  }
  *each(): Iterable<MemberSet> {
    for (const set of this.#sets) if (set !== undefined) yield set
  }
  clear(): void {
    this.#sets.length = 0
    this.#spare = []
  }
  get bytes(): number {
    let bytes = 0
    for (const set of this.each()) bytes += set.bytes
    for (const set of this.#spare) bytes += set.bytes
    return bytes
  }
}
