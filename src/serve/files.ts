// The built screen, held in memory: only what is in the folder when serving starts can ever be asked for, by its exact
// name, so no path leads out of it. Hashed names never change; the page itself is asked for again each time.
import type { World } from '../world/world.ts'

/** Limits of what is taken into memory. The screen is about a hundredth of it. */
export const screenFilesMax = 200
export const screenBytesMax = 16 * 1024 * 1024

export interface ScreenFile {
  readonly type: string
  readonly etag: string
  readonly cacheControl: string
  readonly body: Uint8Array
}

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  ico: 'image/x-icon',
  json: 'application/json',
  webmanifest: 'application/manifest+json',
  txt: 'text/plain; charset=utf-8',
}

/** By URL path (`/`, `/assets/index-x1y2.js`). Null when the folder has no `index.html`: the screen is not built. */
export function screenFiles(world: World, folder: string): ReadonlyMap<string, ScreenFile> | null {
  if (world.fs.stat(`${folder}/index.html`) === null) return null
  const found = new Map<string, ScreenFile>()
  let bytes = 0
  const take = (within: string): void => {
    for (const name of world.fs.list(`${folder}${within}`)) {
      const path = `${within}/${name}`
      const stat = world.fs.stat(`${folder}${path}`)
      const type = types[name.slice(name.lastIndexOf('.') + 1)]
      if (stat?.isFolder) take(path)
      else if (stat && type !== undefined) {
        bytes += stat.sizeBytes
        if (found.size === screenFilesMax || bytes > screenBytesMax) throw new ScreenTooLarge(folder)
        const body = readWhole(world, `${folder}${path}`)
        const url = path === '/index.html' ? '/' : path
        found.set(url, {
          type,
          body,
          etag: `"${body.length.toString(36)}-${Math.trunc(stat.modifiedMs).toString(36)}"`,
          cacheControl: path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
        })
      }
    }
  }
  take('')
  return found
}

export class ScreenTooLarge extends Error {
  override name = 'ScreenTooLarge'
  constructor(folder: string) {
    super(
      `the screen in ${folder} has more than ${screenFilesMax} files or ${screenBytesMax} bytes: is it the right folder?`,
    )
  }
}

function readWhole(world: World, path: string): Uint8Array {
  const file = world.fs.open(path, 'read')
  try {
    const body = new Uint8Array(file.sizeBytes())
    let at = 0
    while (at < body.length) {
      const read = file.read(body.subarray(at), at)
      if (read === 0) return body.slice(0, at)
      at += read
    }
    return body
  } finally {
    file.close()
  }
}
