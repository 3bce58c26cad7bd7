// A small hash of short texts, FNV-1a with 32 bits over UTF-16 units (Fowler, Noll, Vo): for samples and places in tables,
// never for identity. What was sampled by it is in snapshots: changing it changes what is kept.

export function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  // The low bits of the product alone are poor: the high ones are mixed in.
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x2c1b3c6d)
  return (hash ^ (hash >>> 12)) >>> 0
}
