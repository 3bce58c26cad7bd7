// Reads a file of users: one `name:password` a line; empty lines and lines that begin with # say nothing. No error ever
// quotes a line.
import { readFileSync, statSync } from 'node:fs'
import { CommandError, exitCodes } from './errors.ts'

/** Each costs some milliseconds of every start; more are added by Kafka's tools (kafka-configs). */
export const usersInFileMax = 200
const nameMax = 255

export interface NamedPassword {
  readonly user: string
  readonly password: string
}

export function readUsers(path: string): readonly NamedPassword[] {
  // What may be read by others is no secret any more. (Windows has no such bits.)
  const { mode } = statSync(path)
  if (process.platform !== 'win32' && (mode & 0o077) !== 0)
    throw new CommandError(exitCodes.refused, {
      what: 'the file of users can be read by others',
      where: path,
      value: `mode ${(mode & 0o777).toString(8).padStart(4, '0')}`,
      cause: 'it holds passwords',
      cure: `chmod 600 ${path}`,
    })
  return parseUsers(readFileSync(path, 'utf8'), path)
}

export function parseUsers(text: string, path: string): readonly NamedPassword[] {
  const users = new Map<string, NamedPassword>()
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const wrong = (what: string, cure: string): CommandError =>
      new CommandError(exitCodes.usage, { what, where: `${path}, line ${i + 1}`, cure })
    const colon = line.indexOf(':')
    const user = line.slice(0, Math.max(0, colon)).trim()
    const password = line.slice(colon + 1)
    if (user === '' || password === '' || user.length > nameMax)
      throw wrong('this line does not name a user with a password', 'write name:password')
    if (users.has(user)) throw wrong('this user stands here twice', 'leave one of the lines out')
    users.set(user, { user, password })
    if (users.size > usersInFileMax)
      throw wrong(
        `a file names ${usersInFileMax} users at most`,
        'add the others with the tools of Kafka: kafka-configs --alter --add-config SCRAM-SHA-512=[password=…]',
      )
  }
  return [...users.values()]
}
