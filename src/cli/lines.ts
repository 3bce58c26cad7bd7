// Lines of a stream, as bytes: blank ones left out, each at most 1 MiB.
import { createReadStream } from 'node:fs'
import { CommandError, exitCodes } from './errors.ts'

export const lineBytesMax = 1024 * 1024
const newline = 10
const carriageReturn = 13

/** The bytes of a file in portions. */
export const chunksOf = (path: string): AsyncIterable<Buffer> => createReadStream(path, { highWaterMark: 256 * 1024 })

/** The bytes of each line without its end. What is yielded may be kept. `name` is for errors. */
export async function* linesOf(name: string, source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0)
  let lineNumber = 0
  for await (const chunk of source) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let start = 0
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
      lineNumber++
      const line = trimmed(bytes.subarray(start, end))
      if (line.length > lineBytesMax) throw tooLong(name, lineNumber)
      if (line.length > 0) yield line
      start = end + 1
    }
    rest = bytes.subarray(start)
    if (rest.length > lineBytesMax) throw tooLong(name, lineNumber + 1)
  }
  const last = trimmed(rest)
  if (last.length > 0) yield last
}

function trimmed(line: Buffer): Buffer {
  const end = line.at(-1) === carriageReturn ? line.length - 1 : line.length
  for (let i = 0; i < end; i++) if ((line[i] ?? 0) > 32) return line.subarray(0, end)
  return line.subarray(0, 0)
}

function tooLong(name: string, lineNumber: number): CommandError {
  return new CommandError(exitCodes.failed, {
    what: 'a line is too long to be a record',
    where: `${name}, line ${lineNumber}`,
    cause: `a record is at most ${lineBytesMax / 1024 / 1024} MiB`,
    cure: 'put one record on each line (newline-delimited JSON)',
  })
}
