// Snapshots of a job's state on disk: they only shorten recovery, the log is the truth (reliability: commit and snapshot).
// Only blocks that changed since the last one are written; the others stay where an earlier one put them.
//
//   <folder>/blocks-<n>   what was new in snapshot n: blocks of up to 64 KiB, one after the other
//   <folder>/chk-<n>.tmp -> fsync blocks-<n> and it -> rename chk-<n> -> fsync folder -> what nobody needs goes
//
//   chk: magic "MCHK" | u32 format version | u32 header bytes | header, JSON: identity, cursor, state format, lengths of
//        the arrays | u32 blocks | per block: SHA-256 (32) | u32 n of its file | f64 place there | u32 length
//        | u32 loose bytes | loose | SHA-256 of all before (32)
//
// The blocks follow each other as the arrays do, each array cut from its beginning. A snapshot is published only once the
// commit it was cut at is durable, so its cursor is never ahead of the job's committed one.
import { createHash, hash } from 'node:crypto'
import { STATE_FORMAT_VERSION, type StateParts } from '../engine/engine.ts'
import type { Cursor } from '../log/log.ts'
import { assert } from '../std/assert.ts'
import { type File, FsError, type World } from '../world/world.ts'

export interface Snapshot {
  readonly cursor: Cursor
  readonly state: StateParts
}
export interface SnapshotStore {
  /** The snapshots whose files verify and that belong to these plans and this log, newest first. */
  stored(): Iterable<Snapshot>
  /** The place of the oldest one, once there are as many as are kept: nobody goes back behind it. Null before. */
  oldest(): Cursor | null
  /** Begins to keep a state; it must not change until all of it is taken. One at a time. */
  begin(state: StateParts): Keeping
}
/** A snapshot in the making. */
export interface Keeping {
  /** Takes some of the state, for about 2 ms; true when all of it is taken and may change again. */
  step(): boolean
  /** The commit at this cursor is durable. Resolves when the snapshot would survive a power cut. */
  publish(cursor: Cursor): Promise<void>
  abandon(): void
  /** Of all blocks, and of those that were written. */
  readonly bytes: { readonly all: number; readonly written: number }
}

const SNAPSHOTS_KEPT = 3
const FORMAT_VERSION = 2
const MAGIC = 0x4b48434d
export const BLOCK_BYTES = 65_536
const HASH_BYTES = 32
const ENTRY_BYTES = HASH_BYTES + 16
/** Hashed and, where it changed, written at once: about 2 ms. */
const STEP_BYTES = 2 << 20
/** A file of blocks of which less than this share is needed is left behind: its blocks are written again. */
const NEEDED_SHARE_MIN = 0.5

interface Block {
  readonly hash: string
  readonly file: number
  readonly at: number
  readonly length: number
}
interface Stored {
  readonly number: number
  readonly cursor: Cursor
  readonly arrays: readonly number[]
  readonly blocks: readonly Block[]
  readonly loose: Uint8Array
}

/** `identity` names the log and the plans: snapshots written under another one are ignored. */
export function openSnapshots(world: World, folder: string, identity: string): SnapshotStore {
  const { fs } = world
  makeFolders(world, folder)
  const numbers = (prefix: string): number[] =>
    fs
      .list(folder)
      .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
      .map((name) => Number(name.slice(prefix.length)))
      .sort((a, b) => b - a)
  /** Newest first; those of before that are kept, for what they need. */
  let kept: Stored[] = []
  let next = Math.max(0, ...numbers('chk-'), ...numbers('blocks-')) + 1
  // Left by a process that died over it.
  for (const name of fs.list(folder)) if (/^chk-\d+\.tmp$/.test(name)) fs.removeTree(`${folder}/${name}`)
  for (const number of numbers('chk-')) {
    const stored = readStored(world, `${folder}/chk-${number}`, number, identity)
    if (stored !== null) kept.push(stored)
  }

  const clean = (): void => {
    kept = kept.slice(0, SNAPSHOTS_KEPT)
    const wanted = new Set(kept.map(({ number }) => number))
    for (const number of numbers('chk-')) if (!wanted.has(number)) fs.removeTree(`${folder}/chk-${number}`)
    const needed = new Set(kept.flatMap(({ blocks }) => blocks.map(({ file }) => file)))
    for (const number of numbers('blocks-')) if (!needed.has(number)) fs.removeTree(`${folder}/blocks-${number}`)
  }

  return {
    *stored() {
      for (const one of [...kept]) {
        const state = load(world, folder, one)
        if (state !== null) yield { cursor: one.cursor, state }
        // The next ones must not count on its blocks.
        else kept = kept.filter((other) => other !== one)
      }
    },
    oldest: () => (kept.length < SNAPSHOTS_KEPT ? null : (kept.at(-1)?.cursor ?? null)),
    begin: (state) =>
      new BlocksKept(world, folder, identity, next++, state, kept[0] ?? null, (made) => {
        kept.unshift(made)
        clean()
      }),
  }
}

class BlocksKept implements Keeping {
  readonly bytes = { all: 0, written: 0 }
  readonly #world: World
  readonly #folder: string
  readonly #identity: string
  readonly #number: number
  readonly #arrays: readonly Uint8Array[]
  readonly #lengths: readonly number[]
  readonly #loose: Uint8Array
  /** What is on disk already and may stay there, by hash. */
  readonly #known = new Map<string, Block>()
  readonly #blocks: Block[] = []
  readonly #made: (stored: Stored) => void
  #file: File | null = null
  #array = 0
  #at = 0

  constructor(
    world: World,
    folder: string,
    identity: string,
    number: number,
    state: StateParts,
    before: Stored | null,
    made: (stored: Stored) => void,
  ) {
    this.#world = world
    this.#folder = folder
    this.#identity = identity
    this.#number = number
    this.#arrays = state.arrays
    this.#lengths = state.arrays.map(({ length }) => length)
    this.#loose = state.loose
    this.#made = made
    for (const block of before === null ? [] : wellUsed(world, folder, before)) this.#known.set(block.hash, block)
  }
  step(): boolean {
    let left = STEP_BYTES
    while (this.#array < this.#arrays.length) {
      const array = this.#arrays[this.#array]!
      if (this.#at >= array.length) {
        this.#array++
        this.#at = 0
        continue
      }
      if (left <= 0) return false
      const block = array.subarray(this.#at, this.#at + BLOCK_BYTES)
      this.#keep(block)
      this.#at += block.length
      left -= block.length
    }
    return true
  }
  #keep(bytes: Uint8Array): void {
    const key = hash('sha256', bytes, 'hex')
    this.bytes.all += bytes.length
    let block = this.#known.get(key)
    if (block === undefined) {
      this.#file ??= this.#world.fs.open(this.#path('blocks-'), 'create')
      writeAll(this.#file, bytes, this.bytes.written)
      block = { hash: key, file: this.#number, at: this.bytes.written, length: bytes.length }
      this.bytes.written += bytes.length
      this.#known.set(key, block)
    }
    this.#blocks.push(block)
  }
  #path(prefix: string): string {
    return `${this.#folder}/${prefix}${this.#number}`
  }
  async publish(cursor: Cursor): Promise<void> {
    const { fs } = this.#world
    const temporary = `${this.#path('chk-')}.tmp`
    try {
      if (this.#file !== null) {
        await this.#file.sync()
        this.#file.close()
        this.#file = null
      }
      const stored = { number: this.#number, cursor, arrays: this.#lengths, blocks: this.#blocks, loose: this.#loose }
      await writeWhole(this.#world, temporary, encodeStored(stored, this.#identity))
      fs.rename(temporary, this.#path('chk-'))
      await fs.syncFolder(this.#folder)
      // The folder may be as new as what lies in it.
      const parent = this.#folder.lastIndexOf('/')
      if (parent > 0) await fs.syncFolder(this.#folder.slice(0, parent))
      this.#made(stored)
    } catch (error) {
      // On a full disk a piece of a snapshot is only in the way.
      if (error instanceof FsError) {
        fs.removeTree(temporary)
        this.abandon()
      }
      throw error
    }
  }
  abandon(): void {
    this.#file?.close()
    this.#file = null
    this.#world.fs.removeTree(this.#path('blocks-'))
  }
}

/** The blocks of a snapshot that lie in files of which enough is still needed. */
function wellUsed({ fs }: World, folder: string, { blocks }: Stored): Block[] {
  const needed = new Map<number, number>()
  const seen = new Set<string>()
  for (const { hash, file, length } of blocks) {
    if (!seen.has(hash)) needed.set(file, (needed.get(file) ?? 0) + length)
    seen.add(hash)
  }
  const used = new Set<number>()
  for (const [file, bytes] of needed)
    if (bytes >= (fs.stat(`${folder}/blocks-${file}`)?.sizeBytes ?? Number.POSITIVE_INFINITY) * NEEDED_SHARE_MIN)
      used.add(file)
  return blocks.filter(({ file }) => used.has(file))
}

function encodeStored({ cursor, arrays, blocks, loose }: Stored, identity: string): Uint8Array {
  const header = new TextEncoder().encode(
    JSON.stringify({ identity, cursor, stateFormat: STATE_FORMAT_VERSION, arrays }),
  )
  const bytes = new Uint8Array(12 + header.length + 4 + blocks.length * ENTRY_BYTES + 4 + loose.length + HASH_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint32(4, FORMAT_VERSION, true)
  view.setUint32(8, header.length, true)
  bytes.set(header, 12)
  let at = 12 + header.length
  view.setUint32(at, blocks.length, true)
  at += 4
  for (const { hash, file, at: place, length } of blocks) {
    bytes.set(Buffer.from(hash, 'hex'), at)
    view.setUint32(at + HASH_BYTES, file, true)
    view.setFloat64(at + HASH_BYTES + 4, place, true)
    view.setUint32(at + HASH_BYTES + 12, length, true)
    at += ENTRY_BYTES
  }
  view.setUint32(at, loose.length, true)
  bytes.set(loose, at + 4)
  at += 4 + loose.length
  bytes.set(createHash('sha256').update(bytes.subarray(0, at)).digest(), at)
  return bytes
}

/** Null: torn, flipped, of another version or of others; then it is an older snapshot's turn, and the log has it all. */
function readStored(world: World, path: string, number: number, identity: string): Stored | null {
  if (world.fs.stat(path)?.isFolder !== false) return null
  const bytes = readWhole(world, path)
  if (bytes === null || bytes.length < 20 + HASH_BYTES) return null
  const end = bytes.length - HASH_BYTES
  const view = new DataView(bytes.buffer)
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== FORMAT_VERSION) return null
  const sum = createHash('sha256').update(bytes.subarray(0, end)).digest()
  if (!sum.equals(bytes.subarray(end))) return null
  const headerEnd = 12 + view.getUint32(8, true)
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(12, headerEnd))) as Header
  if (header.identity !== identity || header.stateFormat !== STATE_FORMAT_VERSION) return null
  let at = headerEnd + 4
  const blocks = Array.from({ length: view.getUint32(headerEnd, true) }, (): Block => {
    const block = {
      hash: Buffer.from(bytes.subarray(at, at + HASH_BYTES)).toString('hex'),
      file: view.getUint32(at + HASH_BYTES, true),
      at: view.getFloat64(at + HASH_BYTES + 4, true),
      length: view.getUint32(at + HASH_BYTES + 12, true),
    }
    at += ENTRY_BYTES
    return block
  })
  return { number, cursor: header.cursor as Cursor, arrays: header.arrays, blocks, loose: bytes.slice(at + 4, end) }
}
interface Header {
  readonly identity: string
  readonly cursor: string
  readonly stateFormat: number
  readonly arrays: readonly number[]
}

function load(world: World, folder: string, { arrays: lengths, blocks, loose }: Stored): StateParts | null {
  const files = new Map<number, File>()
  try {
    let next = 0
    const arrays: Uint8Array[] = []
    for (const length of lengths) {
      const array = new Uint8Array(length)
      for (let at = 0; at < length; ) {
        const block = blocks[next++]
        if (block === undefined || at + block.length > length) return null
        let file = files.get(block.file)
        if (file === undefined) {
          if (world.fs.stat(`${folder}/blocks-${block.file}`) === null) return null
          file = world.fs.open(`${folder}/blocks-${block.file}`, 'read')
          files.set(block.file, file)
        }
        const into = array.subarray(at, at + block.length)
        if (!readAll(file, into, block.at) || hash('sha256', into, 'hex') !== block.hash) return null
        at += block.length
      }
      arrays.push(array)
    }
    return { loose, arrays }
  } finally {
    for (const file of files.values()) file.close()
  }
}

/** Creates the folder and its missing parents. */
export function makeFolders(world: World, folder: string): void {
  const parts = folder.split('/')
  for (let i = 1; i <= parts.length; i++) {
    const path = parts.slice(0, i).join('/')
    if (path !== '' && path !== '.' && world.fs.stat(path) === null) world.fs.mkdir(path)
  }
}

async function writeWhole(world: World, path: string, bytes: Uint8Array): Promise<void> {
  world.fs.removeTree(path)
  const file = world.fs.open(path, 'create')
  try {
    writeAll(file, bytes, 0)
    await file.sync()
  } finally {
    file.close()
  }
}
function writeAll(file: File, bytes: Uint8Array, place: number): void {
  for (let done = 0; done < bytes.length; ) {
    const written = file.write(bytes.subarray(done), place + done)
    assert(written > 0, `a write of ${bytes.length - done} bytes to ${file.path} took none`)
    done += written
  }
}

function readWhole(world: World, path: string): Uint8Array<ArrayBuffer> | null {
  const file = world.fs.open(path, 'read')
  try {
    const bytes = new Uint8Array(file.sizeBytes())
    return readAll(file, bytes, 0) ? bytes : null
  } finally {
    file.close()
  }
}
function readAll(file: File, into: Uint8Array, place: number): boolean {
  for (let done = 0; done < into.length; ) {
    const got = file.read(into.subarray(done), place + done)
    if (got === 0) return false
    done += got
  }
  return true
}
