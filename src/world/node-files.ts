// Node's file system as a `FileSystem`: synchronous calls for the page cache, the syncer for the platter.
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { assert } from '../std/assert.ts'
import type { Syncer } from './node-syncer.ts'
import { type File, type FileSystem, FsError } from './world.ts'

const openFlags = {
  read: constants.O_RDONLY,
  write: constants.O_RDWR,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
}

export function nodeFileSystem(syncer: Syncer): FileSystem {
  return {
    open(path, mode) {
      const fd = attempt('open', path, () => openSync(path, openFlags[mode], 0o644))
      // Linux lets a folder be opened for reading and fails only at the first read: fail here, as for writing.
      if (mode === 'read' && attempt('open', path, () => fstatSync(fd)).isDirectory()) {
        closeSync(fd)
        throw new FsError('EISDIR', 'open', path)
      }
      return new NodeFile(path, fd, syncer)
    },
    mkdir: (path) => attempt('mkdir', path, () => mkdirSync(path)),
    list: (path) => attempt('list', path, () => readdirSync(path)).sort(),
    stat(path) {
      try {
        const found = statSync(path)
        return { sizeBytes: found.size, isFolder: found.isDirectory(), modifiedMs: found.mtimeMs }
      } catch (error) {
        const code = errorCode(error)
        if (code === 'ENOENT' || code === 'ENOTDIR') return null
        throw new FsError(code, 'stat', path, { cause: error })
      }
    },
    rename: (from, to) => attempt('rename', `${from} to ${to}`, () => renameSync(from, to)),
    link: (from, to) => attempt('link', `${from} to ${to}`, () => linkSync(from, to)),
    unlink: (path) => attempt('unlink', path, () => unlinkSync(path)),
    removeTree: (path) => attempt('removeTree', path, () => rmSync(path, { recursive: true, force: true })),
    async syncFolder(path) {
      const code = await syncer.sync({ kind: 'folder', path })
      if (code !== null) throw new FsError(code, 'syncFolder', path)
    },
    space(path) {
      const found = attempt('space', path, () => statfsSync(path))
      return { freeBytes: found.bavail * found.bsize, totalBytes: found.blocks * found.bsize }
    },
  }
}

class NodeFile implements File {
  readonly path: string
  readonly #fd: number
  readonly #syncer: Syncer
  #syncing = 0
  #closed = false

  constructor(path: string, fd: number, syncer: Syncer) {
    this.path = path
    this.#fd = fd
    this.#syncer = syncer
  }

  write(bytes: Uint8Array, position: number): number {
    this.#assertOpen('write')
    if (bytes.length === 0) return 0
    try {
      return writeSync(this.#fd, bytes, 0, bytes.length, position)
    } catch (error) {
      throw new FsError(errorCode(error), 'write', this.path, { cause: error })
    }
  }

  read(into: Uint8Array, position: number): number {
    this.#assertOpen('read')
    try {
      return readSync(this.#fd, into, 0, into.length, position)
    } catch (error) {
      throw new FsError(errorCode(error), 'read', this.path, { cause: error })
    }
  }

  sizeBytes(): number {
    this.#assertOpen('sizeBytes')
    return attempt('sizeBytes', this.path, () => fstatSync(this.#fd)).size
  }

  truncate(sizeBytes: number): void {
    this.#assertOpen('truncate')
    attempt('truncate', this.path, () => ftruncateSync(this.#fd, sizeBytes))
  }

  async sync(): Promise<void> {
    this.#assertOpen('sync')
    this.#syncing++
    const code = await this.#syncer.sync({ kind: 'file', fd: this.#fd })
    this.#syncing--
    if (this.#closed && this.#syncing === 0) closeSync(this.#fd)
    if (code !== null) throw new FsError(code, 'sync', this.path)
  }

  /** The number of the open file is given back only after the last sync of it: it could be another file's by then. */
  close(): void {
    this.#assertOpen('close')
    this.#closed = true
    if (this.#syncing === 0) attempt('close', this.path, () => closeSync(this.#fd))
  }

  #assertOpen(operation: string): void {
    assert(!this.#closed, `${operation} after close: ${this.path}`)
  }
}

function attempt<T>(operation: string, path: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw new FsError(errorCode(error), operation, path, { cause: error })
  }
}

function errorCode(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'EIO'
}
