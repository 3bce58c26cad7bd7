// The simulated file system: the words of `FileSystem` over a disk that forgets what was not synced.
import { assert } from '../src/std/assert.ts'
import { type File, type FileSystem, FsError } from '../src/world/world.ts'
import type { FolderNode } from './disk.ts'
import { newFile } from './disk.ts'
import { SimFile } from './file.ts'
import { type Context, epochMs, type Machine, type Operation } from './machine.ts'
import { SimSyncer } from './syncer.ts'

/** `abandon` says what became of the syncs that were under way when the process was killed. */
export function simFileSystem(machine: Machine, context: Context): { fs: FileSystem; abandon: () => void } {
  const syncer = new SimSyncer(machine, context)
  const nowMs = (): number => epochMs + machine.scheduler.nowMs

  /** A change of folders: whole or not at all, before or after a planned crash. */
  const change = <T>(operation: Operation, path: string, run: () => T): T => {
    const crash = machine.begin(context, operation, path)
    if (crash !== null && crash.part < 0.5) context.crash(crash.crash)
    const result = run()
    if (crash !== null && crash.part >= 0.5) context.crash(crash.crash)
    return result
  }
  const takeRoom = (operation: string, path: string): void => {
    if (!context.alive) return
    machine.mayFill()
    if (machine.freeBytes() === 0) throw new FsError('ENOSPC', operation, path)
  }

  /** The node's id, 0 if there is none. */
  const find = (path: string, operation: string): number => {
    let id = context.disk.rootId
    for (const name of names(path)) {
      const node = context.disk.nodes.get(id)
      assert(node !== undefined, `a folder entry points at node ${id}, which is nowhere`)
      if (node.kind === 'file') throw new FsError('ENOTDIR', operation, path)
      id = node.entries.get(name) ?? 0
      if (id === 0) return 0
    }
    return id
  }
  const folderAt = (path: string, operation: string): FolderNode => {
    const id = find(path, operation)
    if (id === 0) throw new FsError('ENOENT', operation, path)
    const node = context.disk.nodes.get(id)
    if (node?.kind !== 'folder') throw new FsError('ENOTDIR', operation, path)
    return node
  }
  const place = (path: string, operation: string): { folder: FolderNode; name: string; id: number } => {
    const parts = names(path)
    const name = parts.pop()
    if (name === undefined) throw new FsError('EBUSY', operation, path)
    const parent = find(`/${parts.join('/')}`, operation)
    const folder = parent === 0 ? undefined : context.disk.nodes.get(parent)
    if (folder === undefined) throw new FsError('ENOENT', operation, path)
    if (folder.kind === 'file') throw new FsError('ENOTDIR', operation, path)
    return { folder, name, id: folder.entries.get(name) ?? 0 }
  }
  const isFolder = (id: number): boolean => context.disk.nodes.get(id)?.kind === 'folder'
  /** All below a folder; entries go one by one, as `rm -r` does it, so that a crash finds any part of them gone. */
  const removeBelow = (path: string): void => {
    const { folder, name, id } = place(path, 'removeTree')
    if (isFolder(id)) for (const child of [...context.disk.folder(id).entries.keys()]) removeBelow(`${path}/${child}`)
    change('unlink', path, () => context.disk.setEntry(folder, name, 0))
  }

  const fs: FileSystem = {
    open(path, mode) {
      const { folder, name, id } = place(path, 'open')
      if (mode !== 'create') {
        if (id === 0) throw new FsError('ENOENT', 'open', path)
        if (isFolder(id)) throw new FsError('EISDIR', 'open', path)
        return new SimFile(machine, context, syncer, path, id, mode === 'write')
      }
      if (id !== 0) throw new FsError('EEXIST', 'open', path)
      return change('open', path, (): File => {
        takeRoom('open', path)
        const created = context.disk.add(newFile(nowMs()))
        context.disk.setEntry(folder, name, created)
        return new SimFile(machine, context, syncer, path, created, true)
      })
    },
    mkdir(path) {
      const { folder, name, id } = place(path, 'mkdir')
      if (id !== 0) throw new FsError('EEXIST', 'mkdir', path)
      change('mkdir', path, () => {
        takeRoom('mkdir', path)
        const created = context.disk.add({ kind: 'folder', entries: new Map(), unsynced: new Map() })
        context.disk.setEntry(folder, name, created)
      })
    },
    list: (path) => [...folderAt(path, 'list').entries.keys()].sort(),
    stat(path) {
      let id: number
      try {
        id = find(path, 'stat')
      } catch (error) {
        if (error instanceof FsError && error.code === 'ENOTDIR') return null
        throw error
      }
      const node = context.disk.nodes.get(id)
      if (node === undefined) return null
      if (node.kind === 'folder') return { sizeBytes: 4096, isFolder: true, modifiedMs: epochMs }
      return { sizeBytes: node.sizeBytes, isFolder: false, modifiedMs: node.modifiedMs }
    },
    rename(from, to) {
      const what = `${from} to ${to}`
      const source = place(from, 'rename')
      const target = place(to, 'rename')
      if (source.id === 0) throw new FsError('ENOENT', 'rename', what)
      if (source.id === target.id) return
      if (isFolder(source.id) && `/${names(to).join('/')}/`.startsWith(`/${names(from).join('/')}/`))
        throw new FsError('EINVAL', 'rename', what)
      if (target.id !== 0) {
        if (isFolder(target.id) && !isFolder(source.id)) throw new FsError('EISDIR', 'rename', what)
        if (!isFolder(target.id) && isFolder(source.id)) throw new FsError('ENOTDIR', 'rename', what)
        if (isFolder(target.id) && context.disk.folder(target.id).entries.size > 0)
          throw new FsError('ENOTEMPTY', 'rename', what)
      }
      change('rename', what, () => {
        context.disk.setEntry(target.folder, target.name, source.id)
        context.disk.setEntry(source.folder, source.name, 0)
      })
    },
    link(from, to) {
      const what = `${from} to ${to}`
      const source = place(from, 'link')
      const target = place(to, 'link')
      if (source.id === 0) throw new FsError('ENOENT', 'link', what)
      if (isFolder(source.id)) throw new FsError('EPERM', 'link', what)
      if (target.id !== 0) throw new FsError('EEXIST', 'link', what)
      change('link', what, () => context.disk.setEntry(target.folder, target.name, source.id))
    },
    unlink(path) {
      const { folder, name, id } = place(path, 'unlink')
      if (id === 0) throw new FsError('ENOENT', 'unlink', path)
      if (isFolder(id)) throw new FsError('EISDIR', 'unlink', path)
      change('unlink', path, () => context.disk.setEntry(folder, name, 0))
      machine.makeRoom()
    },
    removeTree(path) {
      if (find(path, 'removeTree') !== 0) removeBelow(path)
      machine.makeRoom()
    },
    async syncFolder(path) {
      const id = find(path, 'syncFolder')
      if (id === 0) throw new FsError('ENOENT', 'syncFolder', path)
      if (!isFolder(id)) throw new FsError('ENOTDIR', 'syncFolder', path)
      await syncer.sync(id, path, 'syncFolder')
    },
    space(path) {
      if (find(path, 'space') === 0) throw new FsError('ENOENT', 'space', path)
      const totalBytes = Math.min(machine.capacityBytes, 2 ** 40)
      return { freeBytes: Math.min(machine.freeBytes(), totalBytes), totalBytes }
    },
  }
  return { fs, abandon: () => syncer.abandon() }
}

/** Relative paths start at the root: a simulated process stands there. */
function names(path: string): string[] {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts
}
