// Going through a settled file that may be damaged: entry by entry from a position, payloads checked, resuming behind
// what is broken.
import { assert } from '../../std/assert.ts'
import type { File } from '../../world/world.ts'
import { payloadIsIntact } from '../journal/entry.ts'
import { closeUp, FileWindow, readFully, spanOf } from '../journal/file-bytes.ts'
import {
  blockBytes,
  entryHeaderBytes,
  entryStart,
  placeOf,
  positionInBlock,
  readBlockHeader,
  type SegmentIdentity,
} from '../journal/layout.ts'
import { freshRoom, type ReadRoom } from '../read-room.ts'
import {
  blankSettledEntry,
  identityOf,
  readSettledEntry,
  type SettledFile,
  settledFileBytes,
  settledHeaderBytes,
  settledName,
} from './file-format.ts'

/** For looking at the begins of blocks, without touching what else was read. */
const probeBytes = new Uint8Array(512)

export type WalkFile = Pick<SettledFile, 'salt' | 'number' | 'length' | 'topicKey' | 'partition'>

/** A place in a settled file, and the entry there. */
export class FileWalk {
  /** Of the entry that the last `next` came to. */
  readonly entry = blankSettledEntry()
  /** Position of that entry's header; after 'broken': where an entry should be. */
  position = settledHeaderBytes
  /** Where the next entry is looked for. */
  after = settledHeaderBytes
  readonly #file: () => File
  readonly #path: string
  readonly #identity: SegmentIdentity
  readonly #length: number
  readonly #sizeBytes: number
  readonly #windowBytes: number
  readonly #room: ReadRoom | null
  #window: FileWindow | null = null

  /**
   * `file` gives the open file, whenever it is read. `windowBytes`: read at a time. The bytes of each piece stay as they
   * are for whoever holds payloads of it. With a room the pieces are its memory, and payloads are closed up where they
   * lie: ask for each once, and go forward only.
   */
  constructor(file: () => File, settled: WalkFile, windowBytes: number, room: ReadRoom | null = null) {
    this.#file = file
    this.#path = settledName(settled)
    this.#identity = identityOf(settled)
    this.#length = settled.length
    this.#sizeBytes = settledFileBytes(settled)
    this.#windowBytes = windowBytes
    this.#room = room
  }

  /** Goes on from this position: of an entry, or where one was. */
  goTo(position: number): void {
    this.after = position
  }

  /** 'broken': no entry is where one should be; `resume` finds the next. */
  next(): 'entry' | 'end' | 'broken' {
    const start = entryStart(this.after)
    this.position = start
    if (start >= this.#length) return 'end'
    const at = this.#load(placeOf(start), entryHeaderBytes)
    if (at < 0 || !this.#read(at, start, this.entry)) return 'broken'
    const after = start + entryHeaderBytes + this.entry.payloadBytes
    if (after > this.#length) return 'broken'
    this.after = after
    return 'entry'
  }
  #read(at: number, position: number, into: typeof this.entry): boolean {
    return readSettledEntry(this.#window!.bytes, at, position, this.#identity, this.#path, into)
  }

  /** The payload of the entry that `next` came to, or null if it is not intact. Stays valid. */
  payload(): Uint8Array | null {
    const { payloadBytes: length } = this.entry
    if (length === 0) return new Uint8Array(0)
    const position = this.position + entryHeaderBytes
    const span = spanOf(position, length)
    const at = this.#load(placeOf(position), span)
    if (at < 0) return null
    const { bytes } = this.#window!
    let payload = bytes.subarray(at, at + span)
    if (span > length) {
      if (this.#room === null) payload = payload.slice()
      closeUp(payload, 0, position, length)
      payload = payload.subarray(0, length)
    }
    if (payloadIsIntact(payload, 0, this.entry)) return payload
    // Closed up where it lay it is not what the file holds: whoever goes on from here reads that again.
    if (this.#room !== null) this.#window = null
    return null
  }

  /** After 'broken', or an entry whose payload is: moves on to the next entry that can be read. False: there is none. */
  resume(): boolean {
    const broken = placeOf(this.position)
    const blockEnd = Math.min((Math.floor(broken / blockBytes) + 1) * blockBytes, this.#sizeBytes)
    const probe = blankSettledEntry()
    const begin = this.#load(broken, blockEnd - broken)
    if (begin >= 0) {
      // In its own block any 80 bytes may be a header: they have to vouch for themselves.
      const { bytes } = this.#window!
      for (let at = begin + 1; at + entryHeaderBytes <= begin + blockEnd - broken; at++) {
        if (bytes[at] !== 0x4d) continue
        const candidate = this.position + (at - begin)
        if (candidate < this.#length && this.#read(at, candidate, probe)) return this.#resumedAt(candidate)
      }
    }
    for (let block = Math.floor(broken / blockBytes) + 1; block * blockBytes < this.#sizeBytes; block++) {
      const position = this.firstIn(block)
      if (position !== null) return this.#resumedAt(position)
    }
    this.after = this.#length
    return false
  }
  #resumedAt(position: number): boolean {
    this.after = position
    return true
  }

  /** Position of the first entry that begins in the block, if block and entry can be read. Fills `into`. */
  firstIn(block: number, into = blankSettledEntry()): number | null {
    const place = block * blockBytes
    const count = readFully(this.#file(), probeBytes, place)
    const header = readBlockHeader(probeBytes.subarray(0, count), 0)
    if (header === null || header.block !== block || header.firstEntry === 0) return null
    if (header.salt !== this.#identity.salt || header.generation !== this.#identity.generation) return null
    const position = positionInBlock(block, header.firstEntry)
    if (position >= this.#length) return null
    let at = header.firstEntry
    if (at + entryHeaderBytes > count) {
      at = 0
      if (readFully(this.#file(), probeBytes, place + header.firstEntry) < entryHeaderBytes) return null
    }
    return readSettledEntry(probeBytes, at, position, this.#identity, this.#path, into) ? position : null
  }
  /** Blocks of the file. */
  get blocks(): number {
    return Math.ceil(this.#sizeBytes / blockBytes)
  }

  /** Index in the window of `place`, with `count` bytes there; -1 if the file ends before. */
  #load(place: number, count: number): number {
    const window = this.#window
    if (window?.holds(place, count)) return place - window.place
    assert(count >= 0, 'a stretch of a file')
    const wanted = Math.max(Math.min(this.#windowBytes, this.#sizeBytes - place), count)
    const fresh = new FileWindow(this.#file(), this.#sizeBytes, wanted, this.#room ?? freshRoom)
    const at = fresh.load(place, count)
    if (at >= 0) this.#window = fresh
    return at
  }
}

/** What a look at all of a file found: each stretch that no entry could be read from. */
export interface BrokenStretch {
  readonly from: number
  readonly to: number
}
/**
 * Reads and checks a file in bounded steps, for scrubbing and copying. `visit` is told of each intact entry; calling the
 * result goes on for about `bytes` of the file and answers false at its end.
 */
export function checkFile(
  walk: FileWalk,
  visit: (walk: FileWalk, payload: Uint8Array) => void,
  broken: (stretch: BrokenStretch) => void,
): (bytes: number) => boolean {
  const skip = (): boolean => {
    const from = walk.position
    const goesOn = walk.resume()
    broken({ from, to: walk.after })
    return goesOn
  }
  return (bytes) => {
    const until = walk.after + bytes
    while (walk.after < until) {
      const met = walk.next()
      if (met === 'end') return false
      const payload = met === 'entry' ? walk.payload() : null
      if (payload === null) {
        if (!skip()) return false
      } else visit(walk, payload)
    }
    return true
  }
}
