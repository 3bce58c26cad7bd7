// Moving bytes between memory and files whole: partial writes and short reads are looped, block headers closed up.
import { type File, FsError } from '../../world/world.ts'
import { freshRoom, type ReadRoom } from '../read-room.ts'
import { blockBodyBytes, blockHeaderBytes, bodyLeft, fileBytesOf, placeOf } from './layout.ts'

/** Writes all of `bytes` at `place`; throws the FsError of the write that failed, with part of the bytes perhaps out. */
export function writeFully(file: File, bytes: Uint8Array, place: number): void {
  let done = 0
  while (done < bytes.length) {
    const count = file.write(done === 0 ? bytes : bytes.subarray(done), place + done)
    // A disk that takes nothing and says nothing would loop for ever.
    if (count <= 0) throw new FsError('EIO', 'write (took 0 bytes)', file.path)
    done += count
  }
}
/** Reads until `into` is full or the file ends; returns how many bytes came. */
export function readFully(file: File, into: Uint8Array, place: number): number {
  let done = 0
  while (done < into.length) {
    const count = file.read(done === 0 ? into : into.subarray(done), place + done)
    if (count <= 0) break
    done += count
  }
  return done
}

/** Index after `length` bytes of body that begin at `position`, in bytes that hold the file as it is from there. */
export function spanOf(position: number, length: number): number {
  return length === 0 ? 0 : fileBytesOf(position + length) - placeOf(position)
}

/**
 * `bytes[at…]` holds the file from `position` on: makes the `length` body bytes contiguous at `at` by moving them down
 * over the block headers between them. What follows the span stays where it was.
 */
export function closeUp(bytes: Uint8Array, at: number, position: number, length: number): void {
  let done = Math.min(bodyLeft(position), length)
  let from = at + done
  while (done < length) {
    from += blockHeaderBytes
    const count = Math.min(blockBodyBytes, length - done)
    bytes.copyWithin(at + done, from, from + count)
    from += count
    done += count
  }
}

/** The body bytes [position, position + length) in a fresh buffer, or null if the file ends before. */
export function readBody(file: File, position: number, length: number): Uint8Array | null {
  const span = spanOf(position, length)
  const bytes = new Uint8Array(span)
  if (readFully(file, bytes, placeOf(position)) < span) return null
  closeUp(bytes, 0, position, length)
  return bytes.subarray(0, length)
}

/** A piece of a file in memory, for walking through it: `load` makes sure that a stretch is there. */
export class FileWindow {
  readonly file: File
  readonly sizeBytes: number
  /** Holds the file from `place` on, `length` bytes of it. */
  bytes: Uint8Array
  place = 0
  length = 0

  constructor(file: File, sizeBytes: number, windowBytes: number, room: ReadRoom = freshRoom) {
    this.file = file
    this.sizeBytes = sizeBytes
    this.bytes = room.take(Math.min(windowBytes, sizeBytes))
  }

  holds(place: number, count: number): boolean {
    return place >= this.place && place + count <= this.place + this.length
  }

  /** Index in `bytes` of `place`, with `count` bytes there; -1 if the file (as long as it was when opened) ends before. */
  load(place: number, count: number): number {
    if (!this.holds(place, count)) {
      if (place + count > this.sizeBytes) return -1
      if (count > this.bytes.length) this.bytes = new Uint8Array(count)
      this.place = place
      const wanted = Math.min(this.bytes.length, this.sizeBytes - place)
      this.length = readFully(this.file, this.bytes.subarray(0, wanted), place)
      if (this.length < count) return -1
    }
    return place - this.place
  }
}
