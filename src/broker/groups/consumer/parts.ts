// Sets of partitions, by topic: what a member has, gives up, is to have. Never changed once made.

/** Topic ids in hexadecimal; no topic without partitions. */
export type Parts = ReadonlyMap<string, ReadonlySet<number>>
export const noParts: Parts = new Map()

export class PartsMaker {
  readonly #parts = new Map<string, Set<number>>()
  add(topic: string, partition: number): void {
    const known = this.#parts.get(topic)
    if (known === undefined) this.#parts.set(topic, new Set([partition]))
    else known.add(partition)
  }
  get parts(): Parts {
    return this.#parts
  }
}

export function* eachPart(parts: Parts): Generator<readonly [topic: string, partition: number]> {
  for (const [topic, partitions] of parts) for (const partition of partitions) yield [topic, partition]
}
export function partsWhere(parts: Parts, wanted: (topic: string, partition: number) => boolean): Parts {
  const kept = new PartsMaker()
  for (const [topic, partition] of eachPart(parts)) if (wanted(topic, partition)) kept.add(topic, partition)
  return kept.parts
}
export function countParts(parts: Parts): number {
  let count = 0
  for (const partitions of parts.values()) count += partitions.size
  return count
}
export const hasPart = (parts: Parts, topic: string, partition: number): boolean =>
  parts.get(topic)?.has(partition) ?? false
export const inBoth = (a: Parts, b: Parts): Parts => partsWhere(a, (topic, partition) => hasPart(b, topic, partition))
export const without = (a: Parts, b: Parts): Parts => partsWhere(a, (topic, partition) => !hasPart(b, topic, partition))
export function together(a: Parts, b: Parts): Parts {
  const all = new PartsMaker()
  for (const parts of [a, b]) for (const [topic, partition] of eachPart(parts)) all.add(topic, partition)
  return all.parts
}
export function isWithin(a: Parts, b: Parts): boolean {
  for (const [topic, partition] of eachPart(a)) if (!hasPart(b, topic, partition)) return false
  return true
}
export function overlap(a: Parts, b: Parts): boolean {
  for (const [topic, partition] of eachPart(a)) if (hasPart(b, topic, partition)) return true
  return false
}
export const sameParts = (a: Parts, b: Parts): boolean => countParts(a) === countParts(b) && isWithin(a, b)
