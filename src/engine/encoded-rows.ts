// Result rows as JSON bytes, a batch at a time: lines, or the keys, values and evidence of records. By the encoder's kernel
// where it was built, else as strings; the same bytes.
import type { EncodedRecords, EncodedRows, ResultBatch, ResultColumn } from './engine.ts'
import {
  STEP_BOOL,
  STEP_DATE,
  STEP_DECIMAL,
  STEP_EPOCH_SECONDS,
  STEP_EXACT_TIME,
  STEP_FLOAT,
  STEP_MILLISECONDS,
  STEP_SECONDS,
} from './kernel/encode-layout.ts'
import { encoderModule } from './kernel/kernel-file.ts'
import { RowEncoder, type RowStep } from './kernel/row-encoder.ts'
import { evidenceJson, keyColumn, keyJson, keyText, recordJson, rowJson, upsertKey, valueJson } from './result-rows.ts'
import { timings } from './results.ts'

const encoder = new TextEncoder()
/** One for the process: its memory is used anew by each call. */
let shared: RowEncoder | null | undefined
function rowEncoder(): RowEncoder | null {
  if (shared === undefined) {
    const module = encoderModule()
    shared = module === null ? null : new RowEncoder(module)
  }
  return shared
}

export function rowsJson(batch: ResultBatch, last: string, by: RowEncoder | null = rowEncoder()): EncodedRows {
  const steps: RowStep[] = [...valueSteps(batch, last), { kind: 'end', literal: bytesOf('}\n') }]
  const encoded = by?.encode(steps, batch.count) ?? null
  return encoded ?? joined(batch.count, 1, (row) => [`${rowJson(batch, row).slice(0, -1)}${last}}\n`])
}

export function recordsJson(batch: ResultBatch, last: string, by: RowEncoder | null = rowEncoder()): EncodedRecords {
  const steps: RowStep[] = [
    ...keySteps(batch),
    ...valueSteps(batch, last),
    {
      kind: 'choice',
      literal: bytesOf(',"timing":'),
      values: batch.timing,
      of: timings.map((name) => bytesOf(`"${name}"`)),
    },
    { kind: 'end', literal: bytesOf('}') },
    ...evidenceSteps(batch),
    { kind: 'end', literal: bytesOf(']') },
  ]
  const encoded =
    by?.encode(steps, batch.count) ??
    joined(batch.count, 3, (row) => [keyText(batch, row) ?? '', recordJson(batch, row, last), evidenceJson(batch, row)])
  const named = keyColumn(batch)
  const isUpsert = upsertKey(batch) !== null
  return { ...encoded, hasKey: named === null ? () => isUpsert : (row) => named.texts.starts[row] !== -1 }
}

function valueSteps(batch: ResultBatch, last: string): RowStep[] {
  const { columns, final } = batch
  const { finalColumn } = batch.plan.output
  const steps = columns.map((column, i) =>
    valueStep(batch, column, `${i === 0 ? '{' : ','}${JSON.stringify(column.name)}:`, false),
  )
  if (columns.length === 0) steps.push({ kind: 'literal', literal: bytesOf('{') })
  if (finalColumn !== null) {
    const literal = bytesOf(`${columns.length === 0 ? '' : ','}${JSON.stringify(finalColumn)}:`)
    steps.push({ kind: 'choice', literal, values: final, of: [bytesOf('false'), bytesOf('true')] })
  }
  // It changes with time: nothing to remember.
  if (last !== '') steps.push({ kind: 'literal', literal: encoder.encode(last) })
  return steps
}
function keySteps(batch: ResultBatch): RowStep[] {
  const nothing = bytesOf('')
  const named = keyColumn(batch)
  if (named !== null)
    return [
      { kind: 'plain-text', literal: nothing, texts: named.texts },
      { kind: 'end', literal: nothing },
    ]
  const key = upsertKey(batch)
  if (key === null) return [{ kind: 'end', literal: nothing }]
  const steps = key.map((name, i): RowStep => {
    const before = i === 0 ? '[' : ','
    const column = batch.columns.find((one) => one.name === name)
    if (column === undefined) return { kind: 'literal', literal: bytesOf(`${before}null`) }
    return valueStep(batch, column, before, true)
  })
  return [...steps, { kind: 'end', literal: bytesOf(']') }]
}
function evidenceSteps({ plan, spans }: ResultBatch): RowStep[] {
  const isOfSeveral = Object.keys(plan.contracts).length > 1
  const lanes = spans.lanes.map(({ topic, partition }) => ({
    before: bytesOf(`[${partition},`),
    behind: bytesOf(isOfSeveral ? `,${JSON.stringify(topic)}]` : ']'),
  }))
  return [{ kind: 'evidence', literal: bytesOf('['), spans, lanes }]
}

/** Scales up to 16 are the kernel's. */
const SCALE_MAX = 16

/** In a key times are never cut. */
function valueStep(batch: ResultBatch, column: ResultColumn, before: string, inKey: boolean): RowStep {
  const literal = bytesOf(before)
  const { output } = batch.plan
  if (column.kind === 'text') return { kind: 'text', literal, texts: column.texts }
  const slow = (row: number): string => (inKey ? keyJson : valueJson)(column, row, output)
  const { type, values, high } = column
  const number = (step: number, scale = 0): RowStep => ({ kind: 'number', literal, step, scale, values, slow })
  if (high !== null) return { kind: 'asked', literal, slow }
  switch (type.kind) {
    case 'int64':
      return number(STEP_DECIMAL)
    case 'float64':
      return number(STEP_FLOAT)
    case 'bool':
      return number(STEP_BOOL)
    case 'date':
      return number(STEP_DATE)
    case 'money':
    case 'decimal':
      return type.scale > SCALE_MAX ? { kind: 'asked', literal, slow } : number(STEP_DECIMAL, type.scale)
    case 'timestamp':
      switch (output.times) {
        case 'iso-seconds':
          return number(inKey ? STEP_EXACT_TIME : STEP_SECONDS)
        case 'iso-milliseconds':
          return number(STEP_MILLISECONDS)
        case 'epoch-seconds':
          return inKey ? number(STEP_DECIMAL, 3) : number(STEP_EPOCH_SECONDS)
        case 'epoch-milliseconds':
          return number(STEP_DECIMAL)
      }
      break
    default:
      return { kind: 'asked', literal, slow }
  }
}

const known = new Map<string, Uint8Array>()
const knownMax = 4096
/** Literals of a plan are the same each time. */
function bytesOf(text: string): Uint8Array {
  let bytes = known.get(text)
  if (bytes === undefined) {
    if (known.size >= knownMax) known.clear()
    bytes = encoder.encode(text)
    known.set(text, bytes)
  }
  return bytes
}

/** The parts of each row behind each other. */
function joined(
  count: number,
  parts: number,
  partsOf: (row: number) => readonly string[],
): { bytes: Uint8Array<ArrayBuffer>; ends: Int32Array<ArrayBuffer> } {
  const encoded: Uint8Array[] = []
  const ends = new Int32Array(count * parts)
  let at = 0
  for (let row = 0; row < count; row++)
    for (const [i, part] of partsOf(row).entries()) {
      const bytes = encoder.encode(part)
      encoded.push(bytes)
      at += bytes.length
      ends[row * parts + i] = at
    }
  const all = new Uint8Array(at)
  at = 0
  for (const bytes of encoded) {
    all.set(bytes, at)
    at += bytes.length
  }
  return { bytes: all, ends }
}
