// Writes a settled file: a new one, or one that goes on from where the manifest says it is valid.
import { assert } from '../../std/assert.ts'
import type { File, FileSystem, World } from '../../world/world.ts'
import { writeFully } from '../journal/file-bytes.ts'
import {
  blockBytes,
  blockHeaderBytes,
  bodyLeft,
  entryHeaderBytes,
  entryStart,
  fileBytesOf,
  placeOf,
  writeBlockHeader,
} from '../journal/layout.ts'
import { MemoryPool } from '../memory-pool.ts'
import { GrowingRoom } from '../read-room.ts'
import {
  identityOf,
  type SettledEntry,
  type SettledFile,
  settledHeaderBytes,
  settledName,
  writeFileHeader,
  writeSettledEntry,
} from './file-format.ts'

export interface NewSettledFile {
  readonly number: number
  readonly salt: number
  readonly topicKey: number
  readonly partition: number
  readonly compacted: boolean
  /** First offset covered. */
  readonly start: number
}

const firstBufferBytes = 4096

export class SettledWriter {
  readonly path: string
  readonly #fs: FileSystem
  readonly #isNew: boolean
  #file: File | null = null
  /** The file from `#written` on, as far as it has been put and not written. */
  readonly #buffer: GrowingRoom
  #written = 0
  /** As long as the file was when it was taken up. */
  readonly #from: number
  #state: { -readonly [name in keyof SettledFile]: SettledFile[name] }

  /** `of`: as the manifest has it, or a new file. */
  constructor(
    world: World,
    folder: string,
    of: SettledFile | NewSettledFile,
    journalId: Uint8Array,
    memory = new MemoryPool(0),
  ) {
    this.#fs = world.fs
    this.#buffer = new GrowingRoom(memory, firstBufferBytes)
    this.path = `${folder}/${settledName(of)}`
    this.#isNew = !('length' in of)
    this.#state = {
      closed: false,
      end: of.start,
      firstLsn: 0,
      lastLsn: 0,
      length: settledHeaderBytes,
      entries: 0,
      maxTimestampMs: Number.MIN_SAFE_INTEGER,
      firstAppendedMs: 0,
      lastAppendedMs: 0,
      ...of,
    }
    if (this.#isNew) {
      const header = { ...of, createdMs: world.clock.nowMs(), journalId }
      writeBlockHeader(this.#buffer.bytes, 0, identityOf(of), 0, settledHeaderBytes)
      writeFileHeader(this.#buffer.bytes, blockHeaderBytes, header)
    } else this.#written = fileBytesOf(this.#state.length)
    this.#from = this.#written
  }
  get length(): number {
    return this.#state.length
  }
  get end(): number {
    return this.#state.end
  }
  get entries(): number {
    return this.#state.entries
  }
  get firstAppendedMs(): number {
    return this.#state.firstAppendedMs
  }

  /** What the manifest shall say once the file is written and synced. */
  state(): SettledFile {
    return { ...this.#state }
  }
  /** In memory, not yet written. */
  get bufferedBytes(): number {
    return fileBytesOf(this.#state.length) - this.#written
  }

  /**
   * Appends an entry: of `entry`, all but `maxTimestampMs` (of the entry alone; the header gets the largest so far) as it
   * shall be. Offsets and LSNs ascend.
   */
  put(entry: SettledEntry, payload: Uint8Array): void {
    const state = this.#state
    const isBatchlike = state.topicKey !== 0
    assert(
      !isBatchlike || entry.baseOffset >= state.end,
      `offset ${entry.baseOffset} after ${state.end} in ${this.path}`,
    )
    assert(entry.lsn > state.lastLsn, `LSN ${entry.lsn} after ${state.lastLsn} in ${this.path}`)
    assert(entry.payloadBytes === payload.length, 'the header tells the length of the payload')
    const start = entryStart(state.length)
    const largest = Math.max(state.maxTimestampMs, entry.maxTimestampMs)
    this.#room(fileBytesOf(start + entryHeaderBytes + payload.length))
    // Where an entry has no room left in a block, zeros stand.
    if (start > state.length) {
      const gap = placeOf(state.length) - this.#written
      this.#buffer.bytes.fill(0, gap, gap + start - state.length)
    }
    const at = this.#enter(start, 0) - this.#written
    writeSettledEntry(this.#buffer.bytes, at, { ...entry, maxTimestampMs: largest }, identityOf(state), start)
    let position = start + entryHeaderBytes
    for (let done = 0; done < payload.length; ) {
      const place = this.#enter(position, payload.length - done)
      const count = Math.min(bodyLeft(position), payload.length - done)
      this.#buffer.bytes.set(payload.subarray(done, done + count), place - this.#written)
      done += count
      position += count
    }
    if (state.firstLsn === 0) state.firstLsn = entry.lsn
    if (state.entries === 0) state.firstAppendedMs = entry.appendedMs
    state.lastLsn = entry.lsn
    state.lastAppendedMs = Math.max(state.lastAppendedMs, entry.appendedMs)
    state.end = entry.lastOffset + 1
    state.maxTimestampMs = largest
    state.length = position
    state.entries++
  }
  /** Begins the block if `position` is the first of its body. Returns the place. */
  #enter(position: number, spanning: number): number {
    const place = placeOf(position)
    if (place % blockBytes === placeOf(0) && place > blockBytes) {
      const begin = place - placeOf(0)
      writeBlockHeader(this.#buffer.bytes, begin - this.#written, identityOf(this.#state), begin / blockBytes, spanning)
    }
    return place
  }
  /** The buffer reaches up to this place of the file. */
  #room(end: number): void {
    this.#buffer.reach(end - this.#written)
  }

  /** A compacted file covers what was taken out of it. */
  cover(covered: Pick<SettledFile, 'end' | 'firstLsn' | 'lastLsn' | 'firstAppendedMs' | 'lastAppendedMs'>): void {
    const state = this.#state
    assert(state.compacted && covered.end >= state.end && covered.lastLsn >= state.lastLsn, 'covers what it holds')
    Object.assign(state, covered)
  }
  close(): void {
    this.#state.closed = true
  }

  get isOpen(): boolean {
    return this.#file !== null
  }
  /** Writes what is in memory. Throws an FsError; then the file is valid as far as it was. */
  writeOut(): void {
    const end = fileBytesOf(this.#state.length)
    this.#file ??= this.#open()
    writeFully(this.#file, this.#buffer.bytes.subarray(0, end - this.#written), this.#written)
    this.#written = end
    this.#buffer.clear()
  }
  #open(): File {
    const fs = this.#fs
    if (!this.#isNew || this.#written > 0) return fs.open(this.path, 'write')
    // Left over from one that did not finish.
    if (fs.stat(this.path) !== null) fs.unlink(this.path)
    return fs.open(this.path, 'create')
  }
  /** What has been written survives a power cut when it resolves; the folder's entry of a new file is another matter. */
  async sync(): Promise<void> {
    const file = this.#file
    assert(file !== null, 'a file that was written is open until it is synced')
    await file.sync()
  }
  letGo(): void {
    this.#file?.close()
    this.#file = null
  }
  /** Takes back what was written: the file is as the manifest has it. */
  undo(): void {
    this.letGo()
    if (this.#fs.stat(this.path) === null) return
    if (this.#isNew) this.#fs.unlink(this.path)
    else {
      const file = this.#fs.open(this.path, 'write')
      try {
        if (file.sizeBytes() > this.#from) file.truncate(this.#from)
      } finally {
        file.close()
      }
    }
  }
}
