// Who listens to the live channels, and what each is sent: at most four rounds a second, every frame made into bytes
// once for all, and a client that cannot keep up skips rounds and is then brought up to date with whole frames.
//
// On the wire (server-sent events, WHATWG HTML §9.2; changing this needs a new API version):
//   id: <epoch>-<sequence>\n event: <channel>\n data: <JSON frame>\n \n      one change
//   event: bye\n data: {}\n \n                                                the server is closing on purpose
//   :\n\n                                                                     heartbeat
// Events reach a client in ascending sequence, so its last id says that it has everything up to there.
import type { Timer, World } from '../world/world.ts'
import type { Change, Channels } from './channels.ts'
import type { Channel } from './contract.ts'
import type { LivePort } from './ports.ts'

/** The way to one client. */
export interface Sink {
  /** Queues bytes; false when the peer does not keep up: nothing more is written until `drained` is called. */
  write(bytes: Uint8Array): boolean
  /** Lets what is queued go out, then closes. */
  end(): void
  /** Closes now. */
  destroy(): void
}
export interface Member {
  /** The sink has taken all that was queued. */
  drained(): void
  /** The client is gone. */
  leave(): void
}
export interface HubSettings {
  readonly clientsMax: number
  /** Shortest time between two rounds. */
  readonly roundMsMin: number
  readonly statusMs: number
  readonly heartbeatMs: number
  /** A client that has not drained for so long is dropped. */
  readonly stalledMsMax: number
}
export const hubDefaults: HubSettings = {
  clientsMax: 200,
  roundMsMin: 250,
  statusMs: 1_000,
  heartbeatMs: 15_000,
  stalledMsMax: 30_000,
}
export interface Hub {
  /** Adds a client, or returns null when there are `clientsMax`. `lastEventId` is what it says it has seen, '' for nothing. */
  join(sink: Sink, wanted: ReadonlySet<Channel>, lastEventId: string): Member | null
  /** Tells everybody goodbye and takes nobody in any more. */
  close(): void
  readonly clients: number
  /** Rounds that slow clients skipped. */
  readonly conflated: number
}

interface Client {
  readonly sink: Sink
  readonly wanted: ReadonlySet<Channel>
  /** The id up to which it has been sent everything it wants. */
  at: number
  busySinceMs: number | null
  /** It missed something: the next thing it gets is whole frames. */
  behind: boolean
  lastWriteMs: number
}

const heartbeat = new TextEncoder().encode(':\n\n')
const bye = new TextEncoder().encode('event: bye\ndata: {}\n\n')

export function hub(world: World, live: LivePort, channels: Channels, settings: HubSettings): Hub {
  const clients = new Set<Client>()
  const encoder = new TextEncoder()
  let conflated = 0
  let closed = false
  let dirty = true
  let lastRoundMs = Number.NEGATIVE_INFINITY
  let lastStatusMs = Number.NEGATIVE_INFINITY
  let timer: Timer | null = null
  let stopListening: (() => void) | null = null
  /** Bytes of the changes of one round, by which changes: made once, shared by all clients that need the same. */
  let encoded = new Map<string, Uint8Array>()

  const bytesOf = (changes: readonly Change[]): Uint8Array => {
    const name = changes.map((change) => `${change.sequence}${change.frame.kind}`).join(' ')
    let bytes = encoded.get(name)
    if (bytes === undefined) {
      const event = ({ channel, sequence, frame }: Change) =>
        `id: ${channels.epoch}-${sequence}\nevent: ${channel}\ndata: ${JSON.stringify(frame)}\n\n`
      bytes = encoder.encode(changes.map(event).join(''))
      encoded.set(name, bytes)
    }
    return bytes
  }
  const send = (client: Client, bytes: Uint8Array): void => {
    const nowMs = world.clock.monoMs()
    client.lastWriteMs = nowMs
    if (!client.sink.write(bytes)) client.busySinceMs ??= nowMs
  }
  const catchUp = (client: Client): void => {
    const changes = channels.since(client.at, client.wanted)
    client.behind = false
    client.at = channels.sequence
    if (changes.length > 0) send(client, bytesOf(changes))
  }

  const round = (nowMs: number): void => {
    const withStatus = nowMs - lastStatusMs >= settings.statusMs
    lastRoundMs = nowMs
    if (withStatus) lastStatusMs = nowMs
    dirty = false
    encoded = new Map()
    const { changes, reset } = channels.publish(world.clock.nowMs(), withStatus)
    if (changes.length === 0) return
    for (const client of clients) {
      if (reset) {
        client.at = 0
        client.behind = true
      }
      if (client.busySinceMs !== null) {
        client.behind = true
        conflated++
      } else if (client.behind) catchUp(client)
      else {
        const mine = changes.filter((change) => client.wanted.has(change.channel))
        client.at = channels.sequence
        if (mine.length > 0) send(client, bytesOf(mine))
      }
    }
  }
  const tend = (nowMs: number): void => {
    for (const client of clients) {
      if (client.busySinceMs !== null) {
        if (nowMs - client.busySinceMs >= settings.stalledMsMax) client.sink.destroy()
      } else if (nowMs - client.lastWriteMs >= settings.heartbeatMs) send(client, heartbeat)
    }
  }
  // One timer for everything: the next round if something changed, else the next status.
  const dueMs = (): number => {
    const changeMs = dirty ? lastRoundMs + settings.roundMsMin : Number.POSITIVE_INFINITY
    return Math.min(lastStatusMs + settings.statusMs, changeMs)
  }
  const schedule = (): void => {
    if (closed || timer !== null || clients.size === 0) return
    timer = world.clock.timer(Math.max(0, dueMs() - world.clock.monoMs()), fire, { background: true })
  }
  const fire = (): void => {
    timer = null
    const nowMs = world.clock.monoMs()
    if (nowMs >= dueMs()) {
      round(nowMs)
      tend(nowMs)
    }
    schedule()
  }
  const onChange = (): void => {
    if (dirty) return
    dirty = true
    timer?.cancel()
    timer = null
    schedule()
  }
  const rest = (): void => {
    timer?.cancel()
    timer = null
    stopListening?.()
    stopListening = null
  }

  return {
    join(sink, wanted, lastEventId) {
      if (closed || clients.size >= settings.clientsMax) return null
      stopListening ??= live.subscribe(onChange)
      const nowMs = world.clock.monoMs()
      // While nobody listens nothing is published: the first to come, and one who comes late in a round, get news.
      if (clients.size === 0 || nowMs - lastRoundMs >= settings.roundMsMin) round(nowMs)
      const at = sequenceIn(lastEventId, channels.epoch, channels.sequence)
      const client: Client = { sink, wanted, at, busySinceMs: null, behind: false, lastWriteMs: nowMs }
      clients.add(client)
      send(client, encoder.encode(`retry: ${2_000 + world.random.below(1_000)}\n\n`))
      catchUp(client)
      schedule()
      return {
        drained() {
          client.busySinceMs = null
          if (client.behind && clients.has(client)) catchUp(client)
        },
        leave() {
          if (clients.delete(client) && clients.size === 0) rest()
        },
      }
    },
    close() {
      closed = true
      rest()
      for (const client of clients) {
        client.sink.write(bye)
        client.sink.end()
      }
      clients.clear()
    },
    get clients() {
      return clients.size
    },
    get conflated() {
      return conflated
    },
  }
}

/** How far a returning client has got: the sequence in its id if that is of this epoch and was really given out, else 0. */
function sequenceIn(lastEventId: string, epoch: string, newest: number): number {
  const dash = lastEventId.lastIndexOf('-')
  if (dash < 0 || lastEventId.slice(0, dash) !== epoch) return 0
  const sequence = Number(lastEventId.slice(dash + 1))
  return Number.isSafeInteger(sequence) && sequence > 0 && sequence <= newest ? sequence : 0
}
