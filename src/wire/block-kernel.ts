// The built kernel of lz4 and snappy blocks: where it lies, compiled once per process, instantiated over the memory in
// which it shall work.
import { readFileSync } from 'node:fs'

/** As `assembly/blocks.ts` exports them: addresses in the memory; 0 where a block is not right. */
export interface BlockFunctions {
  lz4Block(at: number, end: number, out: number, outEnd: number, first: number): number
  snappyBlock(at: number, end: number, out: number, outEnd: number): number
}

// `npm run build` puts it into dist/kernel/. Seen from dist/wire/ of the package, and from src/wire/.
const places = ['../kernel/blocks.wasm', '../../dist/kernel/blocks.wasm']
let found: WebAssembly.Module | null | undefined
const instances = new WeakMap<WebAssembly.Memory, BlockFunctions>()

/** Null where it was not built or this machine has no SIMD: TypeScript then does the same, slower. */
export function blockKernel(memory: WebAssembly.Memory): BlockFunctions | null {
  if (found === undefined) found = compiled()
  if (found === null) return null
  let functions = instances.get(memory)
  if (functions === undefined) {
    functions = blockFunctions(found, memory)
    instances.set(memory, functions)
  }
  return functions
}

export function blockFunctions(module: WebAssembly.Module, memory: WebAssembly.Memory): BlockFunctions {
  // The module is ours: these are its exports.
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as BlockFunctions
}

function compiled(): WebAssembly.Module | null {
  for (const place of places) {
    try {
      const bytes = readFileSync(new URL(place, import.meta.url))
      return WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : null
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    }
  }
  return null
}
