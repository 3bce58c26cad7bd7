// Reports: their SQL over the lake, brought up to date first, rows in the words of the report's contract. Each run is written
// down; what was asked for by itself or by interval also rests in the lake's gold.
import { type Report, type ReportRow, reports } from '../commerce/commerce.ts'
import type { ReportColumn, ReportRunInfo } from '../serve/lake-ports.ts'
import type { ServePorts } from '../serve/ports.ts'
import { assert } from '../std/assert.ts'
import { minorFromText } from '../std/decimal.ts'
import { type DuckDbValue, type Lake, type LakeFile, viewsSql } from '../stores/stores.ts'
import type { World } from '../world/world.ts'
import { type LakeHouse, lakeTable } from './lake.ts'
import { readText, writeText } from './small-files.ts'

/** [fromMs, toMs). */
export interface Interval {
  readonly fromMs: number
  readonly toMs: number
}
export interface RunSettings {
  readonly interval: Interval | null
  /** Who asked. */
  readonly cause: ReportRunInfo['cause']
  /** The rows also become a file of the lake: gold, topic `report.<name>`. */
  readonly keep: boolean
}
export interface ReportAnswer {
  readonly columns: readonly ReportColumn[]
  readonly rows: readonly ReportRow[]
  readonly records: number
}

const reportMsMax = 5 * 60_000
const reportRowsMax = 1_000_000
const runsKept = 500

/** Year 1 to 9999: everything DuckDB and we can say. */
const always: Interval = { fromMs: -62_135_596_800_000, toMs: 253_402_300_799_000 }

export function reportNamed(name: string): Report {
  const report = reports.get(name)
  assert(report !== undefined, `there is no report ${name}`)
  return report
}

export async function runReport(
  world: World,
  house: LakeHouse,
  report: Report,
  settings: RunSettings,
): Promise<ReportAnswer> {
  const startedMs = world.clock.nowMs()
  const begun = world.clock.monoMs()
  const tell = (outcome: { readonly rows: number | null; readonly failure: string | null }): void =>
    writeRun(world, house.lake(), {
      report: report.name,
      cause: settings.cause,
      from: settings.interval?.fromMs ?? null,
      to: settings.interval?.toMs ?? null,
      startedMs,
      durationMs: Math.round(world.clock.monoMs() - begun),
      ...outcome,
    })
  try {
    await house.feed().flush([...new Set(report.reads.map(({ topic }) => topic))])
    const answer = await ask(world, house.lake(), report, settings)
    tell({ rows: answer.rows.length, failure: null })
    return answer
  } catch (error) {
    tell({ rows: null, failure: error instanceof Error ? error.message : String(error) })
    throw error
  }
}

async function ask(world: World, lake: Lake, report: Report, { interval, keep }: RunSettings): Promise<ReportAnswer> {
  const { fromMs, toMs } = interval ?? always
  const tables = report.reads.map(({ layer, topic }) => lakeTable(layer, topic))
  const setup = [
    ...viewsSql(lake, tables),
    `SET VARIABLE from_time = make_timestamp(${fromMs} * 1000)`,
    `SET VARIABLE to_time = make_timestamp(${toMs} * 1000)`,
  ]
  const limits = { timeMsMax: reportMsMax, rowsMax: reportRowsMax }
  const { rows, truncated } = await lake.duckdb.run([...setup, report.sql], limits)
  assert(!truncated, `report ${report.name} has more than ${reportRowsMax} rows`)
  const records = report.reads
    .flatMap(({ layer, topic }) => lake.files(layer, topic))
    .reduce((sum, file) => sum + file.rows, 0)
  if (keep) await keepRows(lake, report, interval ?? { fromMs: 0, toMs: world.clock.nowMs() }, setup, rows.length)
  return { columns: report.columns, rows: rows.map((row) => inWords(report, row)), records }
}

/** A row of DuckDB in the words of the contract: money in minor units, numbers as numbers. */
function inWords(report: Report, row: readonly DuckDbValue[]): ReportRow {
  return Object.fromEntries(
    report.columns.map((column, i): [string, ReportRow[string]] => {
      const value = row[i] ?? null
      if (value === null) return [column.name, null]
      switch (column.type) {
        case 'money': {
          const minor = minorFromText(String(value), column.scale)
          assert(typeof minor === 'number', `column ${column.name} of ${report.name}: ${value} is no amount (${minor})`)
          return [column.name, minor]
        }
        case 'integer':
        case 'number':
          return [column.name, Number(value)]
        case 'boolean':
          return [column.name, value === true]
        case 'time':
          return [column.name, `${String(value).replace(' ', 'T')}Z`]
        default:
          return [column.name, String(value)]
      }
    }),
  )
}

/** One file for each report and interval: running it again replaces what was there. */
async function keepRows(lake: Lake, report: Report, interval: Interval, setup: readonly string[], rows: number) {
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
  const topic = `report.${report.name}`
  const dt = day(interval.fromMs)
  const span = `-${day(interval.toMs)}-`
  const from = `${lake.workFolder}/report.parquet.tmp`
  const limits = { timeMsMax: reportMsMax, rowsMax: 1 }
  const names = report.columns.map(({ name }) => `"${name}"`).join(', ')
  const select = `SELECT * FROM (${report.sql}) AS r(${names})`
  await lake.duckdb.run([...setup, `COPY (${select}) TO '${from.replaceAll("'", "''")}' (FORMAT parquet)`], limits)
  const [sealed] = await lake.duckdb.seal([from], true)
  assert(sealed !== undefined, 'one file was to be sealed')
  const file: LakeFile = {
    layer: 'gold',
    topic,
    dt,
    // Its version is in the name: what stands in the manifest is never overwritten.
    name: `r${span.slice(0, -1)}-${String(lake.manifest().version + 1).padStart(12, '0')}.parquet`,
    ranges: [],
    rows,
    bytes: sealed.sizeBytes,
    sha256: sealed.sha256,
  }
  await lake.settle([{ from, file }])
  const before = lake.files('gold', topic).filter((one) => one.dt === dt && one.name.startsWith(`r${span}`))
  await lake.replace(before, [file])
}

// --- What ran ---

const runsFile = (lake: Lake): string => `${lake.folder}/report-runs.json`

export function reportRuns(world: World, lake: Lake): ReportRunInfo[] {
  const text = readText(world.fs, runsFile(lake))
  return text === null ? [] : (JSON.parse(text) as ReportRunInfo[])
}
function writeRun(world: World, lake: Lake, run: ReportRunInfo): void {
  const runs = [run, ...reportRuns(world, lake)].slice(0, runsKept)
  writeText(world.fs, runsFile(lake), JSON.stringify(runs))
}

// --- Periods of a backfill ---

/** The report's periods (UTC; weeks from Monday) that begin in the interval. */
export function periodsOf(report: Report, { fromMs, toMs }: Interval): Interval[] {
  if (report.period === 'all') return [{ fromMs, toMs }]
  const periods: Interval[] = []
  for (let at = startOf(report.period, fromMs); at < toMs; ) {
    const next = nextOf(report.period, at)
    periods.push({ fromMs: at, toMs: next })
    at = next
  }
  return periods
}
const dayMs = 24 * 3600_000
function startOf(period: 'day' | 'week' | 'month', ms: number): number {
  const date = new Date(ms)
  if (period === 'month') return Date.UTC(date.getUTCFullYear(), date.getUTCMonth())
  const midnight = Math.floor(ms / dayMs) * dayMs
  return period === 'day' ? midnight : midnight - ((date.getUTCDay() + 6) % 7) * dayMs
}
function nextOf(period: 'day' | 'week' | 'month', ms: number): number {
  const date = new Date(ms)
  if (period === 'month') return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1)
  return ms + (period === 'day' ? dayMs : 7 * dayMs)
}

export function reportsPort(world: World, house: LakeHouse): NonNullable<ServePorts['reports']> {
  return {
    list: () => [...reports.values()].map(({ name, doc, period, schedule }) => ({ name, doc, period, schedule })),
    runs: () => reportRuns(world, house.lake()),
    async run(name, interval) {
      const { columns, rows, records } = await runReport(world, house, reportNamed(name), {
        interval,
        cause: 'api',
        keep: interval !== null,
      })
      return { columns, rows, records, watermarkMs: null }
    },
  }
}
