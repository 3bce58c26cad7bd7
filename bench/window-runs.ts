// One measurement of a window Plan on either side, in turns, and the check that both found the same rows.
import { readFileSync, unlinkSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { measureInChild } from './child.ts'
import { differences, readTable, type Table, type TableForm } from './compare.ts'
import { type Input, type InputKind, input } from './inputs.ts'
import type { Measured } from './report.ts'
import { type Bench, WrongResult } from './section.ts'
import { spreadOf } from './statistics.ts'
import { type WorkName, workOf } from './work.ts'

/** Ours in one of its two modes (see `ours-child.ts`), or DuckDB on so many threads. */
export type Side =
  | { readonly who: 'ours'; readonly mode: 'bounded' | 'live' }
  | { readonly who: 'duckdb'; readonly threads: number }

export const bounded: Side = { who: 'ours', mode: 'bounded' }
export const live: Side = { who: 'ours', mode: 'live' }
export const duckdb: Side = { who: 'duckdb', threads: availableParallelism() }
export const duckdbOneThread: Side = { who: 'duckdb', threads: 1 }
/** On a machine with one core the two are the same. */
export const duckdbs: readonly Side[] = availableParallelism() === 1 ? [duckdb] : [duckdb, duckdbOneThread]

export function sideName(side: Side): string {
  if (side.who === 'duckdb') return `DuckDB, ${side.threads} ${side.threads === 1 ? 'thread' : 'threads'}`
  return side.mode
}

/** Of one process: its first run, the median of its later ones, the most memory it held during the first. */
interface Run {
  readonly coldSeconds: number
  readonly warmSeconds: number
  readonly peakBytes: number | null
}
export interface Taken {
  readonly input: Input
  readonly rows: number
  readonly of: ReadonlyMap<Side, readonly Run[]>
}

/** Runs of one process: one cold, some warm. */
const runsInProcess = 4
const childAnswer = z.object({
  seconds: z.array(z.number()),
  peakBytes: z.number().nullable(),
  read: z.int().optional(),
})

/** Measures every side `options.runs` times, A B A B, and throws a `WrongResult` as soon as one differs from the first. */
export async function takeTurns(
  bench: Bench,
  name: WorkName,
  sides: readonly Side[],
  kind?: InputKind,
): Promise<Taken> {
  const { options, say } = bench
  const work = workOf(name)
  const given = input(options.dir, kind ?? work.input, options.events, say)
  const runs = new Map<Side, Run[]>(sides.map((side) => [side, []]))
  let rows = 0
  for (let round = 1; round <= options.runs; round++) {
    let first: { readonly side: Side; readonly table: Table } | null = null
    for (const side of sides) {
      say(`${name}${kind === undefined ? '' : ` over ${kind}`}, ${sideName(side)}, run ${round} of ${options.runs}`)
      const output = join(options.dir, `rows-${process.pid}-${sides.indexOf(side)}.ndjson`)
      const settings = { work: name, input: given.path, output, runs: options.quick ? 2 : runsInProcess }
      const answer = await measureInChild(
        side.who === 'ours' ? './ours-child.ts' : './duckdb-child.ts',
        { ...settings, ...(side.who === 'ours' ? { mode: side.mode } : { threads: side.threads }) },
        childAnswer,
      )
      if (side.who === 'ours' && answer.read !== given.records)
        throw new WrongResult(`${name}: ours read ${answer.read} of ${given.records} records`)
      const table = tableOf(output, name, side)
      if (first === null) first = { side, table }
      else compare(name, first, { side, table })
      rows = table.size
      const [coldSeconds = Number.NaN, ...warm] = answer.seconds
      runs.get(side)?.push({ coldSeconds, warmSeconds: spreadOf(warm).median, peakBytes: answer.peakBytes })
    }
  }
  return { input: given, rows, of: runs }
}

function tableOf(path: string, name: WorkName, side: Side): Table {
  const form: TableForm = {
    columns: workOf(name).columns,
    money: side.who === 'ours' ? 'decimal' : 'minor',
    again: side.who === 'ours' && side.mode === 'live' ? 'replaces' : 'fault',
  }
  try {
    return readTable(readFileSync(path, 'utf8'), form)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new WrongResult(`${name}, rows of ${sideName(side)}: ${error.message}`, { cause: error })
  } finally {
    unlinkSync(path)
  }
}

function compare(
  name: WorkName,
  a: { readonly side: Side; readonly table: Table },
  b: { readonly side: Side; readonly table: Table },
): void {
  const [ours, peer] = a.side.who === 'ours' ? [a, b] : [b, a]
  const found = differences(ours.table, peer.table, workOf(name).columns)
  if (found.length === 0) return
  throw new WrongResult(
    `${name}: ${sideName(ours.side)} (ours) and ${sideName(peer.side)} (peer) differ, first at\n  ${found.join('\n  ')}`,
  )
}

export type Kind = 'cold' | 'warm'
export function secondsOf(taken: Taken, side: Side, kind: Kind): number[] {
  return (taken.of.get(side) ?? []).map((run) => (kind === 'cold' ? run.coldSeconds : run.warmSeconds))
}

/** Events a second of one of our modes beside each DuckDB. */
export function speeds(taken: Taken, ours: Side, peers: readonly Side[], what: string, kind: Kind): Measured[] {
  const perSecond = (side: Side): number[] =>
    secondsOf(taken, side, kind).map((seconds) => taken.input.records / seconds)
  return peers.map((peer) => ({
    what,
    unit: 'events/s',
    ours: perSecond(ours),
    peer: { name: sideName(peer), values: perSecond(peer) },
  }))
}

export function memory(taken: Taken, ours: Side, peer: Side, what: string): Measured[] {
  const megabytes = (side: Side): number[] =>
    (taken.of.get(side) ?? []).flatMap((run) => (run.peakBytes === null ? [] : [run.peakBytes / 1e6]))
  if (megabytes(ours).length === 0) return []
  return [{ what, unit: 'MB', ours: megabytes(ours), peer: { name: sideName(peer), values: megabytes(peer) } }]
}
