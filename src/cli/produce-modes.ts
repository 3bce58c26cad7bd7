// How `produce` and `start` name the shop's profiles, and the clock of generated traffic: the real one, or one that runs
// faster from a time in the past until it has caught up with the present.
import { parseInstant } from '../std/instant.ts'
import { CommandError, exitCodes } from './errors.ts'
import { notFound } from './names.ts'

/** As people call them. `default` is what the documents ask for. */
const profiles = { default: 'documents', documents: 'documents', realistic: 'realistic' } as const
export type ProfileFlag = (typeof profiles)[keyof typeof profiles]

export function parseProfile(text: string): ProfileFlag {
  for (const [name, profile] of Object.entries(profiles)) if (name === text) return profile
  throw notFound('profile', text, Object.keys(profiles), 'millrace produce shop --profile')
}

const speedMax = 1_000_000
/** `60`, `60x`, or `max`. */
export function parseSpeed(text: string): number {
  const speed = text === 'max' ? Number.POSITIVE_INFINITY : /^\d+(\.\d+)?x?$/.test(text) ? Number.parseFloat(text) : 0
  if (!(speed >= 1 && (speed <= speedMax || text === 'max')))
    throw new CommandError(exitCodes.usage, {
      what: '--speed cannot be used as given',
      where: '--speed',
      value: text,
      cause: `it is neither a number from 1 to ${speedMax} nor max`,
      cure: 'write it like --speed 60, or --speed max',
    })
  return speed
}

/** An instant of the past, ISO-8601. */
export function parseStartTime(nowMs: number): (text: string) => number {
  return (text) => {
    const startMs = parseInstant(text)
    if (!(startMs <= nowMs))
      throw new CommandError(exitCodes.usage, {
        what: '--start-time cannot be used as given',
        where: '--start-time',
        value: text,
        cause: Number.isNaN(startMs) ? 'it is no instant' : 'it lies ahead: nothing can have happened then',
        cure: 'write an instant of the past, like --start-time 2026-01-05T00:00:00Z',
      })
    return startMs
  }
}

export interface ShopClock {
  /** When the traffic begins. */
  readonly startMs: number
  /** The shop's time at a real one: it never runs ahead of that. */
  at(realMs: number): number
}
/** Without a start time a fast clock begins so far back that it arrives at now after its duration. */
const backMs = 86_400_000

export function shopClock(
  realStartMs: number,
  asked: {
    readonly startMs: number | undefined
    readonly speed: number | undefined
    readonly durationMs: number | undefined
  },
): ShopClock {
  const speed = asked.speed ?? (asked.startMs === undefined ? 1 : Number.POSITIVE_INFINITY)
  const startMs = asked.startMs ?? (speed === 1 ? realStartMs : realStartMs - (asked.durationMs ?? backMs))
  return {
    startMs,
    at(realMs) {
      if (speed === Number.POSITIVE_INFINITY) return realMs
      return Math.min(realMs, Math.floor(startMs + (realMs - realStartMs) * speed))
    },
  }
}
