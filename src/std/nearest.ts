// The name that was probably meant: for suggestions after a typo.

const lettersMax = 100

/**
 * The candidate with the fewest single-letter edits (insert, delete, replace, swap of neighbours; case does not count)
 * from `text`, if they are at most a third of its letters and at least one is allowed; a candidate that begins with
 * `text` counts as one edit. Ties go to the earlier candidate. Null when nothing is near.
 */
export function nearest(text: string, candidates: Iterable<string>): string | null {
  const wanted = text.toLowerCase().slice(0, lettersMax)
  const editsMax = Math.max(1, Math.floor(wanted.length / 3))
  let best: string | null = null
  let bestEdits = editsMax + 1
  for (const candidate of candidates) {
    const name = candidate.toLowerCase().slice(0, lettersMax)
    const edits = wanted.length >= 3 && name.startsWith(wanted) && name !== wanted ? 1 : editsBetween(wanted, name)
    if (edits < bestEdits) {
      best = candidate
      bestEdits = edits
    }
  }
  return best
}

/** Optimal string alignment distance, over three rows of the table. */
function editsBetween(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let edits = Math.min((row[j - 1] ?? 0) + (same ? 0 : 1), (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        edits = Math.min(edits, (before[j - 2] ?? 0) + 1)
      next.push(edits)
    }
    before = row
    row = next
  }
  return row[b.length] ?? 0
}
