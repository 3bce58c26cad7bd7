// The content of a file in order, plain or packed with gzip, from where a fingerprint says that it was taken up to.
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { File, World } from '../../world/world.ts'
import { type Fingerprint, knownBytesMax, TakenContent } from './taken-content.ts'

export interface Content {
  /** What was taken of it so far; whoever reads on says so. */
  readonly taken: TakenContent
  /** The next bytes into `into`; 0 at the end, as far as it goes now. Rejects with an Error if the packing is broken. */
  read(into: Uint8Array): Promise<number>
  /** Nothing will follow the end: it is packed, and whole. */
  readonly isClosed: boolean
  close(): void
}

/** Null: it does not begin with what the fingerprint is of, it is another file. Throws the FsError of the disk. */
export async function openContent(world: World, path: string, from: Fingerprint | null): Promise<Content | null> {
  const file = world.fs.open(path, 'read')
  let content: Content
  try {
    const isPacked = path.endsWith('.gz')
    content = isPacked ? packedContent(file) : plainContent(file)
    const isKnown = from === null || (isPacked ? await passed(content, from) : await jumped(file, content, from))
    if (isKnown) return content
  } catch (error) {
    file.close()
    throw error
  }
  content.close()
  return null
}

function plainContent(file: File): Content {
  const taken = new TakenContent()
  let at: number | null = null
  return {
    taken,
    isClosed: false,
    async read(into) {
      at ??= taken.position
      const got = file.read(into, at)
      at += got
      return got
    },
    close: () => file.close(),
  }
}
async function jumped(file: File, { taken }: Content, from: Fingerprint): Promise<boolean> {
  if (file.sizeBytes() < from.position) return false
  const take = (start: number, end: number): void => {
    const bytes = new Uint8Array(end - start)
    let got = 0
    while (got < bytes.length) {
      const more = file.read(bytes.subarray(got), start + got)
      if (more === 0) break
      got += more
    }
    taken.take(bytes.subarray(0, got))
  }
  const head = Math.min(from.position, knownBytesMax)
  take(0, head)
  const tailStart = Math.max(head, from.position - knownBytesMax)
  taken.skip(tailStart - head)
  take(tailStart, from.position)
  return taken.is(from)
}

function packedContent(file: File): Content {
  const taken = new TakenContent()
  const unpacked = createGunzip({ chunkSize: 64 * 1024 })
  // The reader of the unpacked bytes meets the error, or has gone before it came.
  unpacked.on('error', () => {})
  pipeline(Readable.from(piecesOf(file)), unpacked, () => {})
  const pieces: AsyncIterator<Uint8Array> = unpacked[Symbol.asyncIterator]()
  let piece: Uint8Array = new Uint8Array(0)
  let isClosed = false
  return {
    taken,
    get isClosed() {
      return isClosed
    },
    async read(into) {
      while (piece.length === 0) {
        if (isClosed) return 0
        const next = await pieces.next()
        if (next.done === true) isClosed = true
        else piece = next.value
      }
      const got = Math.min(into.length, piece.length)
      into.set(piece.subarray(0, got))
      piece = piece.subarray(got)
      return got
    },
    close() {
      unpacked.destroy()
      file.close()
    },
  }
}
function* piecesOf(file: File): Generator<Uint8Array> {
  for (let position = 0; ; ) {
    const bytes = new Uint8Array(64 * 1024)
    const got = file.read(bytes, position)
    if (got === 0) return
    position += got
    yield bytes.subarray(0, got)
  }
}
async function passed(content: Content, from: Fingerprint): Promise<boolean> {
  const bytes = new Uint8Array(64 * 1024)
  while (content.taken.position < from.position) {
    const got = await content.read(bytes.subarray(0, Math.min(bytes.length, from.position - content.taken.position)))
    if (got === 0) return false
    content.taken.take(bytes.subarray(0, got))
  }
  return content.taken.is(from)
}
