// The Kafka protocol server: listens, keeps the connections and their number bounded, and closes in good order.
import { limitedLog, noLog, type WriteLog } from '../../std/log-line.ts'
import type { Listener, Socket, World } from '../../world/world.ts'
import type { BrokerCore } from '../core.ts'
import type { GroupCoordinator } from '../groups/coordinator.ts'
import { Arrivals } from './arrivals.ts'
import { Connection } from './connection.ts'
import { dispatch } from './dispatch.ts'
import { FetchSessions } from './fetch-sessions.ts'
import { Flow } from './flow.ts'
import { type KafkaServerLimits, kafkaServerLimits } from './limits.ts'
import { Quotas } from './quotas.ts'
import { anonymous, type Serving } from './serving.ts'
import { Telemetry } from './telemetry.ts'
import { TopicDirectory } from './topic-directory.ts'

export interface KafkaServerSettings {
  /** Loopback unless said otherwise: there is no authentication yet. */
  readonly host?: string
  /** 0 picks one. */
  readonly port: number
  /** What clients are told to connect to; if not given, where each client already did. */
  readonly advertised?: { readonly host: string; readonly port: number }
  readonly limits?: Partial<KafkaServerLimits>
  /** Counts of several servers together; if not given, each has its own. */
  readonly telemetry?: Telemetry
  readonly log?: WriteLog
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

/** Rejects with a NetError if the address cannot be had. Open it after the log has been recovered. */
export async function serveKafka(
  world: World,
  core: BrokerCore,
  groups: GroupCoordinator,
  settings: KafkaServerSettings,
): Promise<KafkaServer> {
  const limits = { ...kafkaServerLimits, ...settings.limits }
  const serving: Serving = {
    world,
    core,
    groups,
    limits,
    topics: new TopicDirectory(core),
    arrivals: new Arrivals(core),
    telemetry: settings.telemetry ?? new Telemetry(),
    log: limitedLog(settings.log ?? noLog, () => world.clock.monoMs(), peerLinesMax, peerLinesPerMs),
    fetchSessions: new FetchSessions(world.clock, world.random.fork('fetch sessions'), limits),
    flow: new Flow(limits),
    quotas: new Quotas(world.clock, limits, core.settings),
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
    const connection = new Connection(
      serving,
      socket,
      (frame, asker, turn) =>
        dispatch(frame, {
          turn,
          serving,
          advertised,
          remoteHost: address,
          principal: anonymous,
          may: () => true,
          mayAny: () => true,
          onGone: (callback) => asker.onGone(callback),
        }),
      () => {
        connections.delete(connection)
        const left = (perAddress.get(address) ?? 1) - 1
        if (left === 0) perAddress.delete(address)
        else perAddress.set(address, left)
        if (connections.size === 0) onEmpty()
      },
    )
    connections.add(connection)
  }

  const listener: Listener = await world.net.listen({ host: settings.host ?? '127.0.0.1', port: settings.port }, accept)
  const look = (): void => {
    const nowMs = world.clock.monoMs()
    for (const connection of connections) connection.look(nowMs)
    serving.flow.look(nowMs)
    lookTimer = world.clock.timer(lookEachMs, look, { background: true })
  }
  let lookTimer = world.clock.timer(lookEachMs, look, { background: true })

  return {
    host: listener.host,
    port: listener.port,
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
      await listener.close()
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
      serving.quotas.close()
    },
  }
}

/** `address:port`; an IPv4 address that came through an IPv6 socket is given as IPv4. */
function hostAndPort(text: string): { readonly address: string; readonly port: number } {
  const colon = text.lastIndexOf(':')
  return { address: text.slice(0, colon).replace(/^::ffff:/, ''), port: Number(text.slice(colon + 1)) }
}
