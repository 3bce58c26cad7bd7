// What goes wrong below, in Kafka's words.
import { LogError } from '../log/log.ts'
import { unreachable } from '../std/assert.ts'
import { FsError } from '../world/world.ts'
import { JournalError } from './journal/journal-error.ts'

/** A LogError for what journal or disk refused; anything else is a bug and stays what it is. */
export function asLogError(error: unknown): unknown {
  if (error instanceof FsError) return new LogError('KAFKA_STORAGE_ERROR', error.message, { cause: error })
  if (!(error instanceof JournalError)) return error
  switch (error.code) {
    case 'FULL':
    case 'SLOW':
      return new LogError('KAFKA_STORAGE_ERROR', error.message, { cause: error, isTransient: true })
    case 'FAILED':
    case 'CLOSED':
    case 'NEWER_FORMAT':
    case 'UNKNOWN_FILE':
      return new LogError('KAFKA_STORAGE_ERROR', error.message, { cause: error })
    case 'DAMAGED':
      return new LogError('CORRUPT_MESSAGE', error.message, { cause: error })
    case 'TOO_LARGE':
      return new LogError('MESSAGE_TOO_LARGE', error.message, { cause: error })
    default:
      return unreachable(error.code)
  }
}

/** Runs it; what journal or disk refuse comes out as a LogError. */
export function inKafkasWords<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw asLogError(error)
  }
}
