// A segment that is to follow: first in memory, then its file with its header. Made durable by whoever asked for it.
import { assert } from '../../std/assert.ts'
import { type FileSystem, FsError, type World } from '../../world/world.ts'
import { segmentHeaderBytes, segmentName } from './layout.ts'
import { Segment } from './segment.ts'

export interface SegmentPlan {
  readonly folder: string
  readonly index: number
  readonly startLsn: number
  readonly generation: number
  readonly journalId: Uint8Array
  /** Written by a recovery; its witness is known from the start. */
  readonly recovered: { readonly witness: number } | null
  readonly makeArena: (segment: Segment, arena: number) => Uint8Array
}

export function newSegment(world: World, plan: SegmentPlan): Segment {
  const { folder, index, startLsn, generation, journalId, recovered } = plan
  const header = {
    salt: world.random.fork('salt').fork(String(generation)).u32(),
    generation,
    recovered: recovered !== null,
    startLsn,
    witness: recovered?.witness ?? 0,
    createdMs: world.clock.nowMs(),
    journalId,
  }
  return new Segment(index, header, `${folder}/${segmentName(startLsn)}`, plan.makeArena)
}

/** Creates the file with its header. If it throws, no file is left, or one that a start finds nothing in. */
export function beginFile(fs: FileSystem, segment: Segment, witness: number): void {
  try {
    if (fs.stat(segment.path) !== null) fs.unlink(segment.path)
    segment.file = fs.open(segment.path, 'create')
    segment.begin(witness)
    segment.writeOut(segmentHeaderBytes)
  } catch (error) {
    segment.file?.close()
    segment.file = null
    segment.written = 0
    // If it cannot be removed either, the next try removes it.
    if (fs.stat(segment.path) !== null) {
      try {
        fs.unlink(segment.path)
      } catch (unlinkError) {
        assert(unlinkError instanceof FsError, 'a file system throws FsErrors')
      }
    }
    throw error
  }
}
