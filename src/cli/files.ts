// Files the user names: found before anything heavy begins, with the nearest name when one is not there.
import { readdirSync, statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { nearest } from '../std/nearest.ts'
import { CommandError, exitCodes } from './errors.ts'

const namesMax = 10_000

/** As seen from here; another process may stand elsewhere. */
export const absolute = (path: string): string => resolve(path)

/** Throws exit code 4 with the nearest name in the folder unless the path is there. `what` is "file", "input" … */
export function mustExist(path: string, what: string): void {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return
  const folder = dirname(path)
  let names: string[] = []
  try {
    names = readdirSync(folder).slice(0, namesMax)
  } catch {}
  const meant = nearest(basename(path), names)
  throw new CommandError(exitCodes.notFound, {
    what: `there is no ${what} ${JSON.stringify(path)}`,
    where: folder === '.' ? process.cwd() : folder,
    value: path,
    cause:
      names.length === 0 && statSync(folder, { throwIfNoEntry: false }) === undefined
        ? 'its folder is not there either'
        : 'no such name in this folder',
    cure:
      meant === null
        ? 'check the path'
        : `did you mean ${JSON.stringify(folder === '.' && !path.startsWith('.') ? meant : `${folder}/${meant}`)}?`,
  })
}
