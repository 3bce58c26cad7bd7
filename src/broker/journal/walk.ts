// Walking through a segment file that may be damaged: every entry whose header vouches for itself, in file order.
import { blankEntryHeader, type EntryHeader, identityAt, payloadIsIntact, readEntryHeader } from './entry.ts'
import { closeUp, type FileWindow, spanOf } from './file-bytes.ts'
import {
  blockBytes,
  blockHeaderBytes,
  entryHeaderBytes,
  entryStart,
  placeOf,
  positionInBlock,
  readBlockHeader,
  readSegmentHeader,
  type SegmentHeader,
  type SegmentIdentity,
  segmentHeaderBytes,
} from './layout.ts'

export interface Walk {
  readonly window: FileWindow
  readonly identity: SegmentIdentity | null
  /** What is asked of payloads: their checksum (the first time after a start), to be there, or nothing. */
  readonly payloads: 'checked' | 'present' | 'unread'
  /** Where an entry is broken, look for the next one: in the rest of its block, then at the blocks that follow. */
  readonly resume: boolean
  /** Called for each entry; `intact` false: its header is good, its payload is broken or cut off. */
  readonly visit: (header: EntryHeader, position: number, intact: boolean) => void
  /** Where an earlier walk stopped. */
  readonly from?: WalkPlace
  /** Stop when so many bytes of stream have been walked through. Default: at the end. */
  readonly bytesMax?: number
}
export interface WalkPlace {
  readonly position: number
  readonly lastLsn: number
}
export interface Walked {
  /** Position after the last entry met. */
  readonly end: number
  /** True when nothing but whole entries were met, from the first to `end`. */
  readonly unbroken: boolean
  /** Null: the end has been met. */
  readonly stopped: WalkPlace | null
}

export function walkEntries(walk: Walk): Walked {
  const { window } = walk
  const header = blankEntryHeader()
  let { position, lastLsn } = walk.from ?? { position: segmentHeaderBytes, lastLsn: 0 }
  const stopAt = position + (walk.bytesMax ?? Number.POSITIVE_INFINITY)
  let end = position
  let unbroken = true
  for (;;) {
    if (position >= stopAt) return { end, unbroken, stopped: { position, lastLsn } }
    const start = entryStart(position)
    const at = window.load(placeOf(start), entryHeaderBytes)
    if (
      at >= 0 &&
      readEntryHeader(window.bytes, at, start, walk.identity, window.file.path, header) &&
      header.lsn > lastLsn
    ) {
      lastLsn = header.lsn
      const intact =
        walk.payloads === 'unread' || payloadAt(window, start, header, walk.payloads === 'checked') !== null
      if (!intact) unbroken = false
      position = start + entryHeaderBytes + header.payloadBytes
      if (intact) end = position
      walk.visit(header, start, intact)
      continue
    }
    if (placeOf(start) >= window.sizeBytes) break
    unbroken = false
    const next = walk.resume ? nextEntryAfter(walk, start, lastLsn) : -1
    if (next < 0) break
    position = next
  }
  return { end, unbroken, stopped: null }
}

/**
 * Position of the next entry after the broken one at `position`, or -1. In its own block any 80 bytes may be a header:
 * they have to vouch for themselves with magic, CRC, place and the segment's salt. Later blocks say where an entry begins.
 */
function nextEntryAfter(walk: Walk, position: number, lastLsn: number): number {
  const { window } = walk
  const place = placeOf(position)
  const blockEnd = Math.min((Math.floor(place / blockBytes) + 1) * blockBytes, window.sizeBytes)
  const rest = blockEnd - place
  const begin = window.load(place, rest)
  if (begin >= 0) {
    const header = blankEntryHeader()
    for (let at = begin + 1; at + entryHeaderBytes <= begin + rest; at++) {
      if (window.bytes[at] !== 0x4d) continue
      const candidate = position + (at - begin)
      if (!readEntryHeader(window.bytes, at, candidate, walk.identity, window.file.path, header)) continue
      if (header.lsn > lastLsn) return candidate
    }
  }
  for (let block = Math.floor(place / blockBytes) + 1; ; block++) {
    const at = window.load(block * blockBytes, blockHeaderBytes)
    if (at < 0) return -1
    const header = readBlockHeader(window.bytes, at)
    if (header === null || header.block !== block) continue
    if (header.salt !== walk.identity?.salt || header.generation !== walk.identity.generation) continue
    if (header.firstEntry !== 0) return positionInBlock(block, header.firstEntry)
  }
}

/** Of a segment whose header is lost: the identity in its first undamaged entry or block; null if there is none. */
export function learnIdentity(window: FileWindow): SegmentIdentity | null {
  const first = window.load(placeOf(segmentHeaderBytes), entryHeaderBytes)
  const { path } = window.file
  if (first >= 0 && readEntryHeader(window.bytes, first, segmentHeaderBytes, null, path, blankEntryHeader())) {
    return identityAt(window.bytes, first)
  }
  for (let block = 0; ; block++) {
    const at = window.load(block * blockBytes, blockHeaderBytes)
    if (at < 0) return null
    const header = readBlockHeader(window.bytes, at)
    if (header !== null && header.block === block) return { salt: header.salt, generation: header.generation }
  }
}

let scratch = new Uint8Array(0)
/** The entry's payload, contiguous, valid until the next call; null if it is cut off or not intact. */
export function payloadAt(window: FileWindow, start: number, header: EntryHeader, verify = true): Uint8Array | null {
  const position = start + entryHeaderBytes
  const length = header.payloadBytes
  if (length === 0) return verify && !payloadIsIntact(scratch, 0, header) ? null : scratch.subarray(0, 0)
  const span = spanOf(position, length)
  const at = window.load(placeOf(position), span)
  if (at < 0) return null
  let payload: Uint8Array
  if (span === length) payload = window.bytes.subarray(at, at + length)
  else {
    // A copy: what the window holds may be looked at again, from the next block, if this entry proves broken.
    if (scratch.length < span) scratch = new Uint8Array(span)
    scratch.set(window.bytes.subarray(at, at + span))
    closeUp(scratch, 0, position, length)
    payload = scratch.subarray(0, length)
  }
  return verify && !payloadIsIntact(payload, 0, header) ? null : payload
}

/** The segment's header, or null if it or its block's is broken. */
export function segmentHeaderOf(window: FileWindow): SegmentHeader | null {
  const at = window.load(0, blockHeaderBytes + segmentHeaderBytes)
  if (at < 0) return null
  const block = readBlockHeader(window.bytes, at)
  const header = readSegmentHeader(window.bytes, at + blockHeaderBytes, window.file.path)
  if (block === null || header === null || block.salt !== header.salt || block.generation !== header.generation) {
    return null
  }
  return header
}
