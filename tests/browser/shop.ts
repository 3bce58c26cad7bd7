// A small shop that moves, behind serve's ports: what the browser tests look at. Its sales come from a seed, its clock
// is the real one, so the page sees figures change each second.
import type { KpiRow, LiveState, ProductRow, SalesEventRow, SecondRow, ServePorts } from '../../src/serve/ports.ts'
import { randomStream } from '../../src/std/random.ts'

export interface Shop {
  readonly ports: ServePorts
  readonly faults: string[]
  /** Stops and starts time: no change is told while it stands still. */
  stop(): void
}
export interface ShopSettings {
  readonly seed: string
  /** Null: no plan keeps the best sellers. */
  readonly products: readonly string[] | null
  /** Without sales nothing is known yet. */
  readonly empty: boolean
  readonly generator: boolean
}

const windowMs = 900_000
const outOfOrderMs = 5_000

export function shop(settings: ShopSettings): Shop {
  const random = randomStream(settings.seed)
  const listeners = new Set<() => void>()
  const faults: string[] = []
  const startedMs = Date.now()
  const seconds: SecondRow[] = []
  let history: KpiRow[] = []
  let total = settings.empty ? 4 : 44_000

  const sellSecond = (secondMs: number): void => {
    const wave = 48 + 14 * Math.sin(secondMs / 61_000) + 7 * Math.sin(secondMs / 9_000)
    const sales = Math.max(0, Math.round(wave + (random.float() - 0.5) * 14))
    seconds.push({ secondMs, sales, revenueMinor: sales * 14_257 + random.below(20_000) })
    if (seconds.length > 300) seconds.shift()
    total += sales - 48
    history.push(row(secondMs + 1000, total, random.below(9)))
    history = history.slice(-60)
  }
  const now = Math.floor(Date.now() / 1000) * 1000
  if (!settings.empty) for (let at = now - 300_000; at < now; at += 1000) sellSecond(at)
  const timer = setInterval(() => {
    if (settings.empty) return
    const last = seconds.at(-1)!.secondMs
    for (let at = last + 1000; at + 1000 <= Date.now(); at += 1000) sellSecond(at)
    for (const listener of listeners) listener()
  }, 250)
  timer.unref()

  const products = (): ProductRow[] | null =>
    settings.products?.map((product, i) => ({
      rank: i + 1,
      product,
      sales: 412 - i * 37,
      revenueMinor: 9_240_100 - i * 911_037,
    })) ?? null
  const events = (): SalesEventRow[] =>
    (settings.products ?? []).slice(0, 3).map((name, i) => ({
      id: `volume/seller/${name}/up/${i}`,
      kind: 'volume',
      direction: 'up',
      of: i === 0 ? null : { type: 'seller', name },
      status: i === 2 ? 'resolved' : 'firing',
      severity: i === 0 ? 'critical' : 'high',
      sinceMs: startedMs - (i + 1) * 720_000,
      detectedMs: startedMs - (i + 1) * 660_000,
      updatedMs: startedMs - i * 60_000,
      resolvedMs: i === 2 ? startedMs - 120_000 : null,
      observed: 431,
      expected: 292.5,
      growth: 0.473,
      confidence: 0.9993,
      sentence: `ACTIVITY SPIKE: +47.3% vs usual | Active sellers: 12/16 | Top seller: ${name} (31%)`,
      recommendation: `Check that stock and checkout keep up, ${name} first.`,
      detections: 12,
      notified: true,
      rule: 'sales-events/volume@1',
    }))
  const live = (): LiveState => ({
    epoch: 3,
    currency: 'BRL',
    scale: 2,
    windowMs,
    slideMs: 1000,
    watermarkMs: settings.empty ? null : Date.now() - 180 - outOfOrderMs,
    eventTimeMaxMs: settings.empty ? null : Date.now() - 180,
    current: history.at(-1) ?? null,
    previous: settings.empty ? null : row(0, 42_100, 4),
    history,
    series: seconds,
    topProducts: products(),
    salesEvents: events(),
  })
  return {
    faults,
    stop: () => clearInterval(timer),
    ports: {
      figures: {
        live: {
          snapshot: live,
          subscribe(listener) {
            listeners.add(listener)
            return () => void listeners.delete(listener)
          },
        },
        status: {
          status: () => ({
            startedMs,
            durability: 'power-cut',
            kafka: '127.0.0.1:9092',
            generator: settings.generator ? { salesPerSecond: 50, seed: settings.seed } : null,
            components: [
              { name: 'broker', state: 'ok', detail: '3 topics, 18 partitions' },
              { name: 'engine', state: 'ok', detail: 'caught up, 2 plans' },
              {
                name: 'generator',
                state: settings.generator ? 'ok' : 'off',
                detail: settings.generator ? '50 sales/s' : 'not wanted',
              },
            ],
            ledger: [
              {
                topic: 'sales',
                in: total + 31,
                processed: total - 4,
                duplicates: 12,
                late: 3,
                deadLettered: 20,
                inFlight: 0,
              },
              {
                topic: 'online-retail',
                in: 541_909,
                processed: 541_909,
                duplicates: 0,
                late: 0,
                deadLettered: 0,
                inFlight: 0,
              },
            ],
          }),
        },
      },
      health: { checks: async () => [{ name: 'broker', ok: true, needed: true, detail: '3 topics' }] },
      tables: null,
      reports: null,
      insights: null,
      ingest: null,
      metrics: null,
      fault: (error, where) => void faults.push(`${where}: ${error.message}`),
    },
  }
}

function row(windowEndMs: number, sales: number, noise: number): KpiRow {
  return {
    windowStartMs: windowEndMs - windowMs,
    windowEndMs,
    sales,
    revenueMinor: sales * 14_257,
    averageTicketMinor: 14_257 + noise * 11,
    activeSellers: 16,
    activeCategories: 214 + (noise % 5),
    activeProducts: 5_207 + noise * 13,
    biggestSaleMinor: 894_000,
    timing: 'early',
  }
}
