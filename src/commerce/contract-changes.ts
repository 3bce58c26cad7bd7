// What differs between two versions of a contract, and whom it hurts: those who read old records by the new version
// (backward) or new records by the old one (forward). Fields that a version does not name pass unread, so they hurt nobody.
import type { Contract, Field, Fields, FieldType, Rule } from '../query/contract.ts'
import { unreachable } from '../std/assert.ts'

export interface ContractChange {
  /** The field, with dots; empty: the topic itself. */
  readonly path: string
  readonly change: string
  /** Old records are still read by the new version. */
  readonly backward: boolean
  /** New records are still read by the old version. */
  readonly forward: boolean
}

export function contractChanges(before: Contract, after: Contract): ContractChange[] {
  const changes: ContractChange[] = []
  for (const what of ['key', 'eventTime', 'identity', 'partitions'] as const)
    if (before[what] !== after[what])
      changes.push({ path: '', change: `${what} ${before[what]} -> ${after[what]}`, backward: false, forward: false })
  compareFields(before.fields, after.fields, '', changes)
  return changes
}

/** Is any change one that old records do not survive? */
export function isBreaking(changes: readonly ContractChange[]): boolean {
  return changes.some(({ backward }) => !backward)
}

const isRequired = ({ nullable, default: stands }: Field): boolean => !nullable && stands === undefined

function compareFields(before: Fields, after: Fields, prefix: string, changes: ContractChange[]): void {
  const renamed = new Set<string>()
  for (const [name, old] of Object.entries(before)) {
    const path = `${prefix}${name}`
    const now = after[name]
    if (now !== undefined) {
      compareField(old, now, path, changes)
      continue
    }
    const heir = Object.entries(after).find(([other, { aliases = [] }]) => !(other in before) && aliases.includes(name))
    if (heir === undefined) changes.push({ path, change: 'removed', backward: true, forward: !isRequired(old) })
    else {
      const [other, field] = heir
      renamed.add(other)
      const isKnown = (old.aliases ?? []).includes(other) || !isRequired(old)
      changes.push({ path, change: `renamed to ${other}, alias kept`, backward: true, forward: isKnown })
      compareField(old, field, `${prefix}${other}`, changes)
    }
  }
  for (const [name, now] of Object.entries(after)) {
    if (name in before || renamed.has(name)) continue
    const required = isRequired(now)
    const change = required ? 'added, required' : 'added, optional'
    changes.push({ path: `${prefix}${name}`, change, backward: !required, forward: true })
  }
}

function compareField(before: Field, after: Field, path: string, changes: ContractChange[]): void {
  const add = (change: string, backward: boolean, forward: boolean): void => {
    changes.push({ path, change, backward, forward })
  }
  if (isRequired(before) !== isRequired(after))
    isRequired(after) ? add('required now', false, true) : add('optional now', true, false)
  for (const alias of before.aliases ?? [])
    if (!(after.aliases ?? []).includes(alias)) add(`alias ${alias} dropped`, false, true)
  for (const alias of after.aliases ?? [])
    if (!(before.aliases ?? []).includes(alias)) add(`alias ${alias} added`, true, !isRequired(before))
  compareType(before.type, after.type, path, changes)
  compareRules(before.rules ?? [], after.rules ?? [], add)
}

function compareType(before: FieldType, after: FieldType, path: string, changes: ContractChange[]): void {
  if (before.kind === 'struct' && after.kind === 'struct') {
    compareFields(before.fields, after.fields, `${path}.`, changes)
    return
  }
  if (before.kind === 'array' && after.kind === 'array') {
    compareType(before.of, after.of, `${path}[]`, changes)
    return
  }
  if (JSON.stringify(before) === JSON.stringify(after)) return
  const wide = isWider(before, after)
  const narrow = isWider(after, before)
  const word = wide ? 'widened' : narrow ? 'narrowed' : 'changed'
  const change = `type ${word}: ${typeName(before)} -> ${typeName(after)}`
  changes.push({ path, change, backward: wide, forward: narrow })
}

const typeName = (type: FieldType): string =>
  'scale' in type ? `${type.kind}(${type.scale}${type.kind === 'money' ? ` ${type.currency}` : ''})` : type.kind

/** Is every value of the one a value of the other, as it is written? */
function isWider(from: FieldType, to: FieldType): boolean {
  switch (to.kind) {
    case 'decimal':
      return from.kind === 'int64' || (from.kind === 'decimal' && to.scale >= from.scale)
    case 'money':
      return from.kind === 'money' && from.currency === to.currency && to.scale >= from.scale
    case 'float64':
      return from.kind === 'int64' || from.kind === 'decimal'
    case 'string':
      return from.kind === 'uuid' || from.kind === 'date' || from.kind === 'timestamp'
    case 'bool':
    case 'int64':
    case 'bytes':
    case 'uuid':
    case 'timestamp':
    case 'date':
    case 'struct':
    case 'array':
      return false
    default:
      return unreachable(to)
  }
}

function compareRules(
  before: readonly Rule[],
  after: readonly Rule[],
  add: (change: string, backward: boolean, forward: boolean) => void,
): void {
  for (const kind of ['above', 'at-least', 'one-of'] as const) {
    const old = before.find(({ rule }) => rule === kind)
    const now = after.find(({ rule }) => rule === kind)
    if (JSON.stringify(old) === JSON.stringify(now)) continue
    if (old === undefined) add(`rule ${kind} added`, false, true)
    else if (now === undefined) add(`rule ${kind} dropped`, true, false)
    else if (old.rule === 'one-of' && now.rule === 'one-of') {
      const gone = old.values.filter((value) => !now.values.includes(value))
      const more = now.values.filter((value) => !old.values.includes(value))
      if (gone.length > 0) add(`values gone: ${gone.join(', ')}`, false, true)
      if (more.length > 0) add(`values added: ${more.join(', ')}`, true, false)
    } else if (old.rule !== 'one-of' && now.rule !== 'one-of')
      add(`bound ${old.bound} -> ${now.bound}`, now.bound <= old.bound, now.bound >= old.bound)
  }
}
