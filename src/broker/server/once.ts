// What is asked for twice is answered once: so an answer is no larger than all there is to tell, however long the question.

/** The first of each key, in order. */
export function once<T>(asked: readonly T[], keyOf: (one: T) => string): readonly T[] {
  if (asked.length < 2) return asked
  const seen = new Set<string>()
  return asked.filter((one) => {
    const key = keyOf(one)
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}
