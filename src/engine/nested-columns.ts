// Columns of a batch as projections want them, and what fills those of fields inside objects and lists from parsed JSON.
// What comes here has passed its contract, so only values are read, not judged.
import type { Contract } from '../query/contract.ts'
import { assert } from '../std/assert.ts'
import type { BatchColumn, ListColumn, ValueColumn } from './columns.ts'
import { elementName, type Projection } from './decoder.ts'
import { Dictionary } from './dictionary.ts'
import { type FieldReader, type Inside, isObject, memberOf } from './field-readers.ts'
import { grownBytes, grownFloats, grownInts } from './int-set.ts'
import { pseudoName } from './pseudo-columns.ts'

export function columnsFor(
  projections: readonly Projection[],
  dictionaries: { readonly [column: string]: Dictionary<string> },
): BatchColumn[] {
  return projections.map(({ name, as, elements = [] }): BatchColumn => {
    if (as !== 'list') return valueColumn(as, dictionaries[name])
    return {
      kind: 'list',
      count: 0,
      parents: new Int32Array(0),
      first: new Int32Array(1),
      isNull: new Uint8Array(0),
      elements: elements.map((element) => {
        assert(element.as !== 'list', `list '${name}': lists inside lists are no columns`)
        return valueColumn(element.as, dictionaries[elementName(name, element.name)])
      }),
    }
  })
}
function valueColumn(as: 'number' | 'id' | 'text', dictionary: Dictionary<string> | undefined): ValueColumn {
  if (as === 'number') return { kind: 'number', values: new Float64Array(0) }
  if (as === 'text') return { kind: 'text', values: [] }
  return { kind: 'id', values: new Int32Array(0), dictionary: dictionary ?? new Dictionary() }
}
/** Room for so many rows; elements of lists find theirs as they come. */
export function growColumn(column: BatchColumn, rows: number): void {
  if (column.kind === 'number') column.values = grownFloats(column.values, rows)
  else if (column.kind === 'id') column.values = grownInts(column.values, rows)
  else if (column.kind === 'list') {
    column.first = grownInts(column.first, rows + 1)
    column.isNull = grownBytes(column.isNull, rows)
  }
}
export function put(column: ValueColumn, row: number, inside: Inside): void {
  if (column.kind === 'number') column.values[row] = typeof inside === 'number' ? inside : Number.NaN
  else if (column.kind === 'id') column.values[row] = typeof inside === 'string' ? column.dictionary.idOf(inside) : -1
  else column.values[row] = typeof inside === 'string' ? inside : null
}

/** Takes from a field's parsed value what is wanted of its inside. */
export interface NestedTarget {
  take(value: unknown, row: number): void
}

/** For each reader the targets inside its field, in the order of the projections. */
export function nestedTargets(
  contract: Contract,
  readers: readonly FieldReader[],
  projections: readonly Projection[],
  columns: readonly BatchColumn[],
): NestedTarget[][] {
  const targets: NestedTarget[][] = readers.map(() => [])
  projections.forEach(({ name, elements = [] }, i) => {
    const column = columns[i]!
    // A field whose own name has a point goes before one inside another.
    const whole = readers.findIndex((reader) => reader.name === name)
    if (column.kind === 'list') {
      assert(whole >= 0 && readers[whole]!.element !== null, `list '${name}' is a list of the contract`)
      targets[whole]!.push(listTarget(readers[whole]!, elements, column))
      return
    }
    if (whole >= 0 || pseudoName(contract, name) !== null) return
    const at = readers.findIndex((reader) => reader.element === null && name.startsWith(`${reader.name}.`))
    const path = at < 0 ? null : pathTo(readers[at]!, name)
    assert(path !== null, `'${name}' is a field of the contract`)
    targets[at]!.push({ take: (value, row) => put(column, row, insideOf(value, path)) })
  })
  return targets
}

function listTarget(reader: FieldReader, wanted: readonly Projection[], list: ListColumn): NestedTarget {
  const reads = wanted.map(({ name }): ((value: unknown) => Inside) => {
    if (name === '') {
      const { element } = reader
      assert(element !== null && reader.inner.length === 0, `list '${reader.name}' holds plain values`)
      return element
    }
    const path = pathTo(reader, `${reader.name}[].${name}`)
    assert(path !== null, `'${name}' is a field of the elements of '${reader.name}'`)
    return (value) => insideOf(value, path)
  })
  return {
    take(value, row) {
      const from = list.first[row]!
      const elements: readonly unknown[] = Array.isArray(value) ? value : []
      const to = from + elements.length
      list.isNull[row] = Array.isArray(value) ? 0 : 1
      list.parents = grownInts(list.parents, to)
      list.parents.fill(row, from, to)
      for (let k = 0; k < reads.length; k++) {
        const column = list.elements[k]!
        growColumn(column, to)
        const read = reads[k]!
        for (let i = 0; i < elements.length; i++) put(column, from + i, read(elements[i]))
      }
      // A row that is refused after all is overwritten, and this with it.
      list.first[row + 1] = to
    },
  }
}

/** The readers from inside one to the field of that full name; null where there is none. */
function pathTo(reader: FieldReader, name: string): readonly FieldReader[] | null {
  for (const inner of reader.inner) {
    if (inner.name === name) return [inner]
    if (inner.element !== null || !name.startsWith(`${inner.name}.`)) continue
    const rest = pathTo(inner, name)
    if (rest !== null) return [inner, ...rest]
  }
  return null
}
/** Null where an object on the way is. */
function insideOf(value: unknown, path: readonly FieldReader[]): Inside {
  let found: unknown = value
  for (const reader of path.slice(0, -1)) {
    if (!isObject(found)) return null
    found = memberOf(found, reader.names)
  }
  return isObject(found) ? path.at(-1)!.read(memberOf(found, path.at(-1)!.names)) : null
}
