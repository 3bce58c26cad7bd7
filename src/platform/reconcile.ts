// Reconciliation: each figure that pipelines publish, held against the same Plan run by DuckDB over the records as they were
// received. Two engines, two codes, one answer; where they differ it is told with the rows.
//
// What is compared: rows of windows that no record can change any more (closed, and their lateness over) of the last span.
// Windows marked for recomputation lack a record that came too late on purpose; they are left out and counted.
import { contracts, pipelines } from '../commerce/commerce.ts'
import { dirtyWindows, resultTopic } from '../connect/connect.ts'
import type { Log } from '../log/log.ts'
import type { Plan } from '../query/plan.ts'
import { restrictedTo } from '../query/reprocessing.ts'
import type { ReconciledFigure, ReconciliationPort } from '../serve/lake-ports.ts'
import { type DuckDbRows, duckdbSql, type Lake, type LakeTopics } from '../stores/stores.ts'
import type { Timer, World } from '../world/world.ts'
import type { LakeHouse } from './lake.ts'
import { lakeTopicOf } from './lake-topics.ts'

export interface Reconciliation extends ReconciliationPort {
  stop(): void
}

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
/** Windows of so long a time are looked at, or two of them if they are longer. */
const spanMsMin = 15 * minuteMs
const everyMs = 10 * minuteMs
const examplesMax = 5
const limits = { timeMsMax: 120_000, rowsMax: 100 }

interface Figure {
  readonly plan: Plan
  readonly topic: string
}

/** Of the pipelines that publish rows of windows over topics with contracts. */
function figuresOf(log: Log): Figure[] {
  return [...pipelines.values()].flatMap(({ plan }) => {
    const topic = resultTopic(plan)
    const changelog = plan.nodes.at(-1)?.changelog
    const isWindowed = changelog?.mode === 'upsert' && changelog.key.includes('window_end')
    const isKept = lakeTopicOf(topic)?.typed?.rows === 'all' && log.topic(topic) !== null
    return isWindowed && isKept && Object.keys(plan.contracts).every((one) => contracts.has(one))
      ? [{ plan, topic }]
      : []
  })
}

/** Compares every ten minutes if `follows`, and when asked. */
export function openReconciliation(world: World, log: Log, house: LakeHouse, follows: boolean): Reconciliation {
  const found = new Map<string, ReconciledFigure>()
  let timer: Timer | null = null
  let running: Promise<readonly ReconciledFigure[]> | null = null
  let stopped = false

  const state = (): readonly ReconciledFigure[] =>
    figuresOf(log).map(({ plan }) => found.get(plan.name) ?? { ...empty(plan.name), detail: 'not compared yet' })
  const checkNow = async (): Promise<readonly ReconciledFigure[]> => {
    const figures = figuresOf(log)
    // Results before what they are made of: what was in the log when a row was is in the lake then.
    await house.feed().flush(figures.map(({ topic }) => topic))
    await house.feed().flush([...new Set(figures.flatMap(({ plan }) => Object.keys(plan.contracts)))])
    for (const figure of figures) {
      if (stopped) break
      const checkedMs = world.clock.nowMs()
      try {
        found.set(figure.plan.name, { ...(await compared(log, house.lake(), figure)), checkedMs })
      } catch (error) {
        const detail = error instanceof Error ? error.message : String(error)
        found.set(figure.plan.name, { ...empty(figure.plan.name), state: 'failed', checkedMs, detail })
      }
    }
    return state()
  }
  const check = (): Promise<readonly ReconciledFigure[]> => {
    running ??= checkNow().finally(() => {
      running = null
    })
    return running
  }
  const again = (): void => {
    if (stopped || !follows) return
    // What fails is in the state of the figure, or of the lake.
    timer = world.clock.timer(everyMs, () => void check().then(again, again), { background: true })
  }
  again()
  return {
    state,
    check,
    stop() {
      stopped = true
      timer?.cancel()
    },
  }
}

const empty = (figure: string): ReconciledFigure => ({
  figure,
  state: 'waiting',
  checkedMs: null,
  fromMs: null,
  toMs: null,
  rows: 0,
  differences: 0,
  examples: [],
  detail: '',
})

async function compared(log: Log, lake: Lake, { plan, topic }: Figure): Promise<ReconciledFigure> {
  const layer = lakeTopicOf(topic)?.typed?.layer ?? 'gold'
  const files = lake.files(layer, topic)
  if (files.length === 0) return { ...empty(plan.name), detail: 'no row of it is in the lake yet' }
  const bounds = await lake.duckdb.run(
    [
      `SELECT epoch_ms(min(window_start)), epoch_ms(max(window_end) FILTER (timing <> 'early')) FROM ${lake.rowsOf(files)} WHERE NOT _deleted`,
    ],
    limits,
  )
  const [firstMs, lastMs] = (bounds.rows[0] ?? []).map((value) => (value === null ? null : Number(value)))
  if (firstMs === null || firstMs === undefined || lastMs === null || lastMs === undefined)
    return { ...empty(plan.name), detail: 'no window has closed yet' }
  const reach = reachOf(plan)
  const toMs = lastMs - plan.latenessMs
  const fromMs = Math.max(firstMs, toMs - Math.max(spanMsMin, 2 * reach.windowMs))
  if (toMs <= fromMs) return { ...empty(plan.name), detail: 'windows may still be corrected by late records' }

  const topics: LakeTopics = new Map(
    Object.values(plan.contracts).map((contract) => {
      const sinceMs = fromMs - reach.backMs - contract.futureLimitMs
      const day = new Date(Math.max(0, fromMs - reach.backMs - dayMs)).toISOString().slice(0, 10)
      const some = lake.files('bronze', contract.topic).filter(({ dt }) => dt >= day)
      // No record arrives earlier than its time less what it may be ahead: older files are not even opened.
      const from =
        some.length === 0
          ? `(SELECT * FROM (SELECT 0 AS _partition, 0 AS _offset, TIMESTAMP '1970-01-01' AS _arrival, '' AS _value) WHERE false)`
          : `(SELECT * FROM ${lake.rowsOf(some)} WHERE _arrival >= make_timestamp(${sinceMs * 1000}))`
      return [contract.topic, { format: 'raw' as const, from }]
    }),
  )
  const range = { fromMs, toMs }
  const marked = (await dirtyWindows(log, topic)).ranges.filter((one) => one.toMs > fromMs && one.fromMs < toMs)
  const sql = comparisonSql(
    plan,
    duckdbSql(restrictedTo(plan, range) ?? plan, topics),
    lake.rowsOf(files),
    range,
    marked,
  )
  return told(plan, range, marked.length, await lake.duckdb.run([sql], limits))
}

/** The longest window, and how far before a window its records may lie. */
function reachOf(plan: Plan): { readonly windowMs: number; readonly backMs: number } {
  let [windowMs, backMs] = [0, 0]
  for (const node of plan.nodes) {
    if (node.kind === 'window-aggregate') {
      const sizeMs = 'sizeMs' in node.window ? node.window.sizeMs : dayMs
      windowMs = Math.max(windowMs, sizeMs)
      backMs += sizeMs
    }
    if (node.kind === 'deduplicate') backMs += node.horizonMs
    if (node.kind === 'over') backMs += node.rangeMs
    if (node.kind === 'join') backMs += node.beforeMs
  }
  return { windowMs, backMs }
}

function comparisonSql(
  plan: Plan,
  batch: string,
  gold: string,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  marked: readonly { readonly fromMs: number; readonly toMs: number }[],
): string {
  const result = plan.nodes.at(-1)
  const changelog = result?.changelog
  const columns = result?.columns ?? []
  const keys = changelog?.mode === 'upsert' ? changelog.key : []
  // Doubles may end in another last digit; all else is equal or different.
  const asText = (name: string): string => {
    const type = columns.find((column) => column.name === name)?.type.kind
    return type === 'float64' ? `format('{:.9g}', "${name}")` : `CAST("${name}" AS VARCHAR)`
  }
  const text = (names: readonly string[]): string =>
    names.length === 0
      ? `''`
      : `concat_ws(', ', ${names.map((name) => `'${name} ' || coalesce(${asText(name)}, 'null')`).join(', ')})`
  const row = `${text(keys)} AS k, ${text(columns.map(({ name }) => name).filter((name) => !keys.includes(name)))} AS v`
  const at = (ms: number): string => `make_timestamp(${ms * 1000})`
  const isMarked = marked.map((one) => `(window_start < ${at(one.toMs)} AND window_end > ${at(one.fromMs)})`)
  const inRange = [
    `window_start >= ${at(fromMs)} AND window_end <= ${at(toMs)}`,
    ...(isMarked.length === 0 ? [] : [`NOT (${isMarked.join(' OR ')})`]),
  ].join(' AND ')
  return `WITH newest AS (
  SELECT * FROM ${gold} WHERE _arrival >= ${at(fromMs - dayMs)}
  QUALIFY row_number() OVER (PARTITION BY _key ORDER BY _offset DESC) = 1
), engine AS (SELECT ${row} FROM newest WHERE NOT _deleted AND ${inRange}),
batch AS (SELECT ${row} FROM (${batch}) WHERE ${inRange}),
both_sides AS (
  SELECT coalesce(engine.k, batch.k) AS k, engine.v AS engine, batch.v AS batch
  FROM engine FULL JOIN batch ON engine.k = batch.k
), counted AS (
  SELECT count(*) AS rows, count(*) FILTER (engine IS DISTINCT FROM batch) AS differences FROM both_sides
)
SELECT rows, differences, k, engine, batch FROM counted LEFT JOIN (
  SELECT * FROM both_sides WHERE engine IS DISTINCT FROM batch ORDER BY k LIMIT ${examplesMax}
) ON true`
}

function told(
  plan: Plan,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  marked: number,
  { rows }: DuckDbRows,
): ReconciledFigure {
  const [compared, differences] = [Number(rows[0]?.[0] ?? 0), Number(rows[0]?.[1] ?? 0)]
  const text = (value: unknown): string | null => (value === null || value === undefined ? null : String(value))
  const left = marked === 0 ? '' : `; ${marked} ranges wait to be recomputed and are left out`
  return {
    figure: plan.name,
    state: compared === 0 ? 'waiting' : differences === 0 ? 'equal' : 'different',
    checkedMs: null,
    fromMs,
    toMs,
    rows: compared,
    differences,
    examples:
      differences === 0
        ? []
        : rows.map(([, , k, engine, batch]) => ({ key: String(k), engine: text(engine), batch: text(batch) })),
    detail: `${compared} rows of closed windows, ${differences} different${left}`,
  }
}
