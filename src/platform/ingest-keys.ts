// Which requests were taken under which `Idempotency-Key`: in memory the newest ones, at most a day old, and in a topic
// of the house so that they outlive the process.
//
// A record of the topic (JSON; changing this needs a new `version`):
//   { "version": 1, "key": …, "fingerprint": …, "atMs": …, "lanes": [[partition, first offset], …] | null }
// The first one for a key is part of the commit that appends the request's records: both are there after a crash or
// neither. Offsets are known only after it, so a second one with the lanes follows before the request is answered.
import { z } from 'zod'

/** Where a request's records went, by partition: the offset of the first; null if it was never written down. */
export type Placement = { readonly atMs: number; readonly lanes: ReadonlyMap<number, number> | null }

export interface KeyEntry {
  readonly fingerprint: string
  /** Arrival of the request: its records are judged by this time again when it is repeated. */
  readonly atMs: number
  /** Null: nothing was accepted, so nothing needs to be kept from happening twice. */
  readonly placement: Promise<Placement | null>
}

const keptRecord = z.object({
  version: z.literal(1),
  key: z.string(),
  fingerprint: z.string(),
  atMs: z.int(),
  lanes: z.array(z.tuple([z.int(), z.int()])).nullable(),
})

export interface KeyTable {
  /** The request under this key, if it is not older than a day. */
  find(key: string, nowMs: number): KeyEntry | null
  set(key: string, entry: KeyEntry): void
  /** Forgets this entry, if it is still the key's. */
  drop(key: string, entry: KeyEntry): void
  /** Takes in a record of the topic; one of another form is left alone. */
  restore(record: unknown, nowMs: number): void
  readonly size: number
}

/** A table of the newest `keysMax` keys, none older than `ageMsMax`. */
export function keyTable({ keysMax, ageMsMax }: { readonly keysMax: number; readonly ageMsMax: number }): KeyTable {
  /** Oldest first. */
  const entries = new Map<string, KeyEntry>()
  const set = (key: string, entry: KeyEntry): void => {
    entries.delete(key)
    entries.set(key, entry)
    for (const [oldest, { atMs }] of entries) {
      if (entries.size <= keysMax && atMs > entry.atMs - ageMsMax) break
      entries.delete(oldest)
    }
  }
  return {
    find(key, nowMs) {
      const entry = entries.get(key)
      return entry !== undefined && entry.atMs > nowMs - ageMsMax ? entry : null
    },
    set,
    drop(key, entry) {
      if (entries.get(key) === entry) entries.delete(key)
    },
    restore(record, nowMs) {
      const kept = keptRecord.safeParse(record)
      if (!kept.success || kept.data.atMs <= nowMs - ageMsMax) return
      const { key, fingerprint, atMs, lanes } = kept.data
      const placement = Promise.resolve({ atMs, lanes: lanes === null ? null : new Map(lanes) })
      set(key, { fingerprint, atMs, placement })
    },
    get size() {
      return entries.size
    },
  }
}

/** The record for the topic. */
export function keptText(
  key: string,
  entry: Pick<KeyEntry, 'fingerprint' | 'atMs'>,
  lanes: Placement['lanes'],
): string {
  const kept: z.infer<typeof keptRecord> = {
    version: 1,
    key,
    fingerprint: entry.fingerprint,
    atMs: entry.atMs,
    lanes: lanes === null ? null : [...lanes],
  }
  return JSON.stringify(kept)
}
