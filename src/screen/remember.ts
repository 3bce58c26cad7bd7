// Small choices kept in this browser. Storage may be full, off or forbidden: then they last as long as the page.
const kept = new Map<string, string>()

export function recall(name: string): string | null {
  try {
    return localStorage.getItem(`millrace.${name}`) ?? kept.get(name) ?? null
  } catch {
    return kept.get(name) ?? null
  }
}

export function remember(name: string, value: string | null): void {
  if (value === null) kept.delete(name)
  else kept.set(name, value)
  try {
    if (value === null) localStorage.removeItem(`millrace.${name}`)
    else localStorage.setItem(`millrace.${name}`, value)
  } catch {
    // Kept above.
  }
}
