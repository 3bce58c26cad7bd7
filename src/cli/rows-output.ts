// Where `millrace run` puts its rows: stdout, or a file that appears whole under its name or not at all.
import { closeSync, fsyncSync, openSync, realpathSync, renameSync, statSync, unlinkSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { CommandError, exitCodes } from './errors.ts'
import { mustExist } from './files.ts'

export interface RowsOutput {
  write(rows: Uint8Array): Promise<void> | void
  /** The rows are complete: from now on they stand under the name that was asked for. */
  commit(): void
  /** Nothing of it stays; a file that was there before is untouched. After `commit` it does nothing. */
  abandon(): void
}

/** `-` is stdout. A regular file is replaced by renaming; a pipe or device is written to as it is. */
export function rowsOutput(path: string): RowsOutput {
  if (path === '-') return { write: writeToStdout, commit() {}, abandon() {} }
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat?.isDirectory())
    throw new CommandError(exitCodes.usage, {
      what: 'the output is a folder',
      where: '--output',
      value: path,
      cause: 'rows go to one file',
      cure: `name a file in it: --output ${join(path, 'rows.ndjson')}`,
    })
  if (stat !== undefined && !stat.isFile()) {
    const descriptor = openSync(path, 'w')
    return { write: (rows) => writeAll(descriptor, rows), commit: () => closeSync(descriptor), abandon() {} }
  }
  // Behind a symbolic link the file it leads to is replaced, not the link.
  const target = stat === undefined ? path : realpathSync(path)
  mustExist(dirname(target), 'folder for the output')
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`)
  const descriptor = openSync(temporary, 'wx', stat?.mode)
  let open = true
  return {
    write: (rows) => writeAll(descriptor, rows),
    commit() {
      fsyncSync(descriptor)
      closeSync(descriptor)
      open = false
      renameSync(temporary, target)
    },
    abandon() {
      if (!open) return
      open = false
      closeSync(descriptor)
      unlinkSync(temporary)
    },
  }
}

function writeAll(descriptor: number, rows: Uint8Array): void {
  for (let at = 0; at < rows.length; ) at += writeSync(descriptor, rows, at)
}

function writeToStdout(rows: Uint8Array): Promise<void> | void {
  // It may be written later, and the rows' bytes are not ours for so long.
  if (process.stdout.write(rows.slice())) return
  return new Promise((resolve) => process.stdout.once('drain', resolve))
}
