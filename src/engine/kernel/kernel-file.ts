// The built kernels: where they lie, in a checkout and in the published package, compiled once per process.
import { readFileSync } from 'node:fs'
import { ENCODER_VERSION } from './encode-layout.ts'
import { KERNEL_VERSION } from './layout.ts'

// `npm run build` puts them into dist/kernel/. Seen from dist/engine/kernel/ of the package, and from src/engine/kernel/.
const places = ['../../kernel/', '../../../dist/kernel/']

const none = (): number => 0
const calls = { fallback: none, newId: none }
let decoder: WebAssembly.Module | null | undefined
let encoder: WebAssembly.Module | null | undefined

/**
 * Null where it was not built, or before its memory was laid out as now, or where this machine has no SIMD: records are
 * then decoded by JSON, with equal results.
 */
export function kernelModule(): WebAssembly.Module | null {
  if (decoder === undefined)
    decoder = compiled('decoder.wasm', 'KERNEL_VERSION', KERNEL_VERSION, { decode: calls, ids: calls })
  return decoder
}
/** Null in the same cases: rows are then written as strings, the same bytes. */
export function encoderModule(): WebAssembly.Module | null {
  if (encoder === undefined)
    encoder = compiled('encoder.wasm', 'ENCODER_VERSION', ENCODER_VERSION, { encode: { ask: none } })
  return encoder
}

function compiled(
  name: string,
  exported: string,
  version: number,
  imports: WebAssembly.Imports,
): WebAssembly.Module | null {
  for (const place of places) {
    let bytes: Uint8Array<ArrayBuffer>
    try {
      bytes = readFileSync(new URL(`${place}${name}`, import.meta.url))
    } catch {
      continue
    }
    if (!WebAssembly.validate(bytes)) return null
    const module = new WebAssembly.Module(bytes)
    const found = new WebAssembly.Instance(module, imports).exports[exported]
    return found instanceof WebAssembly.Global && found.value === version ? module : null
  }
  return null
}
