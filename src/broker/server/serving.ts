// What the handlers of the Kafka server work with: the broker's heart and what they share. Types and small parts.
import { LogError, type LogErrorCode } from '../../log/log.ts'
import { kafkaErrors } from '../../wire/wire.ts'
import type { World } from '../../world/world.ts'
import type { BrokerCore } from '../core.ts'
import type { GroupCoordinator } from '../groups/coordinator.ts'
import type { Arrivals } from './arrivals.ts'
import type { KafkaServerLimits } from './limits.ts'
import type { TopicDirectory } from './topic-directory.ts'

export interface Serving {
  readonly world: World
  readonly core: BrokerCore
  readonly groups: GroupCoordinator
  readonly limits: KafkaServerLimits
  readonly topics: TopicDirectory
  readonly arrivals: Arrivals
  /** Bytes of answers that peers have not taken yet, all connections together. */
  outboundBytes: number
}

/** One request on its way through a handler. */
export interface Asking {
  readonly serving: Serving
  readonly version: number
  /** Where the client is to connect: the advertised address, or where it already did. */
  readonly advertised: { readonly host: string; readonly port: number }
  /** The client's address, without its port. */
  readonly remoteHost: string
  /** Calls back when the connection is over; returns the way out. */
  onGone(callback: () => void): () => void
}

/** Thrown by a handler when the protocol's only answer is to close the connection. */
export class Disconnect extends Error {
  override name = 'Disconnect'
}

/** Kafka's number for what the log refused. Other errors are ours, not the client's: they are thrown on. */
export function refusal(error: unknown): { readonly errorCode: number; readonly errorMessage: string } {
  if (!(error instanceof LogError)) throw error
  const code: LogErrorCode = error.code
  return { errorCode: kafkaErrors[code], errorMessage: shortened(error.message) }
}

/** Characters of an error message; it may quote what the client sent, which may be long. */
const messageCharactersMax = 1_000
export function shortened(message: string): string {
  return message.length <= messageCharactersMax ? message : `${message.slice(0, messageCharactersMax)} …`
}
