// The door of serving: HTTP, server-sent events and the screen on one address, from the ports that platform.ts supplies.
import { isLoopback } from '../std/loopback.ts'
import type { World } from '../world/world.ts'
import { application } from './app.ts'
import { channels } from './channels.ts'
import { type ScreenFile, screenFiles } from './files.ts'
import { type HubSettings, hub, hubDefaults } from './hub.ts'
import type { ServePorts } from './ports.ts'
import { type Limits, limitDefaults, type Serving } from './serving.ts'

export interface ServeSettings {
  /** A loopback address: `127.0.0.1`, `::1` or `localhost`. */
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  /** The folder with the built screen's `index.html`; null, or a folder without one, serves the API alone. */
  readonly screenFolder: string | null
  /** Of the package, for /version and the page. */
  readonly version: string
  readonly limits?: Partial<Limits>
  readonly live?: Partial<HubSettings>
}

export interface Served {
  /** `http://127.0.0.1:8080`, without a slash at the end. */
  readonly url: string
  readonly port: number
  /** False when the page could not be found in `screenFolder`. */
  readonly screen: boolean
  /** Live streams open now, and rounds that slow readers have skipped so far. */
  readonly streams: () => number
  readonly conflated: () => number
  /** From now on /readyz says 503 and nothing new begins; what runs goes on. */
  drain(): void
  /** Drains, says goodbye to the streams, lets answers under way finish (two seconds at most), then lets go of the port. */
  close(): Promise<void>
}

/** Why serving could not begin. `flag` is the command-line flag that changes the value at fault. */
export class ServeError extends Error {
  override name = 'ServeError'
  readonly code: 'PORT_IN_USE' | 'PORT_REFUSED' | 'HOST_UNKNOWN' | 'HOST_REFUSED'
  readonly flag: '--port' | '--host'
  constructor(code: ServeError['code'], flag: ServeError['flag'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.flag = flag
  }
}

/** How long answers under way may take once closing has begun. */
const closeMsMax = 2_000

/** Listens and answers; rejects with a `ServeError` when the address cannot be had. */
export async function serve(world: World, ports: ServePorts, settings: ServeSettings): Promise<Served> {
  const { host, port, version } = settings
  if (!isLoopback(host))
    throw new ServeError(
      'HOST_REFUSED',
      '--host',
      `${host} can be reached from other machines, and there are no access tokens yet: leave --host at 127.0.0.1 and put a proxy with a login, or an SSH tunnel, in front`,
    )
  let draining = false
  const run = world.clock.nowMs().toString(36)
  const screen: ReadonlyMap<string, ScreenFile> | null =
    settings.screenFolder === null ? null : screenFiles(world, settings.screenFolder)
  const { figures } = ports
  const live =
    figures === null
      ? null
      : hub(world, figures.live, channels(figures, run, version), { ...hubDefaults, ...settings.live })
  const limits = { ...limitDefaults, ...settings.limits }
  const serving: Serving = { world, ports, hub: live, version, run, limits, screen, draining: () => draining }
  const app = await application(serving, new Set([host]))
  try {
    await app.listen({ host, port })
  } catch (error) {
    await app.close()
    throw listenFault(error, host, port)
  }
  const bound = app.server.address()
  const boundPort = typeof bound === 'object' && bound !== null ? bound.port : port

  let closing: Promise<void> | null = null
  const close = async (): Promise<void> => {
    draining = true
    live?.close()
    const force = world.clock.timer(closeMsMax, () => app.server.closeAllConnections())
    try {
      await app.close()
    } finally {
      force.cancel()
    }
  }
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${boundPort}`,
    port: boundPort,
    screen: screen !== null,
    streams: () => live?.clients ?? 0,
    conflated: () => live?.conflated ?? 0,
    drain() {
      draining = true
    },
    close: () => (closing ??= close()),
  }
}

function listenFault(error: unknown, host: string, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : null
  const cause = { cause: error }
  switch (code) {
    case 'EADDRINUSE':
      return new ServeError(
        'PORT_IN_USE',
        '--port',
        `port ${port} on ${host} is in use: stop what uses it, or choose another with --port (0 picks a free one)`,
        cause,
      )
    case 'EACCES':
      return new ServeError(
        'PORT_REFUSED',
        '--port',
        `the system does not let us listen on port ${port}: choose one above 1023 with --port`,
        cause,
      )
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new ServeError('HOST_UNKNOWN', '--host', `${host} is no address of this machine: use 127.0.0.1`, cause)
    default:
      return error
  }
}
