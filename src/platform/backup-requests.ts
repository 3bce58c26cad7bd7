// Asks a running Millrace for a backup through its data directory: who may write there may ask, and no port is needed.
//
//   <data directory>/backup.request   JSON {token, folder}: written by the one who asks, renamed into place
//   <data directory>/backup.answer    JSON {token, backup} or {token, error: {code, message, cure}}: by the one who runs
//
// Both are there only for moments. What is older than the start of the one who runs is nobody's any more.
import type { Broker } from '../broker/broker.ts'
import type { Backup } from '../broker/care/backup.ts'
import { FsError, type Timer, type World } from '../world/world.ts'
import { readText, writeText } from './small-files.ts'

const lookEveryMs = 500
/** A running Millrace that has not taken the request by then is not looking. */
const takenMsMax = 20_000
const answerEveryMs = 100

const requestOf = (dataDir: string): string => `${dataDir}/backup.request`
const answerOf = (dataDir: string): string => `${dataDir}/backup.answer`

interface Answer {
  readonly token: string
  readonly backup?: Backup
  readonly error?: { readonly code: string; readonly message: string; readonly cure: string }
}

/** The Millrace that runs there made the backup, or says why not. */
export class BackupRefused extends Error {
  override name = 'BackupRefused'
  readonly code: string
  readonly cure: string
  constructor(code: string, message: string, cure: string) {
    super(message)
    this.code = code
    this.cure = cure
  }
}

/** Answers requests from now on; the returned function ends that. */
export function answerBackups(world: World, dataDir: string | null, broker: Broker): () => void {
  if (dataDir === null) return () => {}
  const { fs } = world
  for (const path of [requestOf(dataDir), answerOf(dataDir)]) if (fs.stat(path) !== null) fs.unlink(path)
  let timer: Timer | null = null
  let over = false
  const look = async (): Promise<void> => {
    const text = readText(fs, requestOf(dataDir))
    if (text === null) return
    fs.unlink(requestOf(dataDir))
    const { token, folder } = objectOf(text)
    if (typeof token !== 'string' || typeof folder !== 'string') return
    const answer = await broker.backup(folder).then(
      (backup): Answer => ({ token, backup }),
      (error: unknown): Answer => ({ token, error: errorOf(error) }),
    )
    writeText(fs, answerOf(dataDir), JSON.stringify(answer))
  }
  const again = (): void => {
    if (over) return
    timer = world.clock.timer(
      lookEveryMs,
      () => {
        look()
          // A full disk takes no answer: who asked tells that none came.
          .catch((error: unknown) => {
            if (!(error instanceof FsError)) throw error
          })
          .finally(again)
      },
      { background: true },
    )
  }
  again()
  return () => {
    over = true
    timer?.cancel()
  }
}
function errorOf(error: unknown): NonNullable<Answer['error']> {
  const value: Readonly<Record<string, unknown>> = { ...Object(error) }
  const message = error instanceof Error ? error.message : String(error)
  const text = (key: string): string => (typeof value[key] === 'string' ? value[key] : '')
  return { code: text('code'), message, cure: text('cure') }
}

/** Rejects with a BackupRefused. `check` is called now and then, and may throw. */
export async function askForBackup(world: World, dataDir: string, folder: string, check: () => void): Promise<Backup> {
  const { fs, clock } = world
  const token = world.random.fork('backup').u32().toString(36)
  writeText(fs, requestOf(dataDir), JSON.stringify({ token, folder }))
  const startedMs = clock.monoMs()
  for (;;) {
    await clock.sleep(answerEveryMs)
    check()
    const text = readText(fs, answerOf(dataDir))
    const { token: of, backup, error } = text === null ? {} : objectOf(text)
    if (of === token) {
      fs.unlink(answerOf(dataDir))
      if (error !== undefined) {
        const { code, message, cure } = { ...Object(error) } as Record<string, unknown>
        throw new BackupRefused(
          String(code),
          `${folder}: ${String(message)}`,
          String(cure) || 'see what the server says',
        )
      }
      // Written by the same version of ours.
      return backup as Backup
    }
    if (fs.stat(requestOf(dataDir)) === null || clock.monoMs() - startedMs < takenMsMax) continue
    fs.unlink(requestOf(dataDir))
    throw new BackupRefused(
      'NO_ANSWER',
      `the Millrace that runs on ${dataDir} does not answer`,
      'see whether it is well (millrace doctor), or stop it and try again',
    )
  }
}
function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return { ...Object(JSON.parse(text)) }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return {}
  }
}
