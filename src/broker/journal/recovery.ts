// From the survey of a folder to segments that can be appended to: the tail that nothing witnessed is copied into a new
// file (after a failed write-back the kernel holds a page for clean that is not on disk: syncing it again proves
// nothing), the file is made durable, renamed into place, and its folder synced. Damage stays as it is.
import { assert } from '../../std/assert.ts'
import { FsError, type World } from '../../world/world.ts'
import { isFull } from './disk-room.ts'
import { blankEntryHeader } from './entry.ts'
import { FileWindow, readFully } from './file-bytes.ts'
import { JournalError } from './journal-error.ts'
import {
  entryHeaderBytes,
  fileBytesOf,
  type SegmentHeader,
  segmentHeaderBytes,
  startLsnOfName,
  temporarySuffix,
} from './layout.ts'
import { newSegment } from './new-segment.ts'
import { type Seal, sealName } from './seal.ts'
import { Segment } from './segment.ts'
import type { JournalSettings } from './settings.ts'
import { type FoundSegment, type Survey, windowBytes, withFile } from './survey.ts'
import { payloadAt, walkEntries } from './walk.ts'

export interface Recovered {
  /** In order; entries at or after the next one's start are void. */
  readonly segments: Segment[]
  /** Entries copied because nothing witnessed them. */
  readonly copiedEntries: number
}

export async function recoverSegments(
  world: World,
  folder: string,
  survey: Survey,
  settings: JournalSettings,
  makeArena: (segment: Segment, arena: number) => Uint8Array,
): Promise<Recovered> {
  for (const path of survey.temporaries) world.fs.unlink(path)
  for (const path of survey.leftOver) {
    const seal = `${folder}/${sealName(startLsnOfName(path.slice(folder.length + 1)) ?? 0)}`
    for (const gone of [path, seal]) if (world.fs.stat(gone) !== null) world.fs.unlink(gone)
  }
  const live = survey.segments.filter((found) => found.voidFrom > found.startLsn)
  const last = live.at(-1)
  if (last === undefined && survey.segments.length === 0) return { segments: [], copiedEntries: 0 }

  const goOn = survey.clean || (settings.faults.resyncInsteadOfCopy === true && last !== undefined)
  if (goOn) {
    assert(last !== undefined, 'a clean journal has a last segment')
    const segments = live.map((found, index) => sealedSegment(found, index, makeArena))
    await appendInPlace(world, segments.at(-1)!, last, survey, settings)
    return { segments, copiedEntries: 0 }
  }

  const startLsn = copyFrom(survey, live, settings)
  const kept = live.filter((found) => found.startLsn < startLsn)
  const segments = kept.map((found, index) => sealedSegment(found, index, makeArena))
  const tail = newSegment(world, {
    folder,
    index: segments.length,
    startLsn,
    generation: survey.generationMax + 1,
    journalId: settings.journalId,
    recovered: { witness: survey.lastLsn },
    makeArena,
  })
  const copiedEntries = await copyTail(world, folder, live, tail, survey.lastLsn, settings)
  // What the new segment took over. (Should an unlink be undone by a power cut, its generation keeps it void.)
  for (const found of survey.segments) {
    const replaced = found.path === tail.path
    const takenOver = found.startLsn >= startLsn || (found.identity !== null && found.voidFrom <= found.startLsn)
    if (takenOver && !replaced) world.fs.unlink(found.path)
    const seal = `${folder}/${sealName(found.startLsn)}`
    if (takenOver && world.fs.stat(seal) !== null) world.fs.unlink(seal)
  }
  segments.push(tail)
  return { segments, copiedEntries }
}

function sealedSegment(
  found: FoundSegment,
  index: number,
  makeArena: (segment: Segment, arena: number) => Uint8Array,
): Segment {
  assert(found.identity !== null, `${found.path} holds entries and has no identity`)
  const header: SegmentHeader = found.header ?? {
    ...found.identity,
    recovered: false,
    startLsn: found.startLsn,
    witness: 0,
    createdMs: 0,
    journalId: new Uint8Array(16),
  }
  const segment = new Segment(index, header, found.path, makeArena)
  segment.end = found.end
  segment.written = found.end
  segment.created = true
  segment.sealed = true
  if (found.seal !== null) {
    segment.restoreMarks(found.seal.marks)
    segment.ending = { streams: found.seal.streams, payload: found.seal.payload }
  }
  return segment
}

/** Where the copy starts: behind the witness, or, if the last segment is small and whole, at its begin. */
function copyFrom(survey: Survey, live: readonly FoundSegment[], settings: JournalSettings): number {
  const first = Math.min(survey.witness, survey.lastLsn) + 1
  const holder = live.findLast((found) => found.startLsn <= first)
  if (holder === undefined || holder.header === null || holder.startLsn === first) return first
  const damaged = survey.damage.some((range) => range.lastLsn >= holder.startLsn)
  const isUnsettled = holder.startLsn > settings.settled.lsn
  return !damaged && isUnsettled && holder.end <= settings.recopyBytesMax ? holder.startLsn : first
}

async function copyTail(
  world: World,
  folder: string,
  live: readonly FoundSegment[],
  tail: Segment,
  lastLsn: number,
  settings: JournalSettings,
): Promise<number> {
  const temporary = tail.path + temporarySuffix
  const { startLsn } = tail.header
  let copied = 0
  try {
    const file = world.fs.open(temporary, 'create')
    tail.file = file
    tail.begin(tail.header.witness)
    for (const found of live) {
      if (found.voidFrom <= startLsn || found.startLsn > lastLsn) continue
      withFile(world.fs, found.path, (source) => {
        const window = new FileWindow(source, found.sizeBytes, windowBytes)
        walkEntries({
          window,
          identity: found.identity,
          payloads: 'unread',
          resume: true,
          visit(entry, position) {
            if (entry.lsn < startLsn || entry.lsn > lastLsn || entry.lsn >= found.voidFrom) return
            const payload = payloadAt(window, position, entry, false)
            assert(payload !== null, `entry ${entry.lsn} was there a moment ago`)
            assert(entry.lsn === startLsn + copied, `copying LSN ${entry.lsn} after ${copied} from ${startLsn}`)
            const from = tail.end
            tail.put(entry, null, payload)
            tail.seal(from, tail.end, entry.syncedTo)
            if (tail.end - tail.written >= settings.flushBytesMax) tail.writeOut(tail.end)
            copied++
          },
        })
      })
    }
    assert(startLsn + copied === lastLsn + 1, `copied ${copied} entries of ${startLsn}..${lastLsn}`)
    tail.writeOut(tail.end)
    if (settings.faults.noSyncInRecovery !== true) await file.sync()
    file.close()
    world.fs.rename(temporary, tail.path)
    if (settings.faults.noFolderSyncInRecovery !== true) await world.fs.syncFolder(folder)
    tail.file = world.fs.open(tail.path, 'write')
    tail.created = true
  } catch (error) {
    if (!(error instanceof FsError)) throw error
    const full = isFull(error)
    throw new JournalError(
      full ? 'FULL' : 'FAILED',
      `the end of the journal could not be made durable again: ${error.message}. ` +
        (full ? `Free at least ${settings.freeBytesMin} bytes on the disk of ${folder}, then start again.` : '') +
        ' Nothing was lost or removed.',
      { cause: error },
    )
  }
  return copied
}

async function appendInPlace(
  world: World,
  segment: Segment,
  found: FoundSegment,
  survey: Survey,
  settings: JournalSettings,
): Promise<void> {
  const file = world.fs.open(found.path, 'write')
  if (!survey.clean) {
    // Only the fault `resyncInsteadOfCopy` comes here.
    const end = endOfLog(world, found, survey.lastLsn)
    segment.end = end
    file.truncate(fileBytesOf(end))
    await file.sync()
    await world.fs.syncFolder(found.path.slice(0, found.path.lastIndexOf('/')))
  }
  // The recovery that made the file may have died between its rename and the sync of the folder.
  if (settings.faults.noFolderSyncInRecovery !== true) {
    await world.fs.syncFolder(found.path.slice(0, found.path.lastIndexOf('/')))
  }
  segment.sealed = false
  segment.resume(file, segment.end, (into, place) => {
    if (readFully(file, into, place) < into.length) {
      throw new JournalError('DAMAGED', `${found.path} became shorter while it was read`)
    }
  })
  assert(settings.journalId.length === 16, 'a journal id has 16 bytes')
}
function endOfLog(world: World, found: FoundSegment, lastLsn: number): number {
  let end = segmentHeaderBytes
  withFile(world.fs, found.path, (source) => {
    const window = new FileWindow(source, found.sizeBytes, windowBytes)
    const { identity } = found
    walkEntries({
      window,
      identity,
      payloads: 'unread',
      resume: false,
      visit(entry, position) {
        if (entry.lsn <= lastLsn) end = position + entryHeaderBytes + entry.payloadBytes
      },
    })
  })
  return end
}

/**
 * Tells of every entry behind the sealed segments, in order, once; and notes in the segments where they are.
 * `ended` is called after the last entry of each segment that is followed by another.
 */
export function replaySegments(
  world: World,
  segments: readonly Segment[],
  survey: Survey,
  settledLsn: number,
  visit: (entry: ReplayedEntry) => void,
  ended: (segment: Segment, lastLsn: number) => void,
): void {
  const broken = new Set(survey.brokenPayloads.map((entry) => entry.lsn))
  const entry: ReplayedEntry = { header: blankEntryHeader(), segment: 0, position: 0, payload: () => new Uint8Array(0) }
  const known = sealsOf(survey)
  let lastLsn = known.at(-1)?.lastLsn ?? settledLsn
  for (const segment of segments.slice(known.length)) {
    const voidFrom = segments[segment.index + 1]?.header.startLsn ?? survey.lastLsn + 1
    withFile(world.fs, segment.path, (file) => {
      const window = new FileWindow(file, fileBytesOf(segment.end), windowBytes)
      walkEntries({
        window,
        identity: segment.header,
        payloads: 'unread',
        resume: true,
        visit(header, position) {
          if (header.lsn < segment.header.startLsn || header.lsn >= voidFrom || broken.has(header.lsn)) return
          if (header.lsn <= settledLsn) return
          segment.mark(header.lsn, position, header.lsn !== lastLsn + 1)
          lastLsn = header.lsn
          segment.met(header)
          entry.header = header
          entry.segment = segment.index
          entry.position = position
          entry.payload = () => {
            const payload = payloadAt(window, position, header, false)
            assert(payload !== null, `the payload of entry ${header.lsn} was there a moment ago`)
            return payload
          }
          visit(entry)
        },
      })
    })
    if (segment.index + 1 < segments.length) ended(segment, lastLsn)
  }
}
/** Of the segments that need no walk: the first ones. */
export function sealsOf(survey: Survey): Seal[] {
  const seals: Seal[] = []
  for (const found of survey.segments) if (found.seal !== null) seals.push(found.seal)
  return seals
}
/** One object, filled again and again; what `payload` gives is valid until the next entry. */
export interface ReplayedEntry {
  header: Readonly<ReturnType<typeof blankEntryHeader>>
  segment: number
  position: number
  payload: () => Uint8Array
}
