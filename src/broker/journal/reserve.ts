// A file that only takes up room: given up when the disk is full, so that commits and deletions can still be written.
//
// File `<data directory>/reserve`: bytes without meaning, that no file system packs into fewer. It is made in small
// pieces while there is plenty of room, never synced, and may be deleted at any time.
import { type File, type FileSystem, FsError, type Timer, type World } from '../../world/world.ts'
import { writeFully } from './file-bytes.ts'

export interface ReserveSettings {
  readonly path: string
  readonly sizeBytes: number
}

/** Each is a third of a millisecond in which nobody else is served: a larger one would be seen in the latency of appends. */
const pieceBytes = 128 << 10
/** The first piece is written so long after the start, the others at this distance: nobody notices. */
const firstAfterMs = 5_000
const pieceEveryMs = 20
/** When there was no room for it: how often it is tried again. */
const againAfterMs = 30_000

export class Reserve {
  readonly #world: World
  readonly #settings: ReserveSettings
  /** Is there so much room that the next piece takes it from nobody? */
  readonly #hasRoom: (bytes: number) => boolean
  #timer: Timer | null = null
  #closed = false

  constructor(world: World, settings: ReserveSettings, hasRoom: (bytes: number) => boolean) {
    this.#world = world
    this.#settings = settings
    this.#hasRoom = hasRoom
    this.#later(firstAfterMs)
  }

  #later(delayMs: number): void {
    if (this.#closed) return
    this.#timer?.cancel()
    this.#timer = this.#world.clock.timer(delayMs, () => this.#grow(), { background: true })
  }
  get sizeBytes(): number {
    return this.#world.fs.stat(this.#settings.path)?.sizeBytes ?? 0
  }

  /** One piece more; the next one later. */
  #grow(): void {
    this.#timer = null
    if (this.#closed) return
    const missing = this.#settings.sizeBytes - this.sizeBytes
    if (missing <= 0) return
    if (!this.#hasRoom(missing)) {
      this.#later(againAfterMs)
      return
    }
    try {
      writePiece(this.#world.fs, this.#settings.path, Math.min(missing, pieceBytes))
    } catch (error) {
      if (!(error instanceof FsError)) throw error
      // Less room than the disk said, or none for us: what there is of it goes, and a later try sees.
      this.giveUp()
      return
    }
    this.#later(pieceEveryMs)
  }

  /** Deletes the file. False: there was nothing to give up. */
  giveUp(): boolean {
    this.#later(againAfterMs)
    return giveUpReserve(this.#world.fs, this.#settings.path)
  }
  close(): void {
    this.#closed = true
    this.#timer?.cancel()
  }
}

/** False: there is no reserve, or it cannot be deleted. */
export function giveUpReserve(fs: FileSystem, path: string): boolean {
  try {
    if ((fs.stat(path)?.sizeBytes ?? 0) === 0) return false
    fs.unlink(path)
    return true
  } catch (error) {
    if (!(error instanceof FsError)) throw error
    return false
  }
}

function writePiece(fs: FileSystem, path: string, bytes: number): void {
  const at = fs.stat(path)?.sizeBytes ?? null
  const file: File = fs.open(path, at === null ? 'create' : 'write')
  try {
    writeFully(file, incompressible(bytes, (at ?? 0) + 1), at ?? 0)
  } finally {
    file.close()
  }
}
function incompressible(count: number, seed: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(count / 4))
  let state = seed | 1
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[i] = state
  }
  return new Uint8Array(words.buffer, 0, count)
}
