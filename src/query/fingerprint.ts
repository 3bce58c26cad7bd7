// Names a sub-plan by its content: canonical JSON (keys sorted), hashed with 64-bit FNV-1a over its UTF-8 bytes
// (Fowler, Noll, Vo). Changing this renames every operator and so drops its state: needs a Plan version.

export type Canonical = string | number | boolean | null | readonly Canonical[] | { readonly [key: string]: Canonical }

/** JSON with sorted keys and without `undefined`: equal data gives equal text. */
export function canonicalJson(value: Canonical): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined)
    entries.sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(',')}}`
  }
  return JSON.stringify(value)
}

export function fingerprint(value: Canonical): string {
  let hash = 0xcbf29ce484222325n
  for (const byte of new TextEncoder().encode(canonicalJson(value)))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return hash.toString(16).padStart(16, '0')
}
