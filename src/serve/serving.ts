// What all routes share: the typed application, the parts it serves from, and every limit of the HTTP side.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { World } from '../world/world.ts'
import type { ScreenFile } from './files.ts'
import type { Hub } from './hub.ts'
import type { ServePorts } from './ports.ts'

export type App = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>

/** What the routes share. */
export interface Serving {
  readonly world: World
  readonly ports: ServePorts
  /** Null where there are no figures. */
  readonly hub: Hub | null
  readonly version: string
  /** Tells one life of this process from another, in epochs. */
  readonly run: string
  readonly limits: Limits
  readonly screen: ReadonlyMap<string, ScreenFile> | null
  /** True from the first word of the end: readiness says no, nothing new begins. */
  readonly draining: () => boolean
}

/** Every limit of the HTTP side (`Max`: bytes or milliseconds as named). */
export interface Limits {
  readonly bodyBytesMax: number
  readonly headerBytesMax: number
  readonly headersMsMax: number
  readonly requestMsMax: number
  readonly handlerMsMax: number
  readonly idleConnectionMsMax: number
  readonly connectionsMax: number
  readonly reportsAtOnceMax: number
  /** A report may first have to bring what the log holds into the lake. */
  readonly reportMsMax: number
  readonly ingestBodyBytesMax: number
  /** Of one request. */
  readonly ingestRecordsMax: number
  /** Requests with events whose bodies are in memory at a time. */
  readonly ingestsAtOnceMax: number
}
export const limitDefaults: Limits = {
  bodyBytesMax: 1024 * 1024,
  headerBytesMax: 16 * 1024,
  headersMsMax: 10_000,
  requestMsMax: 15_000,
  handlerMsMax: 30_000,
  idleConnectionMsMax: 30_000,
  connectionsMax: 500,
  reportsAtOnceMax: 2,
  reportMsMax: 300_000,
  ingestBodyBytesMax: 4 * 1024 * 1024,
  ingestRecordsMax: 10_000,
  ingestsAtOnceMax: 32,
}
