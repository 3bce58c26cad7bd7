// Compiles the kernels, AssemblyScript, to WebAssembly with SIMD: the decoder's in src/engine/kernel/assembly/, and that
// of compressed blocks in src/wire/assembly/, which works in a memory it is given.
import { readFileSync } from 'node:fs'

export const kernelEntry = 'src/engine/kernel/assembly/decode.ts'
const encoderEntry = 'src/engine/kernel/assembly/encode.ts'
/** All the kernel is made of; the compiler's version is in the lockfile. */
const blocksEntry = 'src/wire/assembly/blocks.ts'
export const kernelInputs = [
  'src/wire/assembly',
  'src/engine/kernel/assembly',
  'src/engine/kernel/layout.ts',
  'src/engine/kernel/encode-layout.ts',
  'tools/kernel.ts',
]

/** Where the engine looks for it (src/engine/kernel/kernel-file.ts). */
export const kernelOutput = (root: string): string => `${root}dist/kernel/decoder.wasm`

/** Where the engine looks for that of its rows (src/engine/kernel/encoder-file.ts). */
export const encoderOutput = (root: string): string => `${root}dist/kernel/encoder.wasm`

/** Where the wire looks for the other (src/wire/block-kernel.ts). */
export const blocksOutput = (root: string): string => `${root}dist/kernel/blocks.wasm`

export const compileKernel = (root: string): Promise<Uint8Array<ArrayBuffer>> =>
  // No garbage collector, no allocator: the kernel keeps to the map in layout.ts.
  compile(root, kernelEntry, ['--initialMemory', '320'])
export const compileEncoder = (root: string): Promise<Uint8Array<ArrayBuffer>> =>
  compile(root, encoderEntry, ['--initialMemory', '64'])
export const compileBlocks = (root: string): Promise<Uint8Array<ArrayBuffer>> =>
  compile(root, blocksEntry, ['--importMemory', '--noExportMemory'])

/** The module's bytes. Throws with the compiler's words. `root` ends in a slash. */
async function compile(root: string, entry: string, memory: readonly string[]): Promise<Uint8Array<ArrayBuffer>> {
  const { default: asc } = await import('assemblyscript/asc')
  let binary: Uint8Array<ArrayBuffer> | null = null
  const { error, stderr } = await asc.main(
    [
      entry,
      ...['--outFile', 'kernel.wasm'],
      ...['-O3', '--converge', '--noAssert'],
      ...['--runtime', 'stub'],
      ...memory,
      ...['--enable', 'simd'],
      // Pointers are 32 bits here and stay so.
      ...['--disableWarning', '201'],
    ],
    {
      readFile(name, baseDir) {
        try {
          return readFileSync(`${root}${baseDir === '.' ? '' : `${baseDir}/`}${name}`, 'utf8')
        } catch {
          return null
        }
      },
      writeFile(_name, contents) {
        if (typeof contents !== 'string') binary = new Uint8Array(contents)
      },
      listFiles: () => [],
    },
  )
  if (error || binary === null) throw new Error(`${entry} does not compile: ${stderr.toString() || error}`)
  return binary
}
