// Section `growth`: what it costs that the window moves each second instead of each minute, and that records come late.
import type { Measured } from './report.ts'
import type { Section } from './section.ts'
import { duckdb, live, type Side, secondsOf, sideName, type Taken, type Task, takeTurns } from './window-runs.ts'

export const growth: Section = async (bench) => {
  const minute = (side: Side): Task => ({ work: 'sales-window-60s', side })
  const second = (side: Side): Task => ({ work: 'sales-window', side })
  const late = (side: Side): Task => ({ work: 'sales-window', side, kind: 'sales-late' })
  const always = { minute: minute(live), second: second(live), late: late(live) }
  const peer = { minute: minute(duckdb), second: second(duckdb), late: late(duckdb) }
  // What is divided by what stands side by side, so that a busy moment of the machine weighs on both.
  const taken = await takeTurns(bench, [peer.minute, peer.second, peer.late, always.minute, always.second, always.late])
  const count = (task: Task): string => taken.rows(task).toLocaleString('en-US')
  return {
    title: 'Growth: time with a slide of 1 s as a multiple of the time with 60 s; with late records, of that without',
    measured: [
      times(taken, 'slide 60 s -> 1 s', [always.second, always.minute], [peer.second, peer.minute]),
      times(taken, '1 % late by up to 60 s', [always.late, always.second], [peer.late, peer.second]),
    ],
    notes: [
      'warm, live windows: as behind the broker, they close as the watermark passes them',
      `${count(peer.minute)} rows each minute, ${count(peer.second)} each second, ${count(peer.late)} from the late file, all equal to DuckDB's`,
      'late: the file in which 1 % of the sales stand 10 to 54 s further back; all are within the allowed lateness of 60 s',
    ],
    skipped: [],
  }
}

type Fraction = readonly [of: Task, over: Task]
function times(taken: Taken, what: string, ours: Fraction, peer: Fraction): Measured {
  const byRound = ([of, over]: Fraction): number[] => {
    const base = secondsOf(taken, over, 'warm')
    return secondsOf(taken, of, 'warm').map((seconds, round) => seconds / (base[round] ?? Number.NaN))
  }
  return {
    what,
    unit: 'times',
    ours: byRound(ours),
    peer: { name: sideName(peer[0].side), values: byRound(peer) },
  }
}
