// What the handlers of the Kafka server work with: the broker's heart and what they share. Types and small parts.
import { LogError, type LogErrorCode } from '../../log/log.ts'
import { kafkaErrors } from '../../wire/wire.ts'
import type { World } from '../../world/world.ts'
import type { BrokerCore } from '../core.ts'
import type { GroupCoordinator } from '../groups/coordinator.ts'
import type { Arrivals } from './arrivals.ts'
import type { FetchSessions } from './fetch-sessions.ts'
import type { KafkaServerLimits } from './limits.ts'
import type { TopicDirectory } from './topic-directory.ts'

export interface Serving {
  readonly world: World
  readonly core: BrokerCore
  readonly groups: GroupCoordinator
  readonly limits: KafkaServerLimits
  readonly topics: TopicDirectory
  readonly arrivals: Arrivals
  readonly fetchSessions: FetchSessions
  /** Bytes of answers that peers have not taken yet, all connections together. */
  outboundBytes: number
}

/** Kafka's resource types, and what may be asked of them (KIP-140). The cluster's name is `kafka-cluster`. */
export type AccessResource = 'topic' | 'group' | 'cluster' | 'transactional-id' | 'user'
export type AccessOperation =
  | 'read'
  | 'write'
  | 'create'
  | 'delete'
  | 'alter'
  | 'describe'
  | 'cluster-action'
  | 'describe-configs'
  | 'alter-configs'
  | 'idempotent-write'
/** `User:ANONYMOUS` where nobody has to say who they are. */
export interface Principal {
  readonly name: string
}
export const anonymous: Principal = { name: 'User:ANONYMOUS' }

/** One request on its way through a handler. */
export interface Asking {
  readonly serving: Serving
  readonly version: number
  /** Where the client is to connect: the advertised address, or where it already did. */
  readonly advertised: { readonly host: string; readonly port: number }
  /** Who asks, as the connection has proved it. */
  readonly principal: Principal
  /** May the asker do this? Without access control everyone may. Ask before anything is looked at or changed. */
  may(operation: AccessOperation, resource: AccessResource, name: string): boolean
  /** May the asker do this to one resource of the kind at least, whatever its name? */
  mayAny(operation: AccessOperation, resource: AccessResource): boolean
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
