// Compiles the decoder's kernel, AssemblyScript in src/engine/kernel/assembly/, to WebAssembly with SIMD.
import { readFileSync } from 'node:fs'

export const kernelEntry = 'src/engine/kernel/assembly/decode.ts'
/** All the kernel is made of; the compiler's version is in the lockfile. */
export const kernelInputs = ['src/engine/kernel/assembly', 'src/engine/kernel/layout.ts', 'tools/kernel.ts']

/** Where the engine looks for it (src/engine/kernel/kernel-file.ts). */
export const kernelOutput = (root: string): string => `${root}dist/kernel/decoder.wasm`

/** The module's bytes. Throws with the compiler's words. `root` ends in a slash. */
export async function compileKernel(root: string): Promise<Uint8Array<ArrayBuffer>> {
  const { default: asc } = await import('assemblyscript/asc')
  let binary: Uint8Array<ArrayBuffer> | null = null
  const { error, stderr } = await asc.main(
    [
      kernelEntry,
      ...['--outFile', 'decoder.wasm'],
      ...['-O3', '--converge', '--noAssert'],
      // No garbage collector, no allocator: the kernel keeps to the map in layout.ts.
      ...['--runtime', 'stub', '--initialMemory', '320'],
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
  if (error || binary === null) throw new Error(`the decoder's kernel does not compile: ${stderr.toString() || error}`)
  return binary
}
