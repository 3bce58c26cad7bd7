// Reports: a plan over all that its topic holds now, its rows in the report's own words.
import { contracts, type Report, type ReportRow, reports } from '../commerce/commerce.ts'
import { ensureTopic, runOverLog } from '../connect/connect.ts'
import { type ResultValue, resultRow } from '../engine/engine.ts'
import type { Log } from '../log/log.ts'
import type { ServePorts } from '../serve/ports.ts'
import { assert } from '../std/assert.ts'
import type { World } from '../world/world.ts'

export function reportsPort(world: World, log: Log): NonNullable<ServePorts['reports']> {
  return {
    list: () => [...reports.values()].map(({ name, doc }) => ({ name, doc })),
    async run(name, signal) {
      const report = reports.get(name)
      assert(report !== undefined, `serving asked for the report ${name}, which is not listed`)
      const { rows, records } = await reportRows(world, log, report, signal)
      return { columns: report.columns, rows, records, watermarkMs: null }
    },
  }
}

export async function reportRows(
  world: World,
  log: Log,
  report: Report,
  signal: AbortSignal | null,
): Promise<{ readonly rows: ReportRow[]; readonly records: number }> {
  for (const topic of Object.keys(report.plan.contracts)) {
    const contract = contracts.get(topic)
    assert(contract !== undefined, `report ${report.name} reads ${topic}, which has no contract`)
    await ensureTopic(log, { name: topic, partitions: contract.partitions })
  }
  const { results, records } = await runOverLog(world, log, report.plan, signal)
  const rows = results.flatMap((batch) =>
    Array.from({ length: batch.count }, (_, row) => report.row(inNumbers(resultRow(batch, row)))),
  )
  return { rows, records }
}

/** Rows of reports are plain numbers: a figure beyond 2^53 minor units is refused, not rounded. */
function inNumbers(row: Readonly<Record<string, ResultValue>>): ReportRow {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      assert(typeof value !== 'bigint', `column ${name} of a report has ${value} minor units, more than 2^53`)
      return [name, value]
    }),
  )
}
