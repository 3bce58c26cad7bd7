// How much each client may do per second (KIP-13, KIP-124, KIP-599): who exceeds it waits. A bucket per user, client id or both, as
// the quota that holds for them says; it takes the bursts that Kafka's ten windows of a second would let through.
import type { Clock } from '../../world/world.ts'
import { type QuotaEntity, type QuotaKey, type QuotaLimits, type QuotaSetting, quotaName } from '../quota-setting.ts'
import type { SettingsStore } from '../settings-table.ts'
import type { KafkaServerLimits } from './limits.ts'

/** Seconds of its rate that a client may use at once. */
export const burstSeconds = 10
/** Buckets kept; the one used longest ago is forgotten first, and is full when it comes again. */
export const bucketsMax = 10_000

export interface Client {
  /** Without `User:`. */
  readonly user: string
  readonly clientId: string
}
interface Bucket {
  /** Below 0: what is owed. */
  tokens: number
  atMs: number
}
export type Quota = NonNullable<QuotaSetting['value']>
interface Applied {
  readonly bucket: string
  readonly perSecond: number
}

export class Quotas {
  readonly #clock: Clock
  readonly #limits: KafkaServerLimits
  /** By `quotaName`. */
  readonly #quotas = new Map<string, Quota>()
  readonly #buckets = new Map<string, Bucket>()
  readonly #stop: () => void
  #altering: Promise<void> = Promise.resolve()

  constructor(clock: Clock, limits: KafkaServerLimits, settings: SettingsStore) {
    this.#clock = clock
    this.#limits = limits
    this.#stop = settings.onChange((setting) => {
      if (setting.what !== 'quota') return
      if (setting.value === null) this.#quotas.delete(setting.about)
      else this.#quotas.set(setting.about, setting.value)
    })
    for (const setting of settings.all()) {
      if (setting.what === 'quota' && setting.value !== null) this.#quotas.set(setting.about, setting.value)
    }
  }
  close(): void {
    this.#stop()
  }
  all(): readonly Quota[] {
    return [...this.#quotas.values()]
  }
  /** One change after the other, so that each builds on what the one before has made durable. */
  async alter<T>(change: (limitsOf: (about: string) => QuotaLimits) => Promise<T>): Promise<T> {
    const before = this.#altering
    const altered = before.then(() => change((about) => this.#quotas.get(about)?.limits ?? {}))
    this.#altering = altered.then(
      () => {},
      () => {},
    )
    return altered
  }
  get buckets(): number {
    return this.#buckets.size
  }

  /** Takes it from the client's bucket: for so many ms it has to wait, 0 if it has not used up its share. */
  charge(client: Client, key: QuotaKey, amount: number): number {
    const applied = this.#find(client, key)
    if (applied === null) return 0
    const bucket = this.#bucket(applied)
    bucket.tokens -= amount
    return this.#waitMs(bucket, applied)
  }
  /** For so many ms the client has to wait because of what it took before. */
  owedMs(client: Client, key: QuotaKey): number {
    const applied = this.#find(client, key)
    return applied === null ? 0 : this.#waitMs(this.#bucket(applied), applied)
  }
  /** As much as may be taken at once; infinite without a quota. */
  atOnce(client: Client, key: QuotaKey): number {
    const applied = this.#find(client, key)
    return applied === null ? Number.POSITIVE_INFINITY : applied.perSecond * burstSeconds
  }

  /** Kafka's order: the first quota that says something about the key. Those of a default still give each its own bucket. */
  #find({ user, clientId }: Client, key: QuotaKey): Applied | null {
    if (this.#quotas.size === 0) return null
    const both = { user, clientId }
    const order = [
      [both, both],
      [{ user, clientId: null }, both],
      [{ user }, { user }],
      [{ user: null, clientId }, both],
      [{ user: null, clientId: null }, both],
      [{ user: null }, { user }],
      [{ clientId }, { clientId }],
      [{ clientId: null }, { clientId }],
    ] as const
    for (const [entity, whose] of order) {
      const limit = this.#quotas.get(quotaName(entity))?.limits[key]
      if (limit === undefined) continue
      // 100 percent is a second of our one thread per second.
      const perSecond = key === 'request_percentage' ? limit * 10 : limit
      return { bucket: `${key} ${quotaName(shortened(whose))}`, perSecond }
    }
    return null
  }
  #bucket({ bucket: name, perSecond }: Applied): Bucket {
    const nowMs = this.#clock.monoMs()
    const full = perSecond * burstSeconds
    const bucket = this.#buckets.get(name) ?? { tokens: full, atMs: nowMs }
    bucket.tokens = Math.min(full, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * perSecond)
    bucket.atMs = nowMs
    // In the order of use.
    this.#buckets.delete(name)
    this.#buckets.set(name, bucket)
    if (this.#buckets.size > bucketsMax) {
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest)
        break
      }
    }
    return bucket
  }
  #waitMs({ tokens }: Bucket, { perSecond }: Applied): number {
    if (tokens >= 0) return 0
    // Less than a thousandth of a millisecond is rounding.
    return Math.max(0, Math.min(this.#limits.throttleMsMax, Math.ceil((-tokens / perSecond) * 1000 - 0.001)))
  }
}

/** Clients call themselves what they like: those whose long names begin alike share a bucket, so that none is large. */
const nameCharactersMax = 255
function shortened({ user, clientId }: QuotaEntity): QuotaEntity {
  return {
    ...(user == null ? {} : { user: user.slice(0, nameCharactersMax) }),
    ...(clientId == null ? {} : { clientId: clientId.slice(0, nameCharactersMax) }),
  }
}
