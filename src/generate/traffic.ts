// One topic's traffic as something that runs up to a time and stops: the clock belongs to whoever calls.
import type { Arrivals } from './arrivals.ts'
import type { Catalogue } from './catalogue.ts'
import type { RecordSink } from './sink.ts'
import type { Profile } from './store-funnel.ts'

export interface TrafficSettings {
  readonly ratePerSecond: number
  /** First instant at which something may happen, whole ms since the epoch. */
  readonly startMs: number
  /** True: `ratePerSecond` holds over every minute. False (default): it is the mean of a week, by hour and weekday. */
  readonly steady?: boolean
  /** `documents` by default. */
  readonly profile?: Profile
  /** The shop's catalogue, when it has been made already; else it is made from the seed. */
  readonly catalogue?: Catalogue
}

export interface Traffic {
  /** Records handed over so far. */
  readonly produced: number
  /** When the next record will arrive: nothing is due before. Whole ms, rounded down. */
  readonly nextMs: number
  /**
   * Hands over the records that arrive before `untilMs`, at most `recordsMax` of them (without a limit if not given),
   * and returns how many it were. Fewer than the limit: all that was due is out.
   */
  produceUntil(untilMs: number, sink: RecordSink, recordsMax?: number): number
}

/** What a traffic is driven by: the next thing that happens, and how to let it happen. */
export interface Happening {
  readonly nextMs: number
  /** Lets the next thing happen; true if a record was handed over. */
  step(sink: RecordSink): boolean
}

export function traffic(happening: Happening): Traffic {
  let produced = 0
  return {
    get produced() {
      return produced
    },
    get nextMs() {
      return Math.floor(happening.nextMs)
    },
    produceUntil(untilMs, sink, recordsMax = Number.POSITIVE_INFINITY) {
      let count = 0
      while (count < recordsMax && happening.nextMs < untilMs) {
        if (happening.step(sink)) count++
      }
      produced += count
      return count
    },
  }
}

/** One record an arrival. `write` hands it, arriving at the given whole ms, to the sink. */
export function arriving(due: Arrivals, write: (arrivalMs: number, sink: RecordSink) => void): Traffic {
  return traffic({
    get nextMs() {
      return due.nextMs
    },
    step(sink) {
      write(Math.floor(due.nextMs), sink)
      due.advance()
      return true
    },
  })
}

/** Several traffics as one, in order of arrival; at the same millisecond in the order given. */
export function merged(traffics: readonly Traffic[]): Traffic {
  let produced = 0
  const next = (): { readonly first: Traffic | null; readonly boundMs: number } => {
    let first: Traffic | null = null
    let boundMs = Number.POSITIVE_INFINITY
    for (const one of traffics) {
      if (first === null || one.nextMs < first.nextMs) {
        boundMs = first?.nextMs ?? boundMs
        first = one
      } else boundMs = Math.min(boundMs, one.nextMs)
    }
    return { first, boundMs }
  }
  return {
    get produced() {
      return produced
    },
    get nextMs() {
      return next().first?.nextMs ?? Number.POSITIVE_INFINITY
    },
    produceUntil(untilMs, sink, recordsMax = Number.POSITIVE_INFINITY) {
      let count = 0
      while (count < recordsMax) {
        const { first, boundMs } = next()
        if (first === null || first.nextMs >= untilMs) break
        // Up to the next of the others, and in any case what is due in this millisecond.
        const endMs = Math.min(untilMs, Math.max(boundMs, first.nextMs + 1))
        count += first.produceUntil(endMs, sink, recordsMax - count)
      }
      produced += count
      return count
    },
  }
}
