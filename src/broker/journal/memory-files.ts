// A file system in memory, as far as a journal and its neighbours need one: for brokers that keep nothing on disk.
import { assert } from '../../std/assert.ts'
import { type File, type FileSystem, FsError } from '../../world/world.ts'

const pieceBytes = 1 << 20

/** `bytesMax`: what all files together may hold; a write beyond it fails with ENOSPC. */
export function memoryFileSystem(bytesMax: number, nowMs: () => number): FileSystem {
  const files = new Map<string, Content>()
  const folders = new Set<string>(['', '.', '/'])
  const use = { bytes: 0, bytesMax }
  const inFolder = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')))
  const gone = (path: string): void => {
    const content = files.get(path)
    if (content !== undefined && --content.names === 0) content.resize(0)
    files.delete(path)
  }
  return {
    open(path, mode) {
      if (folders.has(path)) throw new FsError('EISDIR', 'open', path)
      let content = files.get(path)
      if (mode === 'create') {
        if (content !== undefined) throw new FsError('EEXIST', 'open', path)
        if (!folders.has(inFolder(path))) throw new FsError('ENOENT', 'open', path)
        content = new Content(use, nowMs)
        files.set(path, content)
      }
      if (content === undefined) throw new FsError('ENOENT', 'open', path)
      return new MemoryFile(path, content)
    },
    mkdir(path) {
      if (folders.has(path) || files.has(path)) throw new FsError('EEXIST', 'mkdir', path)
      folders.add(path)
    },
    list(path) {
      if (!folders.has(path)) throw new FsError('ENOENT', 'list', path)
      const names = [...files.keys(), ...folders].filter((name) => name !== path && inFolder(name) === path)
      return names.map((name) => name.slice(path.length === 0 ? 0 : path.length + 1)).sort()
    },
    stat(path) {
      if (folders.has(path)) return { sizeBytes: 0, isFolder: true, modifiedMs: 0 }
      const content = files.get(path)
      return content === undefined
        ? null
        : { sizeBytes: content.sizeBytes, isFolder: false, modifiedMs: content.modifiedMs }
    },
    rename(from, to) {
      const content = files.get(from)
      if (content === undefined) throw new FsError('ENOENT', 'rename', from)
      if (from === to) return
      gone(to)
      files.delete(from)
      files.set(to, content)
    },
    link(from, to) {
      const content = files.get(from)
      if (content === undefined) throw new FsError('ENOENT', 'link', `${from} to ${to}`)
      if (files.has(to) || folders.has(to)) throw new FsError('EEXIST', 'link', `${from} to ${to}`)
      if (!folders.has(inFolder(to))) throw new FsError('ENOENT', 'link', `${from} to ${to}`)
      content.names++
      files.set(to, content)
    },
    unlink(path) {
      if (!files.has(path)) throw new FsError('ENOENT', 'unlink', path)
      gone(path)
    },
    removeTree(path) {
      for (const name of [...files.keys()]) if (name === path || name.startsWith(`${path}/`)) gone(name)
      for (const name of [...folders]) if (name === path || name.startsWith(`${path}/`)) folders.delete(name)
    },
    syncFolder: () => Promise.resolve(),
    space: () => ({ freeBytes: use.bytesMax - use.bytes, totalBytes: use.bytesMax }),
  }
}

/** The bytes of a file, in pieces, so that growing copies nothing. */
class Content {
  readonly #use: { bytes: number; readonly bytesMax: number }
  readonly #nowMs: () => number
  readonly #pieces: Uint8Array[] = []
  sizeBytes = 0
  modifiedMs: number
  /** How many paths lead here. */
  names = 1

  constructor(use: { bytes: number; readonly bytesMax: number }, nowMs: () => number) {
    this.#use = use
    this.#nowMs = nowMs
    this.modifiedMs = nowMs()
  }
  resize(sizeBytes: number): void {
    this.#use.bytes += sizeBytes - this.sizeBytes
    const pieces = Math.ceil(sizeBytes / pieceBytes)
    while (this.#pieces.length > pieces) this.#pieces.pop()
    while (this.#pieces.length < pieces) this.#pieces.push(new Uint8Array(pieceBytes))
    // What lies behind the end reads as zero should the file grow again.
    const last = this.#pieces.at(-1)
    if (last !== undefined && sizeBytes < this.sizeBytes) last.fill(0, ((sizeBytes - 1) % pieceBytes) + 1)
    this.sizeBytes = sizeBytes
    this.modifiedMs = this.#nowMs()
  }
  write(bytes: Uint8Array, position: number, path: string): number {
    const grow = Math.max(0, position + bytes.length - this.sizeBytes)
    const room = this.#use.bytesMax - this.#use.bytes
    const count = grow <= room ? bytes.length : bytes.length - (grow - room)
    if (count <= 0) {
      if (bytes.length === 0) return 0
      throw new FsError('ENOSPC', 'write', path)
    }
    if (position + count > this.sizeBytes) this.resize(position + count)
    this.#each(position, count, (piece, at, done, part) => piece.set(bytes.subarray(done, done + part), at))
    return count
  }
  read(into: Uint8Array, position: number): number {
    const count = Math.max(0, Math.min(into.length, this.sizeBytes - position))
    this.#each(position, count, (piece, at, done, part) => into.set(piece.subarray(at, at + part), done))
    return count
  }
  #each(
    position: number,
    count: number,
    use: (piece: Uint8Array, at: number, done: number, part: number) => void,
  ): void {
    for (let done = 0; done < count; ) {
      const piece = this.#pieces[Math.floor((position + done) / pieceBytes)]
      assert(piece !== undefined, 'a place within the file has a piece')
      const at = (position + done) % pieceBytes
      const part = Math.min(pieceBytes - at, count - done)
      use(piece, at, done, part)
      done += part
    }
  }
}

class MemoryFile implements File {
  readonly path: string
  readonly #content: Content
  #closed = false

  constructor(path: string, content: Content) {
    this.path = path
    this.#content = content
  }
  write(bytes: Uint8Array, position: number): number {
    this.#assertOpen()
    return this.#content.write(bytes, position, this.path)
  }
  read(into: Uint8Array, position: number): number {
    this.#assertOpen()
    return this.#content.read(into, position)
  }
  sizeBytes(): number {
    return this.#content.sizeBytes
  }
  truncate(sizeBytes: number): void {
    this.#assertOpen()
    this.#content.resize(sizeBytes)
  }
  sync(): Promise<void> {
    this.#assertOpen()
    return Promise.resolve()
  }
  close(): void {
    this.#assertOpen()
    this.#closed = true
  }
  #assertOpen(): void {
    assert(!this.#closed, `${this.path} is closed`)
  }
}
