// Copies a file, piece by piece, so that others get their turn; durable when it resolves (its name once the folder is synced).
import type { World } from '../../world/world.ts'
import { readFully, writeFully } from '../journal/file-bytes.ts'

const pieceBytes = 1 << 20

/** `bytesMax`: no more of it than that. */
export async function copyFile(
  world: World,
  from: string,
  to: string,
  bytesMax = Number.POSITIVE_INFINITY,
): Promise<void> {
  const source = world.fs.open(from, 'read')
  try {
    const target = world.fs.open(to, 'create')
    try {
      const piece = new Uint8Array(pieceBytes)
      const size = Math.min(source.sizeBytes(), bytesMax)
      for (let at = 0; at < size; ) {
        const count = readFully(source, piece.subarray(0, Math.min(piece.length, size - at)), at)
        if (count === 0) break
        writeFully(target, piece.subarray(0, count), at)
        at += count
        await new Promise<void>((resolve) => world.clock.soon(resolve))
      }
      await target.sync()
    } finally {
      target.close()
    }
  } finally {
    source.close()
  }
}
