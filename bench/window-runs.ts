// One measurement of a window Plan on either side, in turns, and the check that both found the same rows.
import { readFileSync, unlinkSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { measureInChild } from './child.ts'
import { type Column, differences, readTable, type Table, type TableForm } from './compare.ts'
import { type InputKind, input } from './inputs.ts'
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

/** One side doing one work. Tasks over the same input must find the same rows. */
export interface Task {
  readonly work: WorkName
  readonly side: Side
  /** Another input than the usual one of the work. */
  readonly kind?: InputKind
}
/** Of one process: its first run, the median of its later ones, the most memory it held during the first. */
interface Run {
  readonly coldSeconds: number
  readonly warmSeconds: number
  readonly peakBytes: number | null
}
export interface Taken {
  readonly records: number
  readonly inputBytes: number
  /** How many final rows there were. */
  rows(task: Task): number
  runs(task: Task): readonly Run[]
}

/** Runs of one process: one cold, some warm. */
const runsInProcess = 3
const childAnswer = z.object({
  seconds: z.array(z.number()),
  peakBytes: z.number().nullable(),
  read: z.int().optional(),
})

/** Runs every task `options.runs` times, A B A B, and throws a `WrongResult` as soon as rows differ. */
export async function takeTurns(bench: Bench, tasks: readonly Task[]): Promise<Taken> {
  const { options, say } = bench
  const runs = new Map<Task, Run[]>(tasks.map((task) => [task, []]))
  const rows = new Map<Task, number>()
  let inputBytes = 0
  for (let round = 1; round <= options.runs; round++) {
    /** By work and input: what the first side found. */
    const firsts = new Map<string, Found>()
    for (const task of tasks) {
      const { work, side } = task
      const kind = task.kind ?? workOf(work).input
      const given = input(options.dir, kind, options.events, say)
      inputBytes = given.bytes
      say(`${work} over ${kind}, ${sideName(side)}, run ${round} of ${options.runs}`)
      const output = join(options.dir, `rows-${process.pid}.ndjson`)
      const settings = { work, input: given.path, output, runs: options.quick ? 2 : runsInProcess }
      const answer = await measureInChild(
        side.who === 'ours' ? './ours-child.ts' : './duckdb-child.ts',
        { ...settings, ...(side.who === 'ours' ? { mode: side.mode } : { threads: side.threads }) },
        childAnswer,
      )
      if (side.who === 'ours' && answer.read !== given.records)
        throw new WrongResult(`${work}: ours read ${answer.read} of ${given.records} records`)
      const found = { side, table: tableOf(output, work, side) }
      const same = `${work} over ${kind}`
      const first = firsts.get(same)
      if (first === undefined) firsts.set(same, found)
      else compare(same, workOf(work).columns, first, found)
      rows.set(task, found.table.size)
      const [coldSeconds = Number.NaN, ...warm] = answer.seconds
      runs.get(task)?.push({ coldSeconds, warmSeconds: spreadOf(warm).median, peakBytes: answer.peakBytes })
    }
  }
  return {
    records: options.events,
    inputBytes,
    rows: (task) => rows.get(task) ?? 0,
    runs: (task) => runs.get(task) ?? [],
  }
}

interface Found {
  readonly side: Side
  readonly table: Table
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

function compare(what: string, columns: readonly Column[], a: Found, b: Found): void {
  const [ours, peer] = a.side.who === 'ours' ? [a, b] : [b, a]
  const found = differences(ours.table, peer.table, columns)
  if (found.length === 0) return
  throw new WrongResult(
    `${what}: ${sideName(ours.side)} (ours) and ${sideName(peer.side)} (peer) differ, first at\n  ${found.join('\n  ')}`,
  )
}

export type Kind = 'cold' | 'warm'
export function secondsOf(taken: Taken, task: Task, kind: Kind): number[] {
  return taken.runs(task).map((run) => (kind === 'cold' ? run.coldSeconds : run.warmSeconds))
}

/** Events a second of one of our modes beside each DuckDB. */
export function speeds(taken: Taken, ours: Task, peers: readonly Task[], what: string, kind: Kind): Measured[] {
  const perSecond = (task: Task): number[] => secondsOf(taken, task, kind).map((seconds) => taken.records / seconds)
  return peers.map((peer) => ({
    what,
    unit: 'events/s',
    ours: perSecond(ours),
    peer: { name: sideName(peer.side), values: perSecond(peer) },
  }))
}

export function memory(taken: Taken, ours: Task, peer: Task, what: string): Measured[] {
  const megabytes = (task: Task): number[] =>
    taken.runs(task).flatMap((run) => (run.peakBytes === null ? [] : [run.peakBytes / 1e6]))
  if (megabytes(ours).length === 0) return []
  return [{ what, unit: 'MB', ours: megabytes(ours), peer: { name: sideName(peer.side), values: megabytes(peer) } }]
}
