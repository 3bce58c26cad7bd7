// What the handlers of the Kafka server work with: the broker's heart and what they share. Types and small parts.
import { LogError, type LogErrorCode } from '../../log/log.ts'
import type { WriteLog } from '../../std/log-line.ts'
import { kafkaErrors } from '../../wire/wire.ts'
import type { World } from '../../world/world.ts'
import type { BrokerCore } from '../core.ts'
import type { GroupCoordinator } from '../groups/coordinator.ts'
import type { MemoryPool } from '../memory-pool.ts'
import type { Security } from '../security/security.ts'
import type { Session } from '../security/session.ts'
import type { Arrivals } from './arrivals.ts'
import type { FetchSessions } from './fetch-sessions.ts'
import type { Flow } from './flow.ts'
import type { KafkaServerLimits } from './limits.ts'
import type { Client, Quotas } from './quotas.ts'
import type { Telemetry } from './telemetry.ts'
import type { TopicDirectory } from './topic-directory.ts'

export interface Serving {
  readonly security: Security
  readonly world: World
  readonly core: BrokerCore
  readonly groups: GroupCoordinator
  readonly limits: KafkaServerLimits
  readonly topics: TopicDirectory
  readonly arrivals: Arrivals
  readonly telemetry: Telemetry
  /** Limited: what peers do wrong may be said each time. */
  readonly log: WriteLog
  readonly fetchSessions: FetchSessions
  readonly flow: Flow
  /** For frames of producers, and for what answers read. */
  readonly memory: MemoryPool
  readonly quotas: Quotas
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

/** One request's dealings with its connection. */
export interface Turn {
  /** The answer says so, and for so long the connection is not read (KIP-219). Of several the longest counts. */
  throttle(ms: number): void
  readonly throttleMs: number
  /** What is asked after this request on the same connection waits until the returned function is called. */
  hold(): () => void
  /** Bytes of records that the answer will hold: from now on they count as on their way. */
  reserve(bytes: number): void
  /**
   * `callback` is called once the kernel has the answer, or a copy of it is waiting: its bytes may change. Never if the
   * connection is over before. Until then `heldBytes` of memory are held for it.
   */
  afterSent(heldBytes: number, callback: () => void): void
  /** Bytes of earlier answers that the client has not taken. */
  readonly queuedBytes: number
}

/** One request on its way through a handler. */
export interface Asking {
  readonly serving: Serving
  readonly version: number
  /** Where the client is to connect: the advertised address, or where it already did. */
  readonly advertised: { readonly host: string; readonly port: number }
  /** As the client calls itself; null if it does not. */
  readonly clientId: string | null
  readonly turn: Turn
  /** The connection's way to be somebody. */
  readonly session: Session
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

/** Who is charged for a request: as quotas know users and clients. */
export function clientOf({ name }: Principal, clientId: string | null): Client {
  return { user: name.replace(/^User:/, ''), clientId: clientId ?? '' }
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
