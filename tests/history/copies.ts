// Exactly once through a transaction: every record that could be read of what is copied has one copy that can be read.
import type { Key, Op, Value } from './history.ts'
import type { Copy } from './recorder.ts'

/** Faults, in words; `copied` are the keys that each group copies. Judged after everything was read to its end. */
export function checkCopies(ops: readonly Op[], copies: readonly Copy[], copied: ReadonlyMap<string, Key>): string[] {
  const read = new Set<Value>()
  const sources = new Map<Key, Set<Value>>()
  for (const { outcome, polls } of ops) {
    if (outcome !== 'ok') continue
    for (const { key, values } of polls) {
      const known = sources.get(key) ?? new Set()
      sources.set(key, known)
      for (const value of values) known.add(value)
      for (const value of values) read.add(value)
    }
  }
  const readable = new Map<string, Value[]>()
  for (const { group, from, to } of copies) {
    if (!read.has(to)) continue
    const name = `${group} ${from}`
    readable.set(name, [...(readable.get(name) ?? []), to])
  }
  const faults: string[] = []
  for (const [name, values] of readable) {
    if (values.length > 1) faults.push(`${name} was copied ${values.length} times: ${values.join(', ')}`)
  }
  for (const [group, key] of copied) {
    for (const value of sources.get(key) ?? []) {
      if (!readable.has(`${group} ${value}`)) faults.push(`${group} never copied ${value}`)
    }
  }
  return faults
}
