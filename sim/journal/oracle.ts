// What a journal must hold: every group it was given, what it said about it, and whether what a start finds agrees.
//
// A group is *promised* once the journal has called it durable (or a start has shown it: readers may have seen it), and
// *open* until then. After a crash a promised group is there; an open one is there whole or not at all; what the journal
// took back because the disk was full is not there. Entries at LSNs that no group has are the journal's own witnesses.
import { entryKind } from '../../src/broker/journal/entry.ts'
import type { Journal } from '../../src/broker/journal/journal.ts'
import type { GroupPlace } from '../../src/broker/journal/new-entry.ts'
import type { ReplayedEntry } from '../../src/broker/journal/recovery.ts'

/** The journal broke a promise. */
export class Violation extends Error {
  override name = 'Violation'
}
export function must(condition: unknown, message: () => string): asserts condition {
  if (!condition) throw new Violation(message())
}

export interface ExpectedEntry {
  readonly kind: number
  readonly topicKey: number
  readonly partition: number
  /** As the journal stores it. */
  readonly payload: Uint8Array
}
export interface ExpectedGroup {
  readonly entries: readonly ExpectedEntry[]
  readonly place: GroupPlace
  /** `written`: called durable by a journal that does not wait for the disk: a kill must not take it, a power cut may. */
  state: 'open' | 'written' | 'promised'
}
/** What a start found. */
export interface FoundEntry extends ExpectedEntry {
  readonly lsn: number
  readonly segment: number
  readonly position: number
  readonly appendedMs: number
  readonly sequence: number
  readonly groupIndex: number
  readonly groupCount: number
  readonly syncedTo: number
}

export class Oracle {
  /** By LSN, ascending. */
  groups: ExpectedGroup[] = []
  /** Groups that a power cut took: lost while open. */
  lostOpen = 0
  keptOpen = 0
  readonly #checkShapes: boolean

  constructor(checkShapes = true) {
    this.#checkShapes = checkShapes
  }

  given(group: ExpectedGroup): void {
    this.groups.push(group)
  }
  /** The disk was full: the journal says that it kept nothing of it. */
  takenBack(group: ExpectedGroup): void {
    must(this.groups.at(-1) === group, () => `group ${group.place.firstLsn} was taken back before later ones`)
    this.groups.pop()
  }
  /** After a power cut, what was only written is no longer sure. */
  powerCut(): void {
    for (const group of this.groups) if (group.state === 'written') group.state = 'open'
  }

  /** Compares what a start found. `lost`: LSNs that it named as damaged; they must not be found, and may be promised. */
  check(found: readonly FoundEntry[], lost: (lsn: number) => boolean = () => false): void {
    const byLsn = new Map(found.map((entry) => [entry.lsn, entry]))
    must(byLsn.size === found.length, () => 'an LSN was told twice')
    checkShape(found, lost)
    const matched = new Set<number>()
    for (const group of this.groups) {
      const { firstLsn, lastLsn } = group.place
      const there = group.entries.filter((_, i) => byLsn.has(firstLsn + i)).length
      const damaged = group.entries.filter((_, i) => lost(firstLsn + i)).length
      const whole = there + damaged === group.entries.length
      must(whole || there === 0, () => `group ${firstLsn}..${lastLsn} is torn: ${there} of ${group.entries.length}`)
      must(whole || group.state === 'open', () => `group ${firstLsn}..${lastLsn} (${group.state}) is lost`)
      for (let i = 0; i < group.entries.length; i++) {
        const entry = byLsn.get(firstLsn + i)
        if (entry === undefined) continue
        matched.add(entry.lsn)
        checkEntry(entry, group, i, this.#checkShapes)
      }
    }
    for (const entry of found) {
      if (matched.has(entry.lsn)) continue
      const isWitness = entry.kind === entryKind.witness && entry.payload.length === 0
      must(isWitness, () => `entry ${entry.lsn} of kind ${entry.kind} was never given to this log`)
    }
  }

  /** What a start has found is shown to readers from then on: promised. The rest is gone, and must stay so. */
  settle(found: readonly FoundEntry[]): void {
    const lsns = new Set(found.map((entry) => entry.lsn))
    this.groups = this.groups.filter((group) => {
      const kept = lsns.has(group.place.firstLsn) || group.state !== 'open'
      if (group.state === 'open') kept ? this.keptOpen++ : this.lostOpen++
      group.state = 'promised'
      return kept
    })
  }

  /** The entry that must be at this LSN; null for one of the journal's own, or nothing. */
  at(lsn: number): ExpectedEntry | null {
    let low = 0
    let high = this.groups.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.groups[middle]!.place.firstLsn <= lsn) low = middle + 1
      else high = middle
    }
    const group = this.groups[low - 1]
    return group?.entries[lsn - group.place.firstLsn] ?? null
  }
}

function checkShape(found: readonly FoundEntry[], lost: (lsn: number) => boolean): void {
  let lsn = 0
  const sequences = new Map<string, number>()
  let damaged = false
  for (const entry of found) {
    for (lsn++; lsn < entry.lsn && lost(lsn); lsn++) damaged = true
    must(entry.lsn === lsn, () => `LSN ${lsn} is missing before ${entry.lsn}`)
    const stream = `${entry.topicKey}/${entry.partition}`
    const sequence = (sequences.get(stream) ?? 0) + 1
    const dense = entry.sequence === sequence || (damaged && entry.sequence > sequence)
    must(dense, () => `entry ${lsn} has sequence ${entry.sequence} in ${stream}, not ${sequence}`)
    sequences.set(stream, entry.sequence)
    must(entry.syncedTo < entry.lsn, () => `entry ${lsn} witnesses ${entry.syncedTo}`)
  }
}

function checkEntry(entry: FoundEntry, group: ExpectedGroup, index: number, checkShape: boolean): void {
  const expected = group.entries[index]!
  const { lsn } = entry
  must(Buffer.compare(entry.payload, expected.payload) === 0, () => `entry ${lsn} has other bytes`)
  const same =
    entry.kind === expected.kind && entry.topicKey === expected.topicKey && entry.partition === expected.partition
  must(same, () => `entry ${lsn} is of another kind or stream`)
  must(entry.appendedMs === group.place.appendedMs, () => `entry ${lsn} was appended at another time`)
  const inGroup = !checkShape || (entry.groupIndex === index && entry.groupCount === group.entries.length)
  must(inGroup, () => `entry ${lsn} is ${entry.groupIndex} of ${entry.groupCount} in its group`)
}

/** Collects what a start tells. */
export function collector(): { readonly found: FoundEntry[]; readonly replay: (entry: ReplayedEntry) => void } {
  const found: FoundEntry[] = []
  return {
    found,
    replay: ({ header, segment, position, payload }) => {
      found.push({
        lsn: header.lsn,
        kind: header.kind,
        topicKey: header.topicKey,
        partition: header.partition,
        payload: payload().slice(),
        segment,
        position,
        appendedMs: header.appendedMs,
        sequence: header.sequence,
        groupIndex: header.groupIndex,
        groupCount: header.groupCount,
        syncedTo: header.syncedTo,
      })
    },
  }
}

/** Reads on from an LSN as a follower does, and compares. Answers how many entries came. */
export function checkReader(journal: Journal, oracle: Oracle, afterLsn: number, entriesMax: number): number {
  const reader = journal.reader(afterLsn)
  let count = 0
  let expectedLsn = afterLsn + 1
  for (let before = -1; before !== count && count < entriesMax; ) {
    before = count
    reader.read({
      wants: () => true,
      missing(range) {
        expectedLsn = range.lastLsn + 1
        count++
      },
      entry(header, payload) {
        must(header.lsn === expectedLsn, () => `the reader gave ${header.lsn} where ${expectedLsn} is next`)
        const expected = oracle.at(header.lsn)
        if (expected === null)
          must(header.kind === entryKind.witness, () => `the reader gave entry ${header.lsn}, which nobody wrote`)
        else
          must(Buffer.compare(payload, expected.payload) === 0, () => `the reader gave other bytes for ${header.lsn}`)
        expectedLsn++
        count++
        return count >= entriesMax
      },
    })
  }
  if (count < entriesMax)
    must(expectedLsn > journal.durableLsn, () => `the reader stopped at ${expectedLsn} of ${journal.durableLsn}`)
  return count
}
