// What the protocol server counts: requests by API with how long their answers took, bytes, connections turned away.
// Counters only grow; reading them costs nothing on the way of a request.
import { apis } from '../../wire/wire.ts'

/** Upper bounds of the buckets, seconds. A fetch that waits for records counts its waiting. */
export const durationBoundsSeconds: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
]

export interface ApiCounts {
  /** Kafka's name of the API. */
  readonly api: string
  readonly requests: number
  readonly seconds: number
  /** Requests per bucket, each on its own; the last one is above all bounds. */
  readonly buckets: readonly number[]
}
export interface ServerCounts {
  readonly apis: readonly ApiCounts[]
  readonly receivedBytes: number
  readonly sentBytes: number
  /** By limits on connections. */
  readonly refusedConnections: number
  /** Closed by us for what their peers sent: broken frames, versions and keys that are not served. */
  readonly brokenConnections: number
  /** Whoever did not prove to be somebody. */
  readonly failedLogins: number
}

interface Counted {
  readonly api: string
  requests: number
  seconds: number
  readonly buckets: Float64Array
}

export class Telemetry {
  receivedBytes = 0
  sentBytes = 0
  refusedConnections = 0
  brokenConnections = 0
  failedLogins = 0
  readonly #byKey = new Map<number, Counted>()

  constructor() {
    for (const { key, name } of Object.values(apis)) {
      const buckets = new Float64Array(durationBoundsSeconds.length + 1)
      this.#byKey.set(key, { api: name, requests: 0, seconds: 0, buckets })
    }
  }
  /** A request has its answer, or needs none. Keys that are not served are not counted. */
  answered(apiKey: number, tookMs: number): void {
    const counted = this.#byKey.get(apiKey)
    if (counted === undefined) return
    const seconds = tookMs / 1000
    counted.requests++
    counted.seconds += seconds
    let bucket = 0
    while (bucket < durationBoundsSeconds.length && seconds > durationBoundsSeconds[bucket]!) bucket++
    counted.buckets[bucket]!++
  }
  counts(): ServerCounts {
    const { receivedBytes, sentBytes, refusedConnections, brokenConnections, failedLogins } = this
    return {
      apis: [...this.#byKey.values()]
        .filter(({ requests }) => requests > 0)
        .map(({ api, requests, seconds, buckets }) => ({ api, requests, seconds, buckets: [...buckets] })),
      receivedBytes,
      sentBytes,
      refusedConnections,
      brokenConnections,
      failedLogins,
    }
  }
}
