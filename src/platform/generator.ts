// The generator at work: minutes behind it at a first start, so that the page has figures at once, then a steady trickle.
import type { Broker } from '../broker/broker.ts'
import { sales } from '../commerce/commerce.ts'
import { batchProducer } from '../connect/batch-producer.ts'
import type { RecordProducer } from '../connect/record-producer.ts'
import { type Profile, salesTraffic, shopBesideSales, type Traffic } from '../generate/generate.ts'
import { partitionId } from '../std/units.ts'
import type { Timer, World } from '../world/world.ts'

/** What the generator has behind it at a first start: so long, and at a high rate no more than so much. */
const seededMsMax = 15 * 60_000
const seededRecordsMax = 100_000
/** Made between two looks at whether the log keeps up. */
const seedRecordsAtOnce = 10_000
/** Of the rest of the shop, whose minutes behind it are made up while the page is there already, in one look. */
const besideAtOnce = 1_000
/** How often the generator looks at the clock. */
const paceMs = 50

export interface GeneratorSettings {
  /** Sales per second. */
  readonly rate: number
  readonly seed: string
  /** `documents` if not given. */
  readonly profile?: Profile
}

export interface Generator {
  start(): void
  stop(): Promise<void>
  readonly failed: Promise<Error>
  /** What stopped it, if it stands still for good. */
  readonly trouble: () => Error | null
  /** Why it waits, if it does: the disk is full. It goes on by itself. */
  readonly pause: () => Error | null
}

export async function startGenerator(
  world: World,
  broker: Broker,
  settings: GeneratorSettings,
  tell: (line: { readonly text: string }) => void,
): Promise<Generator> {
  const isNew = Array.from(
    { length: sales.partitions },
    (_, partition) => broker.offsets(sales.topic, partitionId(partition)).end,
  ).every((end) => end === 0)
  const seededMs = Math.min(seededMsMax, Math.floor((seededRecordsMax / settings.rate) * 1_000))
  const startMs = world.clock.nowMs() - (isNew ? seededMs : 0)
  const { profile = 'documents' } = settings
  // Steady in both: a first look at night must not be at an empty page.
  const traffic = salesTraffic(settings.seed, { ratePerSecond: settings.rate, startMs, steady: true, profile })
  const producer = inProcessProducer(world, broker, await broker.newProducerId())
  if (isNew) {
    tell({ text: `generating the last ${Math.round(seededMs / 60_000)} minutes of sales` })
    const untilMs = world.clock.nowMs()
    while (traffic.produceUntil(untilMs, producer, seedRecordsAtOnce) === seedRecordsAtOnce) await producer.room()
    await producer.flush()
  }
  const { promise: failed, resolve: fail } = Promise.withResolvers<Error>()
  let trouble: Error | null = null
  let timer: Timer | null = null
  let stopped = false
  let beside: Traffic | null = null
  const step = (): void => {
    try {
      // While the log is slow nothing is made up: what is due waits for the next look.
      if (producer.room() === null) {
        const nowMs = world.clock.nowMs()
        traffic.produceUntil(nowMs, producer, Math.ceil(settings.rate))
        // Made only now: its visitors take a moment to come, which the first figures do not wait for.
        beside ??= shopBesideSales(settings.seed, { startMs, steady: true, profile })
        beside.produceUntil(nowMs, producer, besideAtOnce)
      }
      if (!stopped) timer = world.clock.timer(paceMs, step)
    } catch (error) {
      trouble = error instanceof Error ? error : new Error(String(error))
      fail(trouble)
    }
  }
  return {
    start: step,
    async stop() {
      stopped = true
      timer?.cancel()
      // On a full disk what was made up and not taken is let go.
      if (trouble === null && producer.trouble() === null) await producer.close()
    },
    failed,
    trouble: () => trouble,
    pause: () => producer.trouble(),
  }
}

/** Records straight into the log, numbered, so that none is doubled. */
export function inProcessProducer(
  world: World,
  broker: Broker,
  producer: { readonly producerId: bigint; readonly epoch: number },
): RecordProducer {
  return batchProducer(
    world,
    {
      partitions: (topic) => broker.topic(topic)?.partitions ?? null,
      append: (topic, partition, batch) => broker.append(topic, partition, batch),
    },
    // In one process compression would cost twice and send nothing over a wire.
    { producer, compression: 'none' },
  )
}
