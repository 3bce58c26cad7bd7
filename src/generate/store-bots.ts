// The programs among the visitors of the store: scrapers, watchers of prices, carters who hold stock and never pay, and
// stuffers of stolen passwords. Each of their sessions is labelled.
import type { RandomStream } from '../std/random.ts'
import { type ArrivalSettings, arrivals } from './arrivals.ts'
import { weightedChoice } from './distributions.ts'
import type { RecordSink } from './sink.ts'
import { storeProducts } from './store-data.ts'
import type { ActKind, Floor } from './store-floor.ts'
import { programPlace } from './store-places.ts'
import { sessionTail } from './store-records.ts'
import type { Presence } from './store-visits.ts'

export type BotKind = 'scraper' | 'price-watcher' | 'carter' | 'credential-stuffer'
interface Habit {
  readonly kind: BotKind
  /** Of all sessions of bots. */
  readonly share: number
  /** Acts of one session, uniform. */
  readonly acts: readonly [number, number]
  readonly severity: 'low' | 'medium' | 'high'
}
const habits: readonly Habit[] = [
  { kind: 'scraper', share: 0.4, acts: [30, 110], severity: 'low' },
  { kind: 'price-watcher', share: 0.25, acts: [10, 30], severity: 'low' },
  { kind: 'carter', share: 0.2, acts: [10, 40], severity: 'medium' },
  { kind: 'credential-stuffer', share: 0.15, acts: [30, 120], severity: 'high' },
]
export const botKinds: readonly BotKind[] = habits.map(({ kind }) => kind)
/** Of a stuffer's tries one in so many finds the door open. */
const opensOneOf = 80

/** Acts of one session, in the mean over all kinds. */
export const actsPerBot = habits.reduce((sum, { share, acts }) => sum + (share * (acts[0] + acts[1])) / 2, 0)

interface Session {
  readonly id: string
  readonly truthId: string
  readonly habit: Habit
  readonly user: number
  readonly tail: Uint8Array
  readonly entities: Set<string>
  readonly eventIds: string[]
  readonly startMs: number
  /** Of a watcher: what it looks at, and how often. */
  readonly watched: number
  readonly periodMs: number
  left: number
  done: number
}

/** No session is longer than this. */
export const botSessionMsMax = 30 * 120_000

/** Lets bots come to the floor, for ever. `arrivalSettings`: of their sessions. `pace`: patience takes so much of its usual time. */
export function letBots(
  random: RandomStream,
  floor: Floor,
  here: Presence,
  arrivalSettings: ArrivalSettings,
  pace: number,
  topic: string,
): void {
  const draw = random.fork('bots')
  const { agenda, users } = floor
  const due = arrivals(random.fork('arrivals'), arrivalSettings)
  const chooseHabit = weightedChoice(habits.map(({ share }) => share))
  let sessions = 0

  const label = (session: Session, atMs: number): void => {
    const { truthId, habit, entities, eventIds, startMs } = session
    floor.truth(
      {
        id: truthId,
        kind: 'bot',
        scenario: habit.kind,
        topic,
        entityIds: [...entities],
        eventIds: [...eventIds],
        startMs,
        endMs: atMs,
        severity: habit.severity,
        outcome: 'alert',
      },
      atMs,
    )
  }

  /** What it does next, to whom, and how long it waits then. */
  const next = (session: Session): { kind: ActKind; user: number; product: number; waitMs: number } => {
    const { habit, user, done } = session
    const products = storeProducts.length
    switch (habit.kind) {
      case 'scraper':
        // One after the other, as they are numbered.
        return {
          kind: 'view',
          user,
          product: (session.watched + done) % products,
          waitMs: (200 + 800 * draw.float()) * pace,
        }
      case 'price-watcher':
        return {
          kind: 'view',
          user,
          product: session.watched,
          waitMs: session.periodMs * (0.99 + 0.02 * draw.float()),
        }
      case 'carter': {
        const product = (session.watched + Math.floor(done / 2)) % products
        return { kind: done % 2 === 0 ? 'view' : 'cart', user, product, waitMs: (2_000 + 6_000 * draw.float()) * pace }
      }
      case 'credential-stuffer': {
        const kind = draw.below(opensOneOf) === 0 ? 'login' : 'login_failed'
        return { kind, user: draw.below(users.length), product: 0, waitMs: (250 + 1_250 * draw.float()) * pace }
      }
    }
  }
  const goOn = (session: Session, sink: RecordSink, atMs: number): boolean => {
    const { kind, user, product, waitMs } = next(session)
    session.done++
    session.left--
    const told = floor.act({ kind, user, product, query: '', tail: session.tail }, atMs, sink)
    const eventId = floor.lastEventId()
    if (eventId !== null) {
      session.eventIds.push(eventId)
      if (session.habit.kind === 'credential-stuffer') session.entities.add(users[user]!.id)
    }
    const isFirst = session.eventIds.length === 1 && eventId !== null
    if (session.left === 0) {
      if (session.habit.kind !== 'credential-stuffer') here.leave(session.user)
      if (session.eventIds.length > 0) label(session, atMs)
    } else {
      // The label goes out with the first act, and again, whole, with the last.
      if (isFirst) label(session, atMs)
      agenda.put(atMs + waitMs, (later, nowMs) => goOn(session, later, nowMs))
    }
    return told
  }
  const come = (sink: RecordSink, atMs: number): boolean => {
    due.advance()
    agenda.put(due.nextMs, come)
    const habit = habits[chooseHabit.pick(draw)]!
    const stuffs = habit.kind === 'credential-stuffer'
    const user = stuffs ? 0 : here.enter(draw.below(users.length))
    if (user === -1) return false
    sessions++
    const id = here.session()
    const place = programPlace(draw)
    const own = stuffs ? [] : [users[user]!.id]
    return goOn(
      {
        id,
        truthId: `bot/${sessions}`,
        habit,
        user,
        tail: sessionTail(id, place),
        entities: new Set([id, place.deviceId, place.ipAddress, ...own]),
        eventIds: [],
        startMs: Math.max(atMs, floor.startMs),
        watched: draw.below(storeProducts.length),
        periodMs: (20 + 100 * draw.float()) * 1_000 * pace,
        left: habit.acts[0] + draw.below(habit.acts[1] - habit.acts[0] + 1),
        done: 0,
      },
      sink,
      atMs,
    )
  }
  agenda.put(due.nextMs, come)
}
