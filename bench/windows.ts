// Sections `b1`, `b2` and `b3`: a Plan from the bytes of a file to its final rows, beside DuckDB over the same file.
import type { SectionReport } from './report.ts'
import type { Bench, Section } from './section.ts'
import { bounded, duckdbs, live, memory, speeds, type Task, takeTurns } from './window-runs.ts'
import type { WorkName } from './work.ts'

export const b1: Section = (bench) =>
  windowSection(bench, 'sales-window', 'B1: sales-window, 15 min / 1 s, three exact distinct counts')
export const b2: Section = (bench) =>
  windowSection(bench, 'product-metrics', 'B2: product-metrics, a minute per product')

/** No window: bounded or live is the same. */
export const b3: Section = async (bench) => {
  const once: Task = { work: 'enriched-orders', side: bounded }
  const peers = duckdbs.map((side): Task => ({ work: 'enriched-orders', side }))
  const taken = await takeTurns(bench, [once, ...peers])
  return {
    title: 'B3: orders validated, enriched with the name of the product, written as JSON',
    measured: [
      ...speeds(taken, once, peers, 'millrace run, cold process', 'cold'),
      ...speeds(taken, once, peers, 'millrace run, warm', 'warm'),
    ],
    notes: [
      `${taken.rows(once).toLocaleString('en-US')} rows, equal to DuckDB's in every run, amounts to the cent`,
      'ours uses one thread; from the bytes of the file (page cache) to a file of rows',
    ],
    skipped: [],
  }
}

async function windowSection(bench: Bench, work: WorkName, title: string): Promise<SectionReport> {
  const once: Task = { work, side: bounded }
  const always: Task = { work, side: live }
  const peers = duckdbs.map((side): Task => ({ work, side }))
  const [peer] = peers
  if (peer === undefined) throw new Error('there is always a peer')
  const taken = await takeTurns(bench, [once, ...peers, always])
  return {
    title,
    measured: [
      ...speeds(taken, once, peers, 'millrace run, cold process', 'cold'),
      ...speeds(taken, once, peers, 'millrace run, warm', 'warm'),
      ...speeds(taken, always, [peer], 'live windows, cold process', 'cold'),
      ...speeds(taken, always, [peer], 'live windows, warm', 'warm'),
      ...memory(taken, once, peer, 'most memory, first run'),
    ],
    notes: [
      `${taken.records.toLocaleString('en-US')} records, ${(taken.inputBytes / 1e6).toFixed(0)} MB, up to 4.9 s out of order; ${taken.rows(once).toLocaleString('en-US')} rows, equal to DuckDB's in every run, money to the cent`,
      'ours uses one thread; from the bytes of the file (page cache) to a file of rows; the start of the process is not counted',
      'live windows: as behind the broker, windows close as the watermark passes them; millrace run closes them at the end of the file',
    ],
    skipped: [],
  }
}
