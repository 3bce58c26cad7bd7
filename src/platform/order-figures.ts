// How the orders pipeline is doing (O4): how many a second, how many of the valid ones failed, what was rejected.
import type { LogJob } from '../connect/connect.ts'
import type { OrdersState } from '../serve/books-ports.ts'
import type { Timer, World } from '../world/world.ts'
import type { OrderSink } from './order-sink.ts'

/** The rate is that of so long. */
const rateMs = 10_000
const sampleEveryMs = 1_000

export interface OrderFigures {
  read(): OrdersState
  stop(): void
}

export function orderFigures(
  world: World,
  processor: Pick<LogJob, 'ledger' | 'trouble'>,
  sink: Pick<OrderSink, 'lines' | 'path'>,
): OrderFigures {
  const samples: { readonly atMs: number; readonly processed: number }[] = []
  let timer: Timer | null = null
  const sums = () => {
    const sum = { received: 0, processed: 0, duplicates: 0, rejected: 0, inFlight: 0, lost: 0 }
    for (const line of processor.ledger()) {
      sum.received += line.in
      sum.processed += line.processed + line.late
      sum.duplicates += line.duplicates
      sum.rejected += line.deadLettered
      sum.inFlight += line.inFlight
      sum.lost += Math.abs(line.imbalance)
    }
    return sum
  }
  const sample = (): void => {
    const atMs = world.clock.monoMs()
    samples.push({ atMs, processed: sums().processed })
    while (samples.length > 1 && samples[0]!.atMs < atMs - rateMs) samples.shift()
    timer = world.clock.timer(sampleEveryMs, sample, { background: true })
  }
  sample()
  return {
    read() {
      const { lost, ...sum } = sums()
      const [first] = samples
      const elapsedMs = first === undefined ? 0 : world.clock.monoMs() - first.atMs
      const done = sum.received - sum.inFlight
      return {
        ...sum,
        perSecond: first === undefined || elapsedMs === 0 ? 0 : ((sum.processed - first.processed) / elapsedMs) * 1_000,
        // Rejects are wrong themselves; what counts is what was right and is nowhere.
        errorRate: done === 0 ? 0 : lost / done,
        metricsLines: sink.lines(),
        metricsFile: sink.path,
      }
    },
    stop: () => timer?.cancel(),
  }
}
