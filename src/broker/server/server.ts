// The Kafka protocol server: listens, keeps the connections and their number bounded, and closes in good order.
import { limitedLog, noLog, type WriteLog } from '../../std/log-line.ts'
import type { Listener, ServerTls, Socket, World } from '../../world/world.ts'
import type { BrokerCore } from '../core.ts'
import type { GroupCoordinator } from '../groups/coordinator.ts'
import { MemoryPool } from '../memory-pool.ts'
import { type ListenerSettings, saslOf } from '../security/listener.ts'
import { type Security, securityOf } from '../security/security.ts'
import { Session } from '../security/session.ts'
import { Arrivals } from './arrivals.ts'
import { Connection } from './connection.ts'
import { dispatch } from './dispatch.ts'
import { FetchSessions } from './fetch-sessions.ts'
import { Flow } from './flow.ts'
import { type KafkaServerLimits, kafkaServerLimits } from './limits.ts'
import { Quotas } from './quotas.ts'
import { anonymous, type Principal, type Serving } from './serving.ts'
import { Telemetry } from './telemetry.ts'
import { TopicDirectory } from './topic-directory.ts'

export interface KafkaServerSettings extends Partial<ListenerSettings> {
  readonly port: number
  readonly limits?: Partial<KafkaServerLimits>
  /** Counts of several servers together; if not given, each has its own. */
  readonly telemetry?: Telemetry
  readonly log?: WriteLog
  /** Memory and quotas of several servers together; if not given, each has its own. */
  readonly shared?: Shared
}
export interface Shared {
  readonly flow: Flow
  readonly memory: MemoryPool
  readonly quotas: Quotas
}
export function sharedOf(world: World, core: BrokerCore, limits: KafkaServerLimits = kafkaServerLimits): Shared {
  return {
    flow: new Flow(limits),
    memory: new MemoryPool(limits.idleMemoryBytesMax),
    quotas: new Quotas(world.clock, limits, core.settings),
  }
}

export interface KafkaServer {
  readonly host: string
  readonly port: number
  /** Open connections. */
  readonly connections: number
  /** Bytes of answers that peers have not taken yet. */
  readonly outboundBytes: number
  /** Bytes of requests that are not answered yet. */
  readonly inboundBytes: number
  /** Takes no more requests, sends what is under way, closes all connections (the slow ones after two seconds). */
  close(): Promise<void>
}

/** Of each message about peers, so many lines in so long a time. */
const peerLinesMax = 10
const peerLinesPerMs = 60_000
const lookEachMs = 1_000
const closeMsMax = 2_000

/**
 * Rejects with a NetError if the address cannot be had, with a ListenerRefused if it would be open to anybody. Open it
 * after the log has been recovered. Without `security` nobody has a password.
 */
export async function serveKafka(
  world: World,
  core: BrokerCore,
  groups: GroupCoordinator,
  settings: KafkaServerSettings,
  security: Security = securityOf(world, core.settings),
): Promise<KafkaServer> {
  const listener = { host: '127.0.0.1', ...settings }
  const sasl = saslOf(listener)
  if (sasl !== null) await security.credentials.prepare((count) => world.host.secretBytes(count))
  const limits = { ...kafkaServerLimits, ...settings.limits }
  const shared = settings.shared ?? sharedOf(world, core, limits)
  const serving: Serving = {
    world,
    core,
    groups,
    security,
    limits,
    topics: new TopicDirectory(core),
    arrivals: new Arrivals(core),
    telemetry: settings.telemetry ?? new Telemetry(),
    log: limitedLog(settings.log ?? noLog, () => world.clock.monoMs(), peerLinesMax, peerLinesPerMs),
    fetchSessions: new FetchSessions(world.clock, world.random.fork('fetch sessions'), limits),
    flow: shared.flow,
    memory: shared.memory,
    quotas: shared.quotas,
  }
  const connections = new Set<Connection>()
  const perAddress = new Map<string, number>()
  let closing = false
  let onEmpty = (): void => {}

  const accept = (socket: Socket): void => {
    const { address } = hostAndPort(socket.remote)
    const fromThere = perAddress.get(address) ?? 0
    const { connectionsMax, connectionsPerAddressMax } = serving.limits
    if (closing || connections.size >= connectionsMax || fromThere >= connectionsPerAddressMax) {
      serving.telemetry.refusedConnections++
      if (!closing) {
        const limits = { connections: connections.size, connectionsMax, fromThere, connectionsPerAddressMax }
        serving.log('warn', 'broker', 'turned a connection away: too many are open', { remote: address, ...limits })
      }
      socket.destroy()
      return
    }
    perAddress.set(address, fromThere + 1)
    const here = hostAndPort(socket.local)
    const advertised = settings.advertised ?? { host: here.address, port: here.port }
    const session = new Session(
      world,
      security,
      { sasl, principal: principalOfPeer(socket), address, failedLoginMs: limits.failedLoginMs },
      () => connection.admit(),
      () => {
        serving.telemetry.failedLogins++
        // Not the name: people type passwords into the field for it.
        serving.log('warn', 'broker', 'a login has failed', { remote: address })
        connection.close()
      },
    )
    const askerOf = () => ({ principal: session.principal, host: address })
    const connection = new Connection(
      serving,
      socket,
      (frame, asker, turn) => {
        if (session.isRaw) return session.raw(frame)
        return dispatch(frame, {
          turn,
          serving,
          advertised,
          remoteHost: address,
          session,
          principal: session.principal,
          may: (operation, resource, name) => security.access.may(askerOf(), operation, resource, name),
          mayAny: (operation, resource) => security.access.mayAny(askerOf(), operation, resource),
          onGone: (callback) => asker.onGone(callback),
        })
      },
      () => {
        connections.delete(connection)
        const left = (perAddress.get(address) ?? 1) - 1
        if (left === 0) perAddress.delete(address)
        else perAddress.set(address, left)
        if (connections.size === 0) onEmpty()
      },
      sasl === null,
    )
    connections.add(connection)
  }

  const { host, port } = listener
  const listening: Listener = await world.net.listen({ host, port }, accept, tlsOf(listener, limits))
  const look = (): void => {
    const nowMs = world.clock.monoMs()
    for (const connection of connections) connection.look(nowMs)
    serving.flow.look(nowMs)
    serving.memory.look()
    lookTimer = world.clock.timer(lookEachMs, look, { background: true })
  }
  let lookTimer = world.clock.timer(lookEachMs, look, { background: true })

  return {
    host: listening.host,
    port: listening.port,
    get connections() {
      return connections.size
    },
    get outboundBytes() {
      return serving.flow.outboundBytes
    },
    get inboundBytes() {
      return serving.flow.inboundBytes
    },
    async close() {
      if (closing) return
      closing = true
      await listening.close()
      lookTimer.cancel()
      if (connections.size > 0) {
        const empty = new Promise<void>((resolve) => {
          onEmpty = resolve
        })
        for (const connection of connections) connection.close()
        const lastWord = world.clock.timer(closeMsMax, () => {
          for (const connection of connections) connection.socket.destroy()
        })
        await empty
        lastWord.cancel()
      }
      serving.arrivals.close()
      if (settings.shared === undefined) serving.quotas.close()
    },
  }
}

const principalOfPeer = ({ peerSubject }: Socket): Principal =>
  peerSubject === null ? anonymous : { name: `User:${peerSubject}` }

function tlsOf(
  { tls }: ListenerSettings,
  { tlsHandshakeMsMax, tlsHandshakesMax }: KafkaServerLimits,
): ServerTls | null {
  if (tls === undefined) return null
  const { certificate, key, clientCa = null } = tls
  return { certificate, key, clientCa, handshakeMsMax: tlsHandshakeMsMax, handshakesMax: tlsHandshakesMax }
}

/** `address:port`; an IPv4 address that came through an IPv6 socket is given as IPv4. */
function hostAndPort(text: string): { readonly address: string; readonly port: number } {
  const colon = text.lastIndexOf(':')
  return { address: text.slice(0, colon).replace(/^::ffff:/, ''), port: Number(text.slice(colon + 1)) }
}
