// What serving needs of the house's books: the account of every record, what was refused, the quality of the data. Times are
// milliseconds since the epoch (UTC).
import type { LedgerRow } from './ports.ts'

export interface LedgerLine extends Omit<LedgerRow, 'topic'> {
  /** Records that are nowhere: 0, or there is a fault. */
  readonly imbalance: number
}
export interface LedgerTopic extends LedgerLine {
  readonly topic: string
  readonly partitions: readonly (LedgerLine & { readonly partition: number })[]
}
/** The whole account: topics by name. */
export interface Ledger {
  readonly imbalance: number
  readonly topics: readonly LedgerTopic[]
}
/** What the house says of itself beyond its figures. */
export interface BooksPort {
  /** Memory only. */
  ledger(): Ledger
  orders(): OrdersState
}
/** The orders pipeline: processor, analytics, sink. Counts are since the topic was created. */
export interface OrdersState {
  readonly received: number
  readonly processed: number
  readonly duplicates: number
  /** In the dead letters, with their reasons. */
  readonly rejected: number
  readonly inFlight: number
  /** Processed a second, over the last ten. */
  readonly perSecond: number
  /** Of the orders that are through: valid ones that are nowhere. */
  readonly errorRate: number
  /** Written since the start. */
  readonly metricsLines: number
  readonly metricsFile: string | null
}

/** The quality of the data. */
export interface QualityPort {
  /** Samples the log now and then. */
  read(): Promise<QualityState>
}
export interface QualityState {
  /** The newest of each topic. */
  readonly checks: readonly QualityCheckRow[]
  /** Newest first. */
  readonly alerts: readonly QualityAlertRow[]
  readonly freshness: readonly {
    readonly topic: string
    readonly partition: number
    /** The newest event time; null before the first record. */
    readonly newestMs: number | null
    readonly ageMs: number | null
  }[]
  /** How late marketplaces tell their sales; null before the first figures. */
  readonly delays: DelayFigures | null
  /** Since the start. */
  readonly refused: readonly {
    readonly topic: string
    readonly reason: string
    readonly rule: string
    readonly version: number
    readonly records: number
  }[]
  /** Fields of sampled records that the contract does not know. */
  readonly unknownFields: readonly {
    readonly topic: string
    readonly field: string
    readonly version: number
    readonly share: number
  }[]
}
export interface DelayFigures {
  readonly atMs: number
  readonly total: number
  readonly delayedPercent: number
  readonly demo: number
  readonly batches: number
  /** Sales by severity. */
  readonly breakdown: Readonly<Record<string, number>>
  readonly marketplaces: readonly { readonly marketplace: string; readonly sales: number; readonly hours: number }[]
  readonly patterns: readonly {
    readonly pattern: string
    readonly askedPercent: number
    readonly seenPercent: number
    readonly differencePoints: number
  }[]
}
export interface QualityCheckRow {
  readonly topic: string
  readonly windowStartMs: number
  readonly records: number
  readonly refused: number
  readonly validity: number
  readonly completeness: Readonly<Record<string, number>>
  readonly refusedBy: Readonly<Record<string, number>>
  readonly version: number
}
export interface QualityAlertRow {
  readonly id: string
  readonly kind: string
  readonly topic: string
  readonly status: 'firing' | 'resolved'
  readonly severity: string
  readonly sinceMs: number
  readonly updatedMs: number
  readonly times: number
  readonly sentence: string
}

/** What was refused, and its way back. */
export interface DeadLettersPort {
  /** The newest that match, and how many match in all, by what is wrong with them. */
  list(filter: DeadLetterFilter, rowsMax: number): Promise<DeadLetterList>
  /** By its place among the dead letters of the topic; null: there is none. */
  show(topic: string, partition: number, offset: number): Promise<DeadLetterWhole | null>
  /** Sends those back that stand by the contract of today; each once, whoever asks how often. */
  replay(
    filter: DeadLetterFilter,
    how: {
      readonly dryRun: boolean
      /** Those too that would fail again. */
      readonly all: boolean
      /** Fields of the JSON object that are set before; null: it goes as it is. */
      readonly set: Readonly<Record<string, unknown>> | null
    },
  ): Promise<ReplayOutcome>
}
export interface DeadLetterFilter {
  /** In which the record was. */
  readonly topic?: string
  readonly reason?: string
  /** The field at fault. */
  readonly rule?: string
  /** By the time at which it arrived: from, to before. */
  readonly sinceMs?: number
  readonly untilMs?: number
}
export interface DeadLetterRow {
  readonly topic: string
  /** Among the dead letters of the topic. */
  readonly partition: number
  readonly offset: number
  readonly keptMs: number
  readonly bytes: number
  readonly reason: string
  /** The field at fault, dotted; '' for the whole record. */
  readonly rule: string
  readonly message: string
  /** Of the record that failed; -1 where it is not told. */
  readonly original: { readonly partition: number; readonly offset: number; readonly timestampMs: number }
  /** Of the contract. */
  readonly version: number
  /** The how manieth time the record failed. */
  readonly attempt: number
  readonly replayed: boolean
}
export interface DeadLetterWhole extends DeadLetterRow {
  readonly value: { readonly text: string; readonly encoding: 'utf-8' | 'base64' }
}
export interface DeadLetterList {
  readonly matching: number
  readonly counts: readonly {
    readonly topic: string
    readonly reason: string
    readonly rule: string
    readonly version: number
    readonly records: number
  }[]
  /** Newest first. */
  readonly letters: readonly DeadLetterRow[]
}
export interface ReplayOutcome {
  readonly dryRun: boolean
  readonly found: number
  /** Or, of a dry run, would be. */
  readonly sent: number
  /** Sent before. */
  readonly already: number
  /** Would fail again, and stay. */
  readonly stillBad: number
  readonly topics: readonly { readonly topic: string; readonly records: number }[]
}
