// How the command line fails: exit codes, and every error as what, where, value, cause, cure. Errors of the rooms are
// translated here by their names and codes.

/** Exit codes of every command; documented in the README. */
export const exitCodes = {
  ok: 0,
  /** A check failed, `--strict` found rejects: handled, and told. */
  failed: 1,
  /** Wrong usage or settings; a busy port. */
  usage: 2,
  /** Unreachable, or timed out. */
  unreachable: 3,
  /** A command, pipeline, topic, report or file that is not there. */
  notFound: 4,
  /** Read-only, not allowed, data directory in use. */
  refused: 5,
  /** A bug of ours, or storage that failed. */
  internal: 70,
  interrupted: 130,
  terminated: 143,
} as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

export interface Explanation {
  /** One sentence, no full stop. */
  readonly what: string
  readonly where?: string
  readonly value?: string
  readonly cause?: string
  readonly cure?: string
}

/** An error that is ready to be shown: it knows its exit code and says how to go on. */
export class CommandError extends Error {
  override name = 'CommandError'
  readonly exitCode: ExitCode
  readonly explanation: Explanation
  constructor(exitCode: ExitCode, explanation: Explanation, options?: ErrorOptions) {
    super(explanation.what, options)
    this.exitCode = exitCode
    this.explanation = explanation
  }
}

/** The command was stopped by a signal and has tidied up. */
export class Interrupted extends Error {
  override name = 'Interrupted'
  readonly signal: 'SIGINT' | 'SIGTERM'
  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`stopped by ${signal}`)
    this.signal = signal
  }
}

interface Known {
  readonly exitCode: ExitCode
  readonly cause?: string
  readonly cure?: string
}

// By the `code` of an error (errno names, Kafka's error names, the codes of our rooms).
const byCode: Readonly<Record<string, Known>> = {
  ENOENT: { exitCode: exitCodes.notFound, cause: 'there is no such file or folder', cure: 'check the path' },
  ENOTDIR: {
    exitCode: exitCodes.notFound,
    cause: 'a part of the path is a file, not a folder',
    cure: 'check the path',
  },
  EISDIR: { exitCode: exitCodes.usage, cause: 'it is a folder', cure: 'name a file' },
  EACCES: {
    exitCode: exitCodes.refused,
    cause: 'this user may not',
    cure: 'change the permissions, or choose another place',
  },
  EPERM: {
    exitCode: exitCodes.refused,
    cause: 'this user may not',
    cure: 'change the permissions, or choose another place',
  },
  EROFS: {
    exitCode: exitCodes.refused,
    cause: 'the disk is mounted read-only',
    cure: 'choose another place with --data-dir',
  },
  ENOSPC: {
    exitCode: exitCodes.internal,
    cause: 'the disk is full',
    cure: 'free some space, or choose another place with --data-dir',
  },
  EDQUOT: {
    exitCode: exitCodes.internal,
    cause: 'the quota of this user is used up',
    cure: 'free some space, or choose another place with --data-dir',
  },
  EIO: {
    exitCode: exitCodes.internal,
    cause: 'the disk reported an error',
    cure: 'check the disk (dmesg), then start again: recovery keeps all that was acknowledged',
  },
  EMFILE: { exitCode: exitCodes.internal, cause: 'too many open files', cure: 'raise the limit (ulimit -n)' },
  EADDRINUSE: {
    exitCode: exitCodes.usage,
    cause: 'another program uses this port',
    cure: 'choose another with --port or --kafka-port (0 picks a free one)',
  },
  EADDRNOTAVAIL: {
    exitCode: exitCodes.usage,
    cause: 'this machine does not have this address',
    cure: 'use --host 127.0.0.1',
  },
  PORT_IN_USE: { exitCode: exitCodes.usage },
  PORT_REFUSED: { exitCode: exitCodes.usage },
  HOST_UNKNOWN: { exitCode: exitCodes.usage },
  HOST_REFUSED: { exitCode: exitCodes.refused },
  LISTENER_REFUSED: { exitCode: exitCodes.refused },
  TLS: {
    exitCode: exitCodes.usage,
    cause: 'the files are no PEM, or do not belong together',
    cure: 'check --tls-cert, --tls-key and --tls-client-ca',
  },
  ECONNREFUSED: {
    exitCode: exitCodes.unreachable,
    cause: 'nothing listens there',
    cure: 'start Millrace (millrace start), or name the address where it runs',
  },
  ECONNRESET: {
    exitCode: exitCodes.unreachable,
    cause: 'the other side closed the connection',
    cure: 'see whether it still runs, then try again',
  },
  ETIMEDOUT: {
    exitCode: exitCodes.unreachable,
    cause: 'no answer in time',
    cure: 'check address and network, then try again',
  },
  EHOSTUNREACH: {
    exitCode: exitCodes.unreachable,
    cause: 'there is no way to this address',
    cure: 'check the address',
  },
  ENETUNREACH: { exitCode: exitCodes.unreachable, cause: 'there is no way to this address', cure: 'check the address' },
  ENOTFOUND: { exitCode: exitCodes.unreachable, cause: 'the name of the host is not known', cure: 'check the address' },
  EAI_AGAIN: {
    exitCode: exitCodes.unreachable,
    cause: 'the name of the host could not be looked up',
    cure: 'check the address and the network',
  },
  UNKNOWN_TOPIC_OR_PARTITION: { exitCode: exitCodes.notFound, cause: 'the broker has no such topic' },
  KAFKA_STORAGE_ERROR: {
    exitCode: exitCodes.internal,
    cause: 'the disk did not take a write',
    cure: 'check the disk and start again: recovery keeps all that was acknowledged',
  },
  PLT_KFK_NETWORK: { exitCode: exitCodes.unreachable },
  PLT_KFK_TIMEOUT: { exitCode: exitCodes.unreachable, cause: 'no answer in time' },
  PLT_KFK_AUTHENTICATION: { exitCode: exitCodes.refused },
  DATA_DIRECTORY_IN_USE: { exitCode: exitCodes.refused },
  NEWER_FORMAT: {
    exitCode: exitCodes.refused,
    cause: 'a newer Millrace wrote it',
    cure: 'use that version, or another --data-dir',
  },
  BROKEN_FORMAT: { exitCode: exitCodes.internal },
  NOT_EMPTY: { exitCode: exitCodes.usage },
  NO_BACKUP: { exitCode: exitCodes.notFound },
  NO_ANSWER: { exitCode: exitCodes.unreachable },
}

// By the `name` of an error, where its code says too little: faults of the input, and journals that need a person.
const byName: Readonly<Record<string, Known>> = {
  ImportError: { exitCode: exitCodes.failed },
  ProduceError: { exitCode: exitCodes.failed },
  PlanError: { exitCode: exitCodes.failed },
  SumOverflowError: { exitCode: exitCodes.failed, cause: 'a sum is larger than 2^104 minor units' },
  StateLimitError: { exitCode: exitCodes.failed, cause: 'the pipeline needs more memory than it may have' },
  FencedError: {
    exitCode: exitCodes.refused,
    cause: 'another Millrace has taken over',
    cure: 'let one of them run on this data',
  },
  JournalError: { exitCode: exitCodes.internal },
  SnapshotError: { exitCode: exitCodes.internal },
  ReplayError: { exitCode: exitCodes.refused },
}

const isExitCode = (value: unknown): value is ExitCode => Object.values<unknown>(exitCodes).includes(value)

const textOf = (value: object, key: string): string | undefined => {
  const found: unknown = Reflect.get(value, key)
  return typeof found === 'string' && found !== '' ? found : undefined
}

/** The exit code and the words for anything that was thrown. */
export function explain(thrown: unknown): { readonly exitCode: ExitCode; readonly explanation: Explanation } {
  if (thrown instanceof CommandError) return { exitCode: thrown.exitCode, explanation: thrown.explanation }
  if (!(thrown instanceof Error)) return { exitCode: exitCodes.internal, explanation: { what: String(thrown) } }
  // A room's typed error carries the same five words itself; its own exit code, if it has one, wins.
  const own = {
    ...optional('where', textOf(thrown, 'where') ?? textOf(thrown, 'path')),
    ...optional('value', textOf(thrown, 'value')),
    ...optional('cause', typeof thrown.cause === 'string' ? thrown.cause : undefined),
    ...optional('cure', textOf(thrown, 'cure')),
  }
  // An errno deep inside says more than the wrapping of a library: those count only where there is nothing else.
  const nested = withCauses(thrown).filter((error) => Object.hasOwn(byCode, textOf(error, 'code') ?? ''))
  const told = nested.find((error) => !textOf(error, 'code')?.startsWith('PLT_KFK_')) ?? nested[0]
  const known = byCode[(told && textOf(told, 'code')) ?? '']
  if (told !== undefined && known !== undefined) {
    const explanation = {
      what: textOf(thrown, 'what') ?? withoutFullStop(thrown.message || told.message || told.name),
      ...optional('where', textOf(told, 'path')),
      ...optional('cause', known.cause),
      ...optional('cure', known.cure),
      ...own,
    }
    return { exitCode: known.exitCode, explanation }
  }
  const named = withCauses(thrown).find((error) => Object.hasOwn(byName, error.name))
  const kind = named === undefined ? undefined : byName[named.name]
  if (kind !== undefined) {
    const what = textOf(thrown, 'what') ?? withoutFullStop(thrown.message)
    return {
      exitCode: kind.exitCode,
      explanation: { what, ...optional('cause', kind.cause), ...optional('cure', kind.cure), ...own },
    }
  }
  const exitCode: unknown = Reflect.get(thrown, 'exitCode')
  const explanation = { what: textOf(thrown, 'what') ?? withoutFullStop(thrown.message || thrown.name), ...own }
  if (isExitCode(exitCode)) return { exitCode, explanation }
  if (own.cure !== undefined) return { exitCode: exitCodes.failed, explanation }
  return {
    exitCode: exitCodes.internal,
    explanation: {
      ...explanation,
      cause: own.cause ?? `a fault inside Millrace (${thrown.name})`,
      cure: 'run it again with -v to see where it happened, and report it',
    },
  }
}

const errorsMax = 100

/** The error and everything that led to it, outermost first; members of an AggregateError count as causes. */
export function withCauses(thrown: Error): Error[] {
  const found: Error[] = [thrown]
  for (let i = 0; i < found.length && found.length < errorsMax; i++) {
    const error = found[i] as Error
    const inner: unknown[] = [error.cause, ...(error instanceof AggregateError ? error.errors : [])]
    for (const next of inner) if (next instanceof Error && !found.includes(next)) found.push(next)
  }
  return found
}

const withoutFullStop = (text: string): string => text.replace(/\.$/, '')
function optional<K extends string>(key: K, value: string | undefined): { readonly [P in K]?: string } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: string })
}

/** The lines for stderr: what happened, then one line for each of the rest that is known. */
export function errorLines(explanation: Explanation): string[] {
  const lines = [`millrace: ${explanation.what}`]
  for (const key of ['where', 'value', 'cause', 'cure'] as const) {
    const text = explanation[key]
    if (text !== undefined) lines.push(`  ${key.padEnd(5)}  ${text}`)
  }
  return lines
}

/**
 * An error of opening a broker's port, with the flag that changes it: `kafkaPort` in the message tells which of the two
 * ports it was. Anything else comes back as it is.
 */
export function withPortFlag(thrown: unknown, ports: { readonly host: string; readonly kafkaPort: number }): unknown {
  const busy =
    thrown instanceof Error ? withCauses(thrown).find((error) => textOf(error, 'code') === 'EADDRINUSE') : undefined
  const own = thrown instanceof Error && textOf(thrown, 'flag') !== undefined
  if (busy === undefined || own || !busy.message.includes(`:${ports.kafkaPort}`)) return thrown
  return new CommandError(
    exitCodes.usage,
    {
      what: `port ${ports.kafkaPort} on ${ports.host} is in use`,
      where: '--kafka-port',
      value: String(ports.kafkaPort),
      cause: 'another program listens there, perhaps a Kafka or another Millrace',
      cure: 'stop it, or choose another port with --kafka-port (0 picks a free one)',
    },
    { cause: thrown },
  )
}
