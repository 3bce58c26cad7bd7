// The embedded serving store: SQLite in a thread of its own. It is a view of the log: a file that cannot be read is put
// aside and a new one filled again.
import { assert } from '../../std/assert.ts'
import { FsError, type Thread, type World } from '../../world/world.ts'
import { isSqliteAnswer, type SqliteAnswer, type SqliteRequest } from './sqlite-calls.ts'
import { type ServedRow, ServingError, ServingFenced, type ServingStore, type SinkOwner } from './store.ts'

/** Of the store with what SQLite puts beside it. */
const files = ['', '-wal', '-shm'] as const

/**
 * `path` null: in memory. What stood aside before is removed when another damaged file takes its place: one is kept.
 * Rejects with a `ServingError`.
 */
export async function openSqlite(
  world: World,
  path: string | null,
  tell: (line: string) => void,
): Promise<ServingStore> {
  try {
    return await openThread(world, path ?? ':memory:')
  } catch (error) {
    if (!(error instanceof DamagedDatabase) || path === null) throw error
    const aside = putAside(world, path)
    tell(`the serving store could not be read (${error.message}): it is ${aside} now and is filled again from the log`)
    return openThread(world, path)
  }
}

class DamagedDatabase extends ServingError {}

async function openThread(world: World, path: string): Promise<ServingStore> {
  const thread = world.threads.spawn(new URL('./sqlite-thread.ts', import.meta.url), path)
  const calls = callsOf(thread)
  try {
    await calls.opened
  } catch (error) {
    await thread.stop()
    throw error
  }
  let closing: Promise<void> | null = null
  return {
    kind: 'sqlite',
    takeOver: (table, topicId) => calls.ask<SinkOwner>({ do: 'take-over', table, topicId }),
    apply: (batch) => calls.ask<void>({ do: 'apply', batch }),
    rows: (wanted) => calls.ask<readonly ServedRow[]>({ do: 'rows', wanted }),
    counts: (tables) => calls.ask<ReadonlyMap<string, number>>({ do: 'counts', tables }),
    clear: (table) => calls.ask<void>({ do: 'clear', table }),
    close() {
      closing ??= calls.ask<void>({ do: 'close' }).finally(() => thread.stop())
      return closing
    },
  }
}

interface Calls {
  readonly opened: Promise<unknown>
  /** The thread answers what `sqlite-thread.ts` says for the call: `T`. */
  ask<T>(request: SqliteRequest): Promise<T>
}

function callsOf(thread: Thread): Calls {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let calls = 0
  let over: Error | null = null
  const opened = Promise.withResolvers<unknown>()
  waiting.set(0, opened)
  thread.onMessage((message) => {
    assert(isSqliteAnswer(message), 'the thread of the serving store answers calls')
    const promise = waiting.get(message.call)
    waiting.delete(message.call)
    if (promise === undefined) return
    if (message.ok) promise.resolve(message.value)
    else promise.reject(errorOf(message))
  })
  thread.onExit((error) => {
    over = new ServingError('the thread of the serving store is over', { isTransient: false, cause: error })
    for (const promise of waiting.values()) promise.reject(over)
    waiting.clear()
  })
  return {
    opened: opened.promise,
    ask<T>(request: SqliteRequest) {
      if (over !== null) return Promise.reject(over)
      calls++
      const promise = Promise.withResolvers<unknown>()
      waiting.set(calls, promise)
      thread.post({ ...request, call: calls })
      return promise.promise as Promise<T>
    },
  }
}

function errorOf(answer: Extract<SqliteAnswer, { ok: false }>): Error {
  switch (answer.kind) {
    case 'fenced':
      return new ServingFenced(answer.reason, answer.message)
    case 'damaged':
      return new DamagedDatabase(answer.message, { isTransient: false })
    case 'transient':
    case 'final':
      return new ServingError(answer.message, { isTransient: answer.kind === 'transient' })
  }
}

function putAside(world: World, path: string): string {
  const folder = path.slice(0, path.lastIndexOf('/'))
  const name = path.slice(folder.length + 1)
  for (const old of world.fs.list(folder).filter((each) => each.startsWith(`${name}.bad-`))) {
    world.fs.unlink(`${folder}/${old}`)
  }
  const aside = `${path}.bad-${world.clock.nowMs()}`
  for (const end of files) {
    try {
      world.fs.rename(`${path}${end}`, `${aside}${end}`)
    } catch (error) {
      if (!(error instanceof FsError) || error.code !== 'ENOENT') throw error
    }
  }
  return aside
}
