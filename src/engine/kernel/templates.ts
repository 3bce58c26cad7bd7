// The templates of one decoder: learned from records that only JSON could read, tried in the order of their success,
// the least used one replaced when a new shape comes.
import { type FieldTable, type KernelField, unknownField, writeField } from './field-table.ts'
import type { KernelMemory } from './kernel-memory.ts'
import {
  FIELD_BYTES,
  OUTPUT_NONE,
  T_FIELDS,
  T_HITS,
  T_MISSING,
  T_TAIL,
  T_TAIL_LENGTH,
  TEMPLATE_BYTES,
  TEMPLATE_COUNT,
  TEMPLATE_HEAD_BYTES,
  TEMPLATE_ORDER,
  TEMPLATES,
  TEMPLATES_MAX,
} from './layout.ts'
import { type RecordShape, shapeOf } from './record-shape.ts'

/** After a lesson in vain so many records are passed over, doubling up to this: learning must not cost what it saves. */
const PASSED_OVER_MAX = 1024

export class Templates {
  readonly #memory: KernelMemory
  readonly #table: FieldTable
  /** Texts of the literals of each template in its slot: what tells two shapes apart. */
  readonly #known: string[] = []
  #order: number[] = []
  #passOver = 0
  #passing = 1

  constructor(memory: KernelMemory, table: FieldTable) {
    this.#memory = memory
    this.#table = table
  }

  /** Takes in the shape of a record that JSON has accepted. */
  learn(bytes: Uint8Array, start: number, end: number): void {
    if (this.#passOver > 0) {
      this.#passOver--
      return
    }
    const isFull = this.#known.length === TEMPLATES_MAX
    if (this.#take(bytes, start, end) && !isFull) this.#passing = 1
    else {
      this.#passOver = this.#passing
      this.#passing = Math.min(this.#passing * 2, PASSED_OVER_MAX)
    }
  }
  #take(bytes: Uint8Array, start: number, end: number): boolean {
    const shape = shapeOf(bytes, start, end)
    if (shape === null) return false
    const fields = shape.fields.map(({ name }) => this.#table.byName.get(name) ?? unknownField)
    const known = fields.filter((field) => field !== unknownField)
    // Two names of one field in one record: which of them counts is for JSON to say.
    if (new Set(known).size !== known.length) return false
    const text = [...shape.fields.map(({ from, to }) => latin1(bytes, from, to)), latin1(bytes, shape.tailFrom, end)]
    const signature = text.join('\n\n')
    if (this.#known.includes(signature)) return false
    const missing = this.#table.fields.filter(
      (field) => !known.includes(field) && (field.output !== OUTPUT_NONE || field.isEventTime),
    )
    const slot = this.#freeSlot()
    if (!this.#write(slot, bytes, end, shape, fields, missing)) return false
    this.#known[slot] = signature
    if (!this.#order.includes(slot)) this.#order.push(slot)
    this.#writeOrder()
    return true
  }
  #freeSlot(): number {
    return this.#known.length < TEMPLATES_MAX ? this.#known.length : (this.#order.at(-1) ?? 0)
  }
  /** False if it does not fit a slot. */
  #write(
    slot: number,
    bytes: Uint8Array,
    end: number,
    shape: RecordShape,
    fields: readonly KernelField[],
    missing: readonly KernelField[],
  ): boolean {
    const { view } = this.#memory
    const template = addressOf(slot)
    const literalBytes = shape.fields.reduce((sum, { from, to }) => sum + to - from, end - shape.tailFrom)
    const literals = template + TEMPLATE_HEAD_BYTES + (fields.length + missing.length) * FIELD_BYTES
    // Literals are compared 16 bytes at a time, past the last one's end.
    if (literals + literalBytes + 16 > template + TEMPLATE_BYTES) return false
    let field = template + TEMPLATE_HEAD_BYTES
    let literal = literals
    const writeLiteral = (from: number, to: number): number => {
      const address = literal
      this.#memory.bytes.set(bytes.subarray(from, to), address)
      literal += to - from
      return address
    }
    shape.fields.forEach(({ from, to }, i) => {
      writeField(view, field, fields[i] ?? unknownField, writeLiteral(from, to), to - from)
      field += FIELD_BYTES
    })
    for (const one of missing) {
      writeField(view, field, one, 0, 0)
      field += FIELD_BYTES
    }
    view.setUint32(template + T_FIELDS, fields.length, true)
    view.setUint32(template + T_TAIL, writeLiteral(shape.tailFrom, end), true)
    view.setUint32(template + T_TAIL_LENGTH, end - shape.tailFrom, true)
    view.setUint32(template + T_MISSING, missing.length, true)
    view.setUint32(template + T_HITS, 0, true)
    return true
  }

  /** Between batches: what matched most is tried first; old success counts half. */
  reorder(): void {
    if (this.#order.length < 2) return
    const { view } = this.#memory
    const hits = (slot: number): number => view.getUint32(addressOf(slot) + T_HITS, true)
    this.#order = this.#order.toSorted((a, b) => hits(b) - hits(a))
    for (const slot of this.#order) view.setUint32(addressOf(slot) + T_HITS, hits(slot) >>> 1, true)
    this.#writeOrder()
  }
  #writeOrder(): void {
    const { view } = this.#memory
    view.setUint32(TEMPLATE_COUNT, this.#order.length, true)
    this.#order.forEach((slot, i) => {
      view.setUint32(TEMPLATE_ORDER + i * 4, addressOf(slot), true)
    })
  }
}

const addressOf = (slot: number): number => TEMPLATES + slot * TEMPLATE_BYTES

function latin1(bytes: Uint8Array, from: number, to: number): string {
  let text = ''
  for (let i = from; i < to; i++) text += String.fromCharCode(bytes[i]!)
  return text
}
