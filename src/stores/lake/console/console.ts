// The SQL console: one statement at a time in a process of its own that is killed when it takes too long (security matrix H2).
// It reads the files it is given and what is put into its tables, and nothing else; it writes nothing.
import type { Thread, Timer, World } from '../../../world/world.ts'
import type { DuckDbRows } from '../duckdb/duckdb-messages.ts'
import { LakeError } from '../lake-error.ts'
import { text } from '../sql-text.ts'
import type { ConsoleAnswer, ConsoleRequest } from './console-messages.ts'
import { type ConsoleTable, statementBytesMax, type Verdict } from './guard.ts'

export interface ConsoleLimits {
  readonly timeMsMax: number
  readonly rowsMax: number
  /** Of an answer as JSON. */
  readonly bytesMax: number
  readonly memoryBytesMax: number
}
export const consoleLimits: ConsoleLimits = {
  timeMsMax: 5_000,
  rowsMax: 10_000,
  bytesMax: 4 << 20,
  memoryBytesMax: 256 << 20,
}

/** What the tables of a statement are made of. */
export interface Filling {
  /** Statements that make them, run before the doors close. */
  readonly setup: readonly string[]
  /** Files that views read while the statement runs. */
  readonly files: readonly string[]
}
export interface SqlConsole {
  /** Rejects with a `LakeError`: REFUSED with the reason, TOO_SLOW, CRASHED. */
  ask(sql: string, fill: (tables: readonly ConsoleTable[]) => Promise<Filling>): Promise<DuckDbRows>
  close(): Promise<void>
}

/** The process ends after so long without a statement. */
const idleMsMax = 60_000
/** Filling tables happens in the process too; before it the clock of the statement does not run. */
const startMsMax = 30_000

export function openConsole(world: World, limits: ConsoleLimits = consoleLimits): SqlConsole {
  let child: Thread | null = null
  let waiting: ((answer: ConsoleAnswer | LakeError) => void) | null = null
  let last: Promise<unknown> = Promise.resolve()
  let idle: Timer | null = null
  let nextId = 1
  let closed = false

  const drop = (): Promise<void> => {
    const gone = child
    child = null
    return gone?.stop() ?? Promise.resolve()
  }
  const started = (): Thread => {
    if (child !== null) return child
    const mine = world.threads.spawnProcess(new URL('./console-child.ts', import.meta.url), null)
    mine.onMessage((message) => waiting?.(message as ConsoleAnswer))
    mine.onExit((error) => {
      if (child !== mine) return
      child = null
      waiting?.(new LakeError('CRASHED', `the statement took its process with it: ${error?.message ?? 'it ended'}`))
    })
    child = mine
    return mine
  }
  const send = async (request: ConsoleRequest, timeMsMax: number): Promise<ConsoleAnswer> => {
    let timer: Timer | null = null
    try {
      const answer = await new Promise<ConsoleAnswer | LakeError>((resolve) => {
        waiting = resolve
        timer = world.clock.timer(
          timeMsMax,
          () => {
            resolve(new LakeError('TOO_SLOW', `the statement took longer than ${timeMsMax} ms and was stopped`))
            void drop()
          },
          { background: true },
        )
        started().post(request)
      })
      if (answer instanceof LakeError) throw answer
      if (answer.kind === 'refused') throw new LakeError('REFUSED', answer.message)
      return answer
    } finally {
      ;(timer as Timer | null)?.cancel()
      waiting = null
    }
  }
  const askNow = async (
    sql: string,
    fill: (tables: readonly ConsoleTable[]) => Promise<Filling>,
  ): Promise<DuckDbRows> => {
    if (closed) throw new LakeError('CLOSED', 'the SQL console has been closed')
    if (sql.length > statementBytesMax)
      throw new LakeError('REFUSED', `a statement has at most ${statementBytesMax} characters`)
    idle?.cancel()
    try {
      // The process may have to start first.
      const judged = await send({ kind: 'judge', id: nextId++, sql }, child === null ? startMsMax : limits.timeMsMax)
      const verdict: Verdict | null = judged.kind === 'judged' ? judged.verdict : null
      if (verdict === null || verdict.refusal !== null)
        throw new LakeError('REFUSED', verdict?.refusal ?? 'it was not judged')
      const { setup, files } = await fill(verdict.tables)
      const request = {
        kind: 'ask' as const,
        id: nextId++,
        sql,
        setup: [...before(limits), ...setup, ...lockedUp(files)],
        rowsMax: limits.rowsMax,
        bytesMax: limits.bytesMax,
      }
      const answer = await send(request, limits.timeMsMax)
      if (answer.kind !== 'rows') throw new LakeError('REFUSED', 'another answer than the one asked for')
      return answer.rows
    } finally {
      idle = world.clock.timer(idleMsMax, () => void drop(), { background: true })
    }
  }

  return {
    ask(sql, fill) {
      const mine = last.then(() => askNow(sql, fill))
      last = mine.catch(() => {})
      return mine
    },
    async close() {
      closed = true
      waiting?.(new LakeError('CLOSED', 'the SQL console is being closed'))
      await drop()
      await last
      idle?.cancel()
    },
  }
}

const before = ({ memoryBytesMax }: ConsoleLimits): string[] => [
  `SET memory_limit = '${Math.floor(memoryBytesMax / 2 ** 20)}MiB'`,
  `SET temp_directory = ''`,
  `SET TimeZone = 'UTC'`,
  'SET autoinstall_known_extensions = false',
  'SET autoload_known_extensions = false',
  ...['lake', 'topic', 'live'].map((schema) => `CREATE SCHEMA ${schema}`),
]
/** From here on: these files, and no others; no setting can be changed any more. */
const lockedUp = (files: readonly string[]): string[] => [
  `SET allowed_paths = [${files.map(text).join(', ')}]`,
  'SET enable_external_access = false',
  'SET lock_configuration = true',
]
