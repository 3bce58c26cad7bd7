// The name someone probably meant.

/** The candidate with the fewest single-letter edits from `text`, if they are at most a third of its letters; else null. */
export function nearest(text: string, candidates: readonly string[]): string | null {
  let best: string | null = null
  let bestEdits = Math.floor(text.length / 3) + 1
  for (const candidate of candidates) {
    const edits = editsBetween(text.slice(0, 100), candidate.slice(0, 100))
    if (edits < bestEdits) {
      best = candidate
      bestEdits = edits
    }
  }
  return best
}

/** Levenshtein's distance, one row at a time. */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
