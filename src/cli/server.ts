// Asks a running Millrace over its HTTP API, and finds the one that is meant.
import { parseUrl } from './amounts.ts'
import { CommandError, exitCodes } from './errors.ts'
import { dataDirOf, realWorld } from './terminal.ts'

/** Longer than the server's own limit, so that its words arrive. */
const answerMsMax = 40_000
/** … of reports and whatever else goes through the lake. */
export const lakeMsMax = 310_000

export interface Where {
  readonly url?: string
  readonly dataDir?: string
}

/** The address of the Millrace that is meant: --url, else the one that holds the data directory. Null: none runs. */
export async function runningUrl(where: Where): Promise<string | null> {
  if (where.url !== undefined) return parseUrl('--url', where.url)
  const [{ findRunning }, world] = await Promise.all([import('../platform/running.ts'), realWorld()])
  return (await findRunning(world, dataDirOf(where.dataDir)))?.url ?? null
}

export function notRunning(where: Where, next: string): CommandError {
  return new CommandError(exitCodes.unreachable, {
    what: 'no Millrace is running here',
    where: `data directory ${dataDirOf(where.dataDir)}`,
    cause: 'no process holds this folder, or there is no such folder',
    cure: `start one (millrace start), or name one that runs elsewhere: ${next} --url http://HOST:PORT`,
  })
}

/** A JSON document, by GET or, with `post`, by POST of that. A refusal in problem form (RFC 9457) becomes our error. */
export async function askJson(
  base: string,
  path: string,
  {
    post,
    signal,
    msMax = answerMsMax,
  }: { readonly post?: object; readonly signal?: AbortSignal; readonly msMax?: number } = {},
): Promise<unknown> {
  const limit = AbortSignal.timeout(msMax)
  const accept = { accept: 'application/json' }
  let response: Response
  try {
    response = await fetch(`${base}${path}`, {
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      ...(post === undefined
        ? { headers: accept }
        : { method: 'POST', body: JSON.stringify(post), headers: { ...accept, 'content-type': 'application/json' } }),
    })
  } catch (error) {
    signal?.throwIfAborted()
    const timedOut = limit.aborted
    throw new CommandError(
      exitCodes.unreachable,
      {
        what: `Millrace did not answer at ${base}`,
        where: `${base}${path}`,
        cause: timedOut ? `no answer within ${msMax / 1000} s` : reasonOf(error),
        cure: 'see whether it still runs (millrace doctor), and whether the address is right',
      },
      { cause: error },
    )
  }
  const body: unknown = await response.json().catch(() => null)
  if (response.ok) return body
  const text = (key: string): string | undefined => {
    const found: unknown = body === null ? undefined : Reflect.get(Object(body), key)
    return typeof found === 'string' ? found : undefined
  }
  const exitCode =
    response.status === 404
      ? exitCodes.notFound
      : [401, 403].includes(response.status)
        ? exitCodes.refused
        : [503, 504].includes(response.status)
          ? exitCodes.unreachable
          : exitCodes.failed
  throw new CommandError(exitCode, {
    what: text('detail') ?? text('title') ?? `Millrace answered ${response.status}`,
    where: `${base}${path}`,
    cause: text('title') ?? response.statusText,
    ...(text('cure') === undefined ? {} : { cure: text('cure') as string }),
  })
}

/** What answers there is not this version of Millrace, or not Millrace. */
export function notOurVersion(where: string, cause = 'another program answers there'): CommandError {
  return new CommandError(exitCodes.failed, {
    what: 'the answer is not what this version of the command line knows',
    where,
    cause,
    cure: 'check the address, and that both sides are the same version',
  })
}

function reasonOf(error: unknown): string {
  const cause: unknown = error instanceof Error ? error.cause : null
  const code: unknown = cause instanceof Error ? Reflect.get(cause, 'code') : undefined
  if (code === 'ECONNREFUSED') return 'nothing listens there'
  if (code === 'ENOTFOUND') return 'the name of the host is not known'
  return cause instanceof Error ? cause.message : error instanceof Error ? error.message : String(error)
}
