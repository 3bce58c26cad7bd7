// `FOLDER=TOPIC` as people write it: a folder that is there, and the topic that its lines go to.
import { statSync } from 'node:fs'
import type { FolderToWatch } from '../platform/watching.ts'
import { CommandError, exitCodes } from './errors.ts'
import { absolute, mustExist } from './files.ts'

export type { FolderToWatch } from '../platform/watching.ts'

/** Throws a CommandError that says what is wrong with it. */
export function parseWatch(flag: string, text: string): FolderToWatch {
  const at = text.lastIndexOf('=')
  const [folder, topic] = [text.slice(0, at), text.slice(at + 1)]
  if (at < 1 || !/^[a-zA-Z0-9._-]{1,200}$/.test(topic)) {
    throw new CommandError(exitCodes.usage, {
      what: `${flag} takes a folder and the topic its lines go to`,
      value: text,
      cure: `write it like ${flag === '' ? '' : `${flag} `}./exports=orders`,
    })
  }
  mustExist(folder, 'folder')
  if (statSync(folder).isDirectory()) return { folder: absolute(folder), topic }
  throw new CommandError(exitCodes.usage, {
    what: `${JSON.stringify(folder)} is a file, not a folder`,
    value: folder,
    cure: 'watch the folder that holds it; millrace produce TOPIC --input FILE sends one file once',
  })
}
