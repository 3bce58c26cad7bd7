// The account of one partition by a job: what the log handed over, held against what the engine made of it.
import type { LedgerLine } from '../engine/engine.ts'
import type { Log } from '../log/log.ts'
import { partitionId } from '../std/units.ts'
import type { RunningJob } from './running-job.ts'

/** in = processed + duplicates + late + deadLettered + in flight, to the record. */
export interface AccountLine extends LedgerLine {
  /** Records of the partition as the log counts them: those that the job was handed, and those it was not yet. */
  readonly in: number
  /** In the log and not yet handed to the job. */
  readonly inFlight: number
  /** What is nowhere: 0, or there is a fault. */
  readonly imbalance: number
}

export function accountOf(log: Log, line: LedgerLine, running: RunningJob): AccountLine {
  const { topic, partition, processed, duplicates, late } = line
  const { records, unreadable, next } = running.handed(topic, partition)
  const { end } = log.offsets(topic, partitionId(partition))
  // Between the two lie records, and here and there a marker of a transaction.
  const inFlight = next !== null ? end - next : running.caughtUp() ? 0 : Math.max(0, end - records)
  const deadLettered = line.deadLettered + unreadable
  const imbalance = records - processed - duplicates - late - deadLettered
  return { topic, partition, in: records + inFlight, processed, duplicates, late, deadLettered, inFlight, imbalance }
}
