// The assignors that the broker has: by name, in Kafka's order; the first is used where nobody asks for another.
import { assignRange } from './assign-range.ts'
import { assignUniform } from './assign-uniform.ts'
import type { Parts } from './parts.ts'

/** A member, as an assignor sees it. */
export interface Subscriber {
  readonly id: string
  readonly instanceId: string | null
  /** Ids of the topics that it reads and there are. */
  readonly topics: ReadonlySet<string>
  /** What it was to have up to now. */
  readonly before: Parts
}
/** Partitions of each topic that someone reads, by id, in the order of the topics' names. */
export type TopicSizes = ReadonlyMap<string, number>
/** Each partition to one of those who read its topic; subscribers that get nothing may be left out. */
export type Assign = (subscribers: readonly Subscriber[], topics: TopicSizes) => Map<string, Parts>

export const assignors: ReadonlyMap<string, Assign> = new Map<string, Assign>([
  ['uniform', assignUniform],
  ['range', assignRange],
])
export const defaultAssignor = 'uniform'
