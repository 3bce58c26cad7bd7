// The built kernel: where it lies, in a checkout and in the published package, compiled once per process.
import { readFileSync } from 'node:fs'
import { KERNEL_VERSION } from './layout.ts'

// `npm run build` puts it into dist/kernel/. Seen from dist/engine/kernel/ of the package, and from src/engine/kernel/.
const places = ['../../kernel/decoder.wasm', '../../../dist/kernel/decoder.wasm']

let found: WebAssembly.Module | null | undefined

/**
 * Null where it was not built, or before its memory was laid out as now, or where this machine has no SIMD: records are
 * then decoded by JSON, with equal results.
 */
export function kernelModule(): WebAssembly.Module | null {
  if (found === undefined) found = compiled()
  return found
}

function compiled(): WebAssembly.Module | null {
  for (const place of places) {
    let bytes: Uint8Array<ArrayBuffer>
    try {
      bytes = readFileSync(new URL(place, import.meta.url))
    } catch {
      continue
    }
    if (!WebAssembly.validate(bytes)) return null
    const module = new WebAssembly.Module(bytes)
    return versionOf(module) === KERNEL_VERSION ? module : null
  }
  return null
}

function versionOf(module: WebAssembly.Module): unknown {
  const none = (): number => 0
  const calls = { fallback: none, newId: none }
  const version = new WebAssembly.Instance(module, { decode: calls, ids: calls }).exports.KERNEL_VERSION
  return version instanceof WebAssembly.Global ? version.value : null
}
