// A job of the house shows its progress as a consumer group does: committed offsets in the broker, for everybody who looks
// at groups. What counts is the job's own place in the log; this follows it, in batches.
import type { Broker } from '../broker/broker.ts'
import type { Place } from '../connect/connect.ts'
import { LogError } from '../log/log.ts'
import type { Timer, World } from '../world/world.ts'

export interface GroupProgress {
  /** The group goes on from there. */
  moved(places: readonly Place[]): void
  /** Commits what is left. */
  stop(): Promise<void>
}

/** A commit after so many records, or so long after the first that is not committed. */
export const commitRecords = 50
export const commitMs = 100

export function groupProgress(world: World, broker: Broker, group: string): GroupProgress {
  const pending = new Map<string, Place>()
  let records = 0
  let timer: Timer | null = null
  let committing: Promise<void> | null = null
  let stopped = false

  const commit = async (): Promise<void> => {
    timer?.cancel()
    timer = null
    const places = [...pending.values()]
    pending.clear()
    records = 0
    if (places.length === 0) return
    try {
      await broker.groupOffsets.commit(
        group,
        '',
        world.clock.nowMs(),
        places.map(({ topic, partition, next }) => ({
          topic,
          partition,
          offset: next,
          leaderEpoch: broker.leaderEpoch,
          metadata: '',
        })),
      )
    } catch (error) {
      // A topic that is gone, or a disk that takes nothing now: the next commit says the same and more.
      if (!(error instanceof LogError)) throw error
      for (const place of places) {
        const key = keyOf(place)
        if (!pending.has(key) && broker.topic(place.topic) !== null) pending.set(key, place)
      }
    }
  }
  const begin = (): void => {
    if (committing !== null || stopped) return
    committing = commit().finally(() => {
      committing = null
      if (records >= commitRecords) begin()
      else if (pending.size > 0 && timer === null && !stopped) arm()
    })
  }
  const arm = (): void => {
    timer = world.clock.timer(commitMs, begin, { background: true })
  }
  return {
    moved(places) {
      for (const place of places) {
        const { topic, partition, next } = place
        const key = keyOf(place)
        const before = pending.get(key)?.next ?? broker.groupOffsets.committed(group, { topic, partition })?.offset ?? 0
        records += Math.max(0, next - before)
        pending.set(key, place)
      }
      if (records >= commitRecords) begin()
      else if (pending.size > 0 && timer === null && !stopped) arm()
    },
    async stop() {
      stopped = true
      timer?.cancel()
      await committing
      await commit()
    },
  }
}

function keyOf({ topic, partition }: Place): string {
  return `${topic}/${partition}`
}
