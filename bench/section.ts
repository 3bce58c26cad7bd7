// What every section is given.
import type { Options } from './options.ts'
import type { SectionReport } from './report.ts'

export interface Bench {
  readonly options: Options
  /** One line for whoever waits; not part of the results. */
  readonly say: (text: string) => void
}
export type Section = (bench: Bench) => Promise<SectionReport>

/** Ours and the peer's results differ: nothing about their speed is worth saying. */
export class WrongResult extends Error {
  override name = 'WrongResult'
}
