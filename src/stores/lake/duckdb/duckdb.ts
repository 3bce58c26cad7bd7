// DuckDB in a process of its own (design A14): started on first use, one request at a time, killed when a request takes too
// long, started again after a crash, ended when nobody has asked for a while. It can be neither slow nor dead for the log.
import type { Thread, Timer, World } from '../../../world/world.ts'
import { LakeError } from '../lake-error.ts'
import type { DuckDbAnswer, DuckDbRequest, DuckDbRows, DuckDbStart, Sealed } from './duckdb-messages.ts'

export interface DuckDbSettings {
  /** What DuckDB may hold; the process itself comes on top (about 90 MB). Beyond it spills into `spillFolder`, if there is one. */
  readonly memoryBytesMax: number
  readonly spillFolder: string | null
  /** On one disk: what may be spilled. */
  readonly spillBytesMax: number
  /** The process ends after so long without a request. */
  readonly idleMsMax: number
  /** Further statements after those above. */
  readonly setup?: readonly string[]
}
export interface Limits {
  /** Then the process is killed. */
  readonly timeMsMax: number
  readonly rowsMax: number
}

export interface DuckDb {
  /** Runs the statements in order; the rows of the last. Rejects with a `LakeError`. */
  run(statements: readonly string[], limits: Limits): Promise<DuckDbRows>
  /** Brings files to the disk (`sync`) and tells length and SHA-256, off our thread. */
  seal(paths: readonly string[], sync: boolean): Promise<readonly Sealed[]>
  /** How often the process was started, and how often it went by itself or had to go. */
  readonly counts: { readonly starts: number; readonly crashes: number; readonly kills: number }
  close(): Promise<void>
}

const sealMsMax = 120_000

export function openDuckDb(world: World, settings: DuckDbSettings): DuckDb {
  return new DuckDbProcess(world, settings)
}

type Asked = {
  readonly [K in DuckDbRequest['kind']]: Omit<Extract<DuckDbRequest, { kind: K }>, 'id'>
}[DuckDbRequest['kind']]

class DuckDbProcess implements DuckDb {
  readonly counts = { starts: 0, crashes: 0, kills: 0 }
  readonly #world: World
  readonly #settings: DuckDbSettings
  #child: Thread | null = null
  #waiting: { readonly id: number; readonly answer: (answer: DuckDbAnswer | LakeError) => void } | null = null
  #last: Promise<unknown> = Promise.resolve()
  #nextId = 1
  #idle: Timer | null = null
  #closed = false

  constructor(world: World, settings: DuckDbSettings) {
    this.#world = world
    this.#settings = settings
  }

  async run(statements: readonly string[], { timeMsMax, rowsMax }: Limits): Promise<DuckDbRows> {
    const answer = await this.#ask({ kind: 'run', statements, rowsMax }, timeMsMax)
    if (answer.kind === 'rows') return answer.rows
    throw new LakeError('REFUSED', answer.kind === 'refused' ? answer.message : 'another answer than the one asked for')
  }
  async seal(paths: readonly string[], sync: boolean): Promise<readonly Sealed[]> {
    const answer = await this.#ask({ kind: 'seal', paths, sync }, sealMsMax)
    if (answer.kind === 'sealed') return answer.files
    throw new LakeError('REFUSED', answer.kind === 'refused' ? answer.message : 'another answer than the one asked for')
  }

  /** One after the other: what waits has no time limit running yet. */
  #ask(request: Asked, timeMsMax: number): Promise<DuckDbAnswer> {
    const mine = this.#last.then(() => this.#askNow(request, timeMsMax))
    this.#last = mine.catch(() => {})
    return mine
  }
  async #askNow(request: Asked, timeMsMax: number): Promise<DuckDbAnswer> {
    if (this.#closed) throw new LakeError('CLOSED', 'DuckDB has been closed')
    this.#idle?.cancel()
    this.#idle = null
    const child = this.#child ?? this.#start()
    const id = this.#nextId++
    let timer: Timer | null = null
    try {
      const answer = await new Promise<DuckDbAnswer | LakeError>((resolve) => {
        this.#waiting = { id, answer: resolve }
        timer = this.#world.clock.timer(
          timeMsMax,
          () => {
            this.counts.kills++
            resolve(new LakeError('TOO_SLOW', `DuckDB took longer than ${timeMsMax} ms and was stopped`))
            this.#drop()
          },
          { background: true },
        )
        child.post({ ...request, id })
      })
      if (answer instanceof LakeError) throw answer
      return answer
    } finally {
      ;(timer as Timer | null)?.cancel()
      this.#waiting = null
      this.#idle = this.#world.clock.timer(this.#settings.idleMsMax, () => this.#drop(), { background: true })
    }
  }

  #start(): Thread {
    this.counts.starts++
    const start: DuckDbStart = { setup: setupOf(this.#settings) }
    const child = this.#world.threads.spawnProcess(new URL('./duckdb-child.ts', import.meta.url), start)
    this.#child = child
    child.onMessage((message) => {
      const answer = message as DuckDbAnswer
      if (this.#waiting?.id === answer.id) this.#waiting.answer(answer)
    })
    child.onExit((error) => {
      if (this.#child !== child) return
      this.#child = null
      this.counts.crashes++
      this.#waiting?.answer(new LakeError('CRASHED', `the DuckDB process is gone: ${error?.message ?? 'it ended'}`))
    })
    return child
  }
  #drop(): void {
    const child = this.#child
    this.#child = null
    void child?.stop()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#idle?.cancel()
    this.#waiting?.answer(new LakeError('CLOSED', 'DuckDB is being closed'))
    const child = this.#child
    this.#child = null
    await child?.stop()
    await this.#last
    ;(this.#idle as Timer | null)?.cancel()
  }
}

function setupOf({ memoryBytesMax, spillFolder, spillBytesMax, setup = [] }: DuckDbSettings): string[] {
  const mebibytes = (bytes: number): string => `'${Math.max(1, Math.floor(bytes / 2 ** 20))}MiB'`
  return [
    `SET memory_limit = ${mebibytes(memoryBytesMax)}`,
    ...(spillFolder === null
      ? [`SET temp_directory = ''`]
      : [
          `SET temp_directory = '${spillFolder.replaceAll("'", "''")}'`,
          `SET max_temp_directory_size = ${mebibytes(spillBytesMax)}`,
        ]),
    // Nothing is fetched from anywhere, and nothing depends on where the machine stands.
    'SET autoinstall_known_extensions = false',
    'SET autoload_known_extensions = false',
    `SET TimeZone = 'UTC'`,
    ...setup,
  ]
}
