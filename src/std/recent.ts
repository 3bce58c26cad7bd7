// What was seen lately, by key, bounded: two generations of plain objects, so it survives JSON, costs the same for every
// access and forgets whole generations in the order of last use.

export interface Recent<Value> {
  young: { [key: string]: Value }
  old: { [key: string]: Value }
  /** In `young`. */
  count: number
}

export function newRecent<Value>(): Recent<Value> {
  return { young: {}, old: {}, count: 0 }
}
/** Names of properties that objects have anyway, and numbers, which they sort, are no keys of ours. */
const own = (key: string): string => `~${key}`

/** Looks without using. */
export function peek<Value>({ young, old }: Recent<Value>, key: string): Value | undefined {
  return young[own(key)] ?? old[own(key)]
}
/**
 * The value of the key, made where there is none, and kept for as long as fewer than half of `keysMax` others are used
 * after it. At most `keysMax` are held.
 */
export function use<Value>(recent: Recent<Value>, key: string, keysMax: number, make: () => Value): Value {
  const name = own(key)
  const young = recent.young[name]
  if (young !== undefined) return young
  if (recent.count >= Math.max(1, keysMax >> 1)) {
    recent.old = recent.young
    recent.young = {}
    recent.count = 0
  }
  const value = recent.old[name] ?? make()
  recent.young[name] = value
  recent.count++
  return value
}
/** Replaces the value of the key, or takes it in. */
export function put<Value>(recent: Recent<Value>, key: string, value: Value, keysMax: number): void {
  use(recent, key, keysMax, () => value)
  recent.young[own(key)] = value
}
export function forget<Value>(recent: Recent<Value>, key: string): void {
  const name = own(key)
  if (recent.young[name] !== undefined) {
    delete recent.young[name]
    recent.count--
  }
  delete recent.old[name]
}
/** All of it: key and value, each key once. */
export function* entriesOf<Value>({ young, old }: Recent<Value>): Generator<readonly [string, Value]> {
  for (const [key, value] of Object.entries(young)) yield [key.slice(1), value]
  for (const [key, value] of Object.entries(old)) if (young[key] === undefined) yield [key.slice(1), value]
}
