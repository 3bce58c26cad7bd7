// What the runner of a job is given besides world, log and job.
import type { JobOutput } from '../engine/engine.ts'
import type { Cursor } from '../log/log.ts'
import type { Contract } from '../query/contract.ts'
import type { TellPlaces } from './moved-places.ts'
import type { OutputTopics } from './outputs.ts'
import type { SchemaRegistry } from './schema-registry.ts'
import type { ShardingSettings } from './sharding.ts'
import type { SnapshotStore } from './snapshots.ts'
import type { Switching } from './switching.ts'

export interface JobSettings {
  readonly name: string
  /** Where each plan's rows, the late records and the dead letters go. */
  readonly outputs: OutputTopics
  /** Null: no snapshots (an ephemeral run); recovery then replays the whole log. */
  readonly snapshots: SnapshotStore | null
  /** Distance of the recorded ticks at which running values are emitted. */
  readonly tickMs: number
  /** Of the topics the job reads, by topic. */
  readonly contracts: ReadonlyMap<string, Contract>
  /** Told of every output when it is due, before its commit: for what stays in the house (live figures) only. */
  readonly onOutput: (output: JobOutput, at: { readonly epoch: number; readonly cursor: Cursor }) => void
  readonly onCommitted: TellPlaces | undefined
  readonly atRest: boolean
  readonly sharding: ShardingSettings
  /** Where the plans are to be others: what is done for it beside the job. */
  readonly switching: Switching | null
  readonly schemas: SchemaRegistry | null
}
