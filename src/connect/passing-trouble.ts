// Troubles of a disk that pass by themselves: no room, or no numbers for open files.
import type { FsError } from '../world/world.ts'

const passing = ['ENOSPC', 'EFBIG', 'EDQUOT', 'EMFILE', 'ENFILE']
export const isPassing = ({ code }: FsError): boolean => passing.includes(code)
