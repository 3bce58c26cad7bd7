// GET /api/v1/live: one stream of server-sent events per page, all channels multiplexed.
import { z } from 'zod'
import type { Channel } from './contract.ts'
import * as contract from './contract.ts'
import { securityHeaders } from './guard.ts'
import type { Hub } from './hub.ts'
import { ProblemError } from './problems.ts'
import type { App, Serving } from './serving.ts'

const wantedChannels = z
  .string()
  .default(contract.channels.join(','))
  .transform((text) => text.split(',').map((name) => name.trim()))
  .pipe(z.array(z.enum(contract.channels)).min(1))

const event = z
  .union([contract.kpisFrame, contract.seriesFrame, contract.topProductsFrame, contract.statusFrame])
  .meta({
    description:
      'The `data` of an event; its name is the channel, its id `<epoch>-<sequence>`. A `snapshot` replaces what you hold ' +
      'of the channel, a `delta` is laid over it by key (windowEnd, second). Comments are heartbeats; `bye` says that the server stops.',
  })

export function liveRoute(app: App, { draining }: Serving, hub: Hub): void {
  app.get(
    '/api/v1/live',
    {
      exposeHeadRoute: false,
      // The handler returns at once; a stream lives as long as its reader.
      schema: {
        tags: ['live'],
        summary: 'Everything live, as server-sent events',
        description:
          'Snapshots on connecting and after a gap, deltas otherwise, at most four rounds a second. A slow reader skips ' +
          'rounds and is brought up to date with snapshots. With `Last-Event-ID` only what changed since is sent.',
        querystring: z.object({ channels: wantedChannels.optional() }),
        headers: z.object({ 'last-event-id': z.string().max(200).optional() }),
        response: { 200: { content: { 'text/event-stream': { schema: event } } } },
      },
    },
    (request, reply) => {
      if (draining()) throw new ProblemError('closing', 'No new streams are opened while Millrace stops.', null)
      const wanted = new Set<Channel>(request.query.channels ?? contract.channels)
      const { raw } = reply
      const sink = {
        write: (bytes: Uint8Array) => {
          if (!raw.headersSent) {
            reply.hijack()
            raw.writeHead(200, {
              ...securityHeaders,
              'content-type': 'text/event-stream; charset=utf-8',
              'cache-control': 'no-store',
              // Proxies must not collect a stream.
              'x-accel-buffering': 'no',
            })
          }
          return raw.write(bytes)
        },
        end: () => raw.end(),
        destroy: () => raw.destroy(),
      }
      const member = hub.join(sink, wanted, request.headers['last-event-id'] ?? '')
      if (member === null)
        throw new ProblemError(
          'too-many-streams',
          'As many live streams are open as are allowed.',
          'Close other pages, or try again shortly.',
        )
      raw.on('drain', () => member.drained())
      raw.on('close', () => member.leave())
      raw.on('error', () => raw.destroy())
    },
  )
}
