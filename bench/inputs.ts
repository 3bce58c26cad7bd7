// The generated input files of the window benches: made once per set of parameters, kept, and used by ours and the peer.
import { createHash } from 'node:crypto'
import {
  closeSync,
  globSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ordersTraffic, salesTraffic } from '../src/generate/generate.ts'
import type { RecordSink } from '../src/generate/sink.ts'
import { randomStream } from '../src/std/random.ts'

/** `sales-late`: the same sales, but 1 % of them stand up to a minute further back in the file. */
export type InputKind = 'sales' | 'sales-late' | 'orders'
export interface Input {
  readonly path: string
  readonly records: number
  readonly bytes: number
}

const seed = 'bench'
const startMs = Date.UTC(2026, 0, 1)
/** Records a second of event time, as in the published comparison: a full file is 33 minutes of sales, 17 of orders. */
const ratePerSecond = { sales: 1_000, orders: 2_000 }
const lateShare = 0.01
/** A held back record is never more than the 60 s of allowed lateness late: its own disorder of up to 4.9 s is left room. */
const heldBackMsMin = 10_000
const heldBackMsMax = 54_000

/** Finds the file or makes it. `say` is told when it takes a while. */
export function input(dir: string, kind: InputKind, records: number, say: (text: string) => void): Input {
  mkdirSync(dir, { recursive: true })
  const path = join(dir, `${kind}-${records}-${generatorVersion()}.ndjson`)
  const found = statSync(path, { throwIfNoEntry: false })
  if (found !== undefined) return { path, records, bytes: found.size }
  removeOutdated(dir, kind)
  say(`making ${records.toLocaleString('en-US')} ${kind} in ${path}`)
  // A file under its own name is always whole.
  const unfinished = `${path}.${process.pid}.part`
  const file = lineFile(unfinished)
  if (kind === 'sales-late') {
    const delayed = holdBack(file.record)
    salesTraffic(seed, { ratePerSecond: ratePerSecond.sales, startMs, steady: true }).produceUntil(
      Number.POSITIVE_INFINITY,
      delayed,
      records,
    )
    delayed.release(Number.POSITIVE_INFINITY)
  } else {
    const traffic = kind === 'sales' ? salesTraffic : ordersTraffic
    traffic(seed, { ratePerSecond: ratePerSecond[kind], startMs, steady: true }).produceUntil(
      Number.POSITIVE_INFINITY,
      { record: (_topic, _key, value) => file.record(value) },
      records,
    )
  }
  const bytes = file.close()
  renameSync(unfinished, path)
  return { path, records, bytes }
}

/** Files of an older generator are of no more use, and large. */
function removeOutdated(dir: string, kind: InputKind): void {
  const made = new RegExp(`^${kind}-\\d+-([0-9a-f]{10})\\.ndjson$`)
  for (const name of readdirSync(dir)) {
    const version = made.exec(name)?.[1]
    if (version !== undefined && version !== generatorVersion()) rmSync(join(dir, name), { force: true })
  }
}

/** Changes with the generator's code, so that an old file is never measured as a new one. */
function generatorVersion(): string {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const hash = createHash('sha256')
  const sources = ['src/generate/*.ts', 'src/commerce/contracts/*.ts', 'src/std/random.ts', 'bench/inputs.ts']
  for (const file of sources.flatMap((pattern) => globSync(pattern, { cwd: root })).sort())
    if (!file.endsWith('.test.ts')) hash.update(file).update(readFileSync(join(root, file)))
  return hash.digest('hex').slice(0, 10)
}

function lineFile(path: string): { record(value: Uint8Array): void; close(): number } {
  const file = openSync(path, 'wx')
  const buffer = Buffer.allocUnsafe(1 << 20)
  let filled = 0
  let written = 0
  const flush = (): void => {
    for (let at = 0; at < filled; ) at += writeSync(file, buffer, at, filled - at)
    written += filled
    filled = 0
  }
  return {
    record(value) {
      if (filled + value.length + 1 > buffer.length) flush()
      buffer.set(value, filled)
      filled += value.length
      buffer[filled++] = 10
    },
    close() {
      flush()
      closeSync(file)
      return written
    },
  }
}

/** Lets 99 % of the records pass and the others wait, on the generator's clock. */
function holdBack(pass: (value: Uint8Array) => void): RecordSink & { release(untilMs: number): void } {
  const random = randomStream(seed).fork('late')
  const waiting = new Map<number, Uint8Array[]>()
  let releasedSecond = Math.floor(startMs / 1000)
  const release = (untilMs: number): void => {
    const until = Math.min(Math.floor(untilMs / 1000), Math.max(releasedSecond, ...waiting.keys()) + 1)
    for (; releasedSecond < until; releasedSecond++) {
      for (const value of waiting.get(releasedSecond) ?? []) pass(value)
      waiting.delete(releasedSecond)
    }
  }
  return {
    release,
    record(_topic, _key, value, timeMs) {
      if (Math.floor(timeMs / 1000) > releasedSecond) release(timeMs)
      if (random.float() >= lateShare) {
        pass(value)
        return
      }
      const second = Math.floor((timeMs + heldBackMsMin + random.below(heldBackMsMax - heldBackMsMin)) / 1000)
      const others = waiting.get(second)
      if (others === undefined) waiting.set(second, [value.slice()])
      else others.push(value.slice())
    },
  }
}
