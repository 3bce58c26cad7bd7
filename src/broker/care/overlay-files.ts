// A file system that changes nothing: what is written stays in memory, over what the disk holds. So a data directory can
// be opened as if it were ours, be recovered, even be repaired, to see what would come of it.
import { assert } from '../../std/assert.ts'
import { type File, type FileSystem, FsError } from '../../world/world.ts'

const pageBytes = 65_536

/** Without empty parts and dots: one file, one path. */
function plain(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return path.startsWith('/') ? `/${parts.join('/')}` : parts.join('/')
}

/** Memory for pages that were written; more is refused as by a full disk. */
export const overlayBytesMax = 1 << 30

/** A file: pages that were written, over one that the disk holds (or over nothing). */
interface Content {
  /** Path on the disk, if what was not written is there. */
  readonly under: string | null
  sizeBytes: number
  /** From here on the disk's bytes count no more: the file was cut here at some time. */
  underBytes: number
  readonly pages: Map<number, Uint8Array>
  modifiedMs: number
}
type Entry =
  | { readonly kind: 'file'; readonly content: Content }
  | { readonly kind: 'folder' }
  | { readonly kind: 'gone' }

export function overlayFileSystem(base: FileSystem, nowMs: () => number): FileSystem {
  const entries = new Map<string, Entry>()
  const use = { bytes: 0 }

  const entryOf = (path: string): Entry => {
    const own = entries.get(path)
    if (own !== undefined) return own
    // What lies in a folder that is gone is gone with it.
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      if (entries.get(path.slice(0, at))?.kind === 'gone') return { kind: 'gone' }
    }
    const found = base.stat(path)
    if (found === null) return { kind: 'gone' }
    if (found.isFolder) return { kind: 'folder' }
    const { sizeBytes, modifiedMs } = found
    return { kind: 'file', content: { under: path, sizeBytes, underBytes: sizeBytes, pages: new Map(), modifiedMs } }
  }
  const folderAbove = (path: string, operation: string): void => {
    const at = path.lastIndexOf('/')
    const parent = at < 0 ? '.' : at === 0 ? '/' : path.slice(0, at)
    const kind = entryOf(parent).kind
    if (kind === 'gone') throw new FsError('ENOENT', operation, path)
    if (kind === 'file') throw new FsError('ENOTDIR', operation, path)
  }
  const namesIn = (path: string): string[] => {
    const names = new Set(
      base.stat(path)?.isFolder === true && entries.get(path)?.kind !== 'gone' ? base.list(path) : [],
    )
    for (const [each, { kind }] of entries) {
      const at = each.lastIndexOf('/')
      if (each.slice(0, Math.max(0, at)) !== (path === '/' ? '' : path)) continue
      if (kind === 'gone') names.delete(each.slice(at + 1))
      else names.add(each.slice(at + 1))
    }
    return [...names].sort()
  }
  const removeTree = (path: string): void => {
    const { kind } = entryOf(path)
    if (kind === 'gone') return
    if (kind === 'folder') for (const name of namesIn(path)) removeTree(`${path}/${name}`)
    entries.set(path, { kind: 'gone' })
  }

  const fs: FileSystem = {
    open(given, mode) {
      const path = plain(given)
      const entry = entryOf(path)
      if (entry.kind === 'folder') throw new FsError('EISDIR', 'open', path)
      if (mode === 'create') {
        if (entry.kind === 'file') throw new FsError('EEXIST', 'open', path)
        folderAbove(path, 'open')
        const content = { under: null, sizeBytes: 0, underBytes: 0, pages: new Map(), modifiedMs: nowMs() }
        entries.set(path, { kind: 'file', content })
        return new OverlayFile(path, content, null, true, use, nowMs)
      }
      if (entry.kind === 'gone') {
        folderAbove(path, 'open')
        throw new FsError('ENOENT', 'open', path)
      }
      const { content } = entry
      const under = content.under === null ? null : base.open(content.under, 'read')
      if (mode === 'write') entries.set(path, entry)
      return new OverlayFile(path, content, under, mode === 'write', use, nowMs)
    },
    mkdir(path) {
      if (entryOf(path).kind !== 'gone') throw new FsError('EEXIST', 'mkdir', path)
      folderAbove(path, 'mkdir')
      entries.set(path, { kind: 'folder' })
    },
    list(path) {
      const { kind } = entryOf(path)
      if (kind === 'gone') throw new FsError('ENOENT', 'list', path)
      if (kind === 'file') throw new FsError('ENOTDIR', 'list', path)
      return namesIn(path)
    },
    stat(path) {
      const entry = entryOf(path)
      if (entry.kind === 'gone') return null
      if (entry.kind === 'folder') return { sizeBytes: 4096, isFolder: true, modifiedMs: 0 }
      return { sizeBytes: entry.content.sizeBytes, isFolder: false, modifiedMs: entry.content.modifiedMs }
    },
    rename(from, to) {
      const entry = entryOf(from)
      if (entry.kind === 'gone') throw new FsError('ENOENT', 'rename', `${from} to ${to}`)
      if (from === to) return
      folderAbove(to, 'rename')
      if (entry.kind === 'folder') {
        const { kind } = entryOf(to)
        if (kind === 'file') throw new FsError('ENOTDIR', 'rename', `${from} to ${to}`)
        if (to.startsWith(`${from}/`)) throw new FsError('EINVAL', 'rename', `${from} to ${to}`)
        if (kind === 'folder' && namesIn(to).length > 0) throw new FsError('ENOTEMPTY', 'rename', `${from} to ${to}`)
        const names = namesIn(from)
        entries.set(to, entry)
        for (const name of names) fs.rename(`${from}/${name}`, `${to}/${name}`)
      } else {
        if (entryOf(to).kind === 'folder') throw new FsError('EISDIR', 'rename', `${from} to ${to}`)
        entries.set(to, entry)
      }
      entries.set(from, { kind: 'gone' })
    },
    link(from, to) {
      const entry = entryOf(from)
      if (entry.kind !== 'file')
        throw new FsError(entry.kind === 'gone' ? 'ENOENT' : 'EPERM', 'link', `${from} to ${to}`)
      if (entryOf(to).kind !== 'gone') throw new FsError('EEXIST', 'link', `${from} to ${to}`)
      folderAbove(to, 'link')
      entries.set(from, entry)
      entries.set(to, entry)
    },
    unlink(path) {
      const { kind } = entryOf(path)
      if (kind === 'gone') throw new FsError('ENOENT', 'unlink', path)
      if (kind === 'folder') throw new FsError('EISDIR', 'unlink', path)
      entries.set(path, { kind: 'gone' })
    },
    removeTree,
    async syncFolder(path) {
      const { kind } = entryOf(path)
      if (kind !== 'folder') throw new FsError(kind === 'gone' ? 'ENOENT' : 'ENOTDIR', 'syncFolder', path)
    },
    space(path) {
      if (entryOf(path).kind === 'gone') throw new FsError('ENOENT', 'space', path)
      // What is written here takes nothing of it.
      let at = path
      while (base.stat(at) === null && at.includes('/')) at = at.slice(0, at.lastIndexOf('/'))
      return base.space(at === '' ? '/' : at)
    },
  }
  return fs
}

class OverlayFile implements File {
  readonly path: string
  readonly #content: Content
  readonly #under: File | null
  readonly #writable: boolean
  readonly #use: { bytes: number }
  readonly #nowMs: () => number
  #closed = false

  constructor(
    path: string,
    content: Content,
    under: File | null,
    writable: boolean,
    use: { bytes: number },
    nowMs: () => number,
  ) {
    this.path = path
    this.#content = content
    this.#under = under
    this.#writable = writable
    this.#use = use
    this.#nowMs = nowMs
  }

  write(bytes: Uint8Array, position: number): number {
    this.#assertOpen()
    if (!this.#writable) throw new FsError('EBADF', 'write', this.path)
    let done = 0
    while (done < bytes.length) {
      const at = position + done
      const page = this.#pageToWrite(Math.floor(at / pageBytes))
      const begin = at % pageBytes
      const count = Math.min(pageBytes - begin, bytes.length - done)
      page.set(bytes.subarray(done, done + count), begin)
      done += count
      this.#content.sizeBytes = Math.max(this.#content.sizeBytes, at + count)
    }
    this.#content.modifiedMs = this.#nowMs()
    return bytes.length
  }
  #pageToWrite(index: number): Uint8Array {
    let page = this.#content.pages.get(index)
    if (page === undefined) {
      if (this.#use.bytes + pageBytes > overlayBytesMax) throw new FsError('ENOSPC', 'write', this.path)
      this.#use.bytes += pageBytes
      page = new Uint8Array(pageBytes)
      this.#readUnder(page, index * pageBytes)
      this.#content.pages.set(index, page)
    }
    return page
  }
  /** The disk's bytes from this place on, as far as they count. */
  #readUnder(into: Uint8Array, place: number): void {
    const count = Math.max(0, Math.min(into.length, this.#content.underBytes - place))
    for (let done = 0; this.#under !== null && done < count; ) {
      const got = this.#under.read(into.subarray(done, count), place + done)
      if (got === 0) return
      done += got
    }
  }

  read(into: Uint8Array, position: number): number {
    this.#assertOpen()
    const count = Math.max(0, Math.min(into.length, this.#content.sizeBytes - position))
    for (let done = 0; done < count; ) {
      const at = position + done
      const index = Math.floor(at / pageBytes)
      const begin = at % pageBytes
      const part = into.subarray(done, done + Math.min(pageBytes - begin, count - done))
      const page = this.#content.pages.get(index)
      if (page !== undefined) part.set(page.subarray(begin, begin + part.length))
      else {
        part.fill(0)
        this.#readUnder(part, at)
      }
      done += part.length
    }
    return count
  }
  sizeBytes(): number {
    this.#assertOpen()
    return this.#content.sizeBytes
  }
  truncate(sizeBytes: number): void {
    this.#assertOpen()
    if (!this.#writable) throw new FsError('EINVAL', 'truncate', this.path)
    const content = this.#content
    const last = Math.floor(sizeBytes / pageBytes)
    if (sizeBytes % pageBytes !== 0 && sizeBytes < content.sizeBytes) {
      this.#pageToWrite(last).fill(0, sizeBytes % pageBytes)
    }
    for (const index of [...content.pages.keys()]) {
      if (index * pageBytes < sizeBytes) continue
      content.pages.delete(index)
      this.#use.bytes -= pageBytes
    }
    content.underBytes = Math.min(content.underBytes, sizeBytes)
    content.sizeBytes = sizeBytes
  }
  sync(): Promise<void> {
    this.#assertOpen()
    return Promise.resolve()
  }
  close(): void {
    this.#assertOpen()
    this.#closed = true
    this.#under?.close()
  }
  #assertOpen(): void {
    assert(!this.#closed, `${this.path} is closed`)
  }
}
