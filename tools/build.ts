// `npm run build` (and `prepare`): builds the screen into dist/screen and the decoder's kernel into dist/kernel, unless
// nothing they are made of has changed. With --package it also emits the JavaScript that is published. Never fails an install: where the tools of the build
// are missing it says so and goes on.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  blocksOutput,
  compileBlocks,
  compileEncoder,
  compileKernel,
  encoderOutput,
  kernelInputs,
  kernelOutput,
} from './kernel.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const page = `${root}dist/screen/index.html`
const stampFile = `${root}dist/screen.stamp`
const kernelStampFile = `${root}dist/kernel/stamp`
const screenInputs = ['src/screen', 'src/serve/contract.ts', 'package-lock.json']

const say = (line: string): void => {
  process.stderr.write(`build: ${line}\n`)
}

/** SHA-256 over names and contents of all that something is made of. */
function stampOf(inputs: readonly string[]): string {
  const hash = createHash('sha256')
  const add = (path: string): void => {
    hash
      .update(`${path}\0`)
      .update(readFileSync(`${root}${path}`))
      .update('\0')
  }
  for (const input of inputs) {
    if (!existsSync(`${root}${input}`)) continue
    if (/\.\w+$/.test(input)) add(input)
    else
      for (const path of readdirSync(`${root}${input}`, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !entry.name.includes('.test.'))
        .map((entry) => `${entry.parentPath}/${entry.name}`.slice(root.length))
        .sort())
        add(path)
  }
  return hash.digest('hex')
}

const isInstalled = (name: string): boolean => existsSync(`${root}node_modules/${name}/package.json`)

async function buildScreen(force: boolean): Promise<void> {
  const stamp = stampOf(screenInputs)
  if (!force && existsSync(page) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp)
    return say('the screen is up to date')
  const missing = ['vite', 'svelte', '@sveltejs/vite-plugin-svelte'].filter((name) => !isInstalled(name))
  if (missing.length > 0)
    return say(
      `left the screen as it is: ${missing.join(', ')} not installed (npm ci without --omit=dev brings ${missing.length > 1 ? 'them' : 'it'})`,
    )
  const startedMs = performance.now()
  const { build } = await import('vite')
  await build({ configFile: `${root}src/screen/vite.config.ts`, logLevel: 'warn' })
  mkdirSync(`${root}dist`, { recursive: true })
  writeFileSync(stampFile, stamp)
  say(`built the screen in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`)
}

async function buildKernel(force: boolean): Promise<void> {
  const stamp = stampOf([...kernelInputs, 'package-lock.json'])
  const outputs = [kernelOutput(root), encoderOutput(root), blocksOutput(root), kernelStampFile]
  const isBuilt = outputs.every((path) => existsSync(path))
  if (!force && isBuilt && readFileSync(kernelStampFile, 'utf8') === stamp) {
    // Written anew: a start compares times only, and a checkout gives old content a new time.
    writeFileSync(kernelStampFile, stamp)
    return say("the decoder's kernel is up to date")
  }
  if (!isInstalled('assemblyscript'))
    return say(
      "left the decoder's kernel as it is: assemblyscript not installed (npm ci without --omit=dev brings it); without one, records are decoded by JSON.parse, with the same results",
    )
  const startedMs = performance.now()
  const bytes = await compileKernel(root)
  const encoder = await compileEncoder(root)
  const blocks = await compileBlocks(root)
  rmSync(`${root}dist/kernel`, { recursive: true, force: true })
  mkdirSync(`${root}dist/kernel`, { recursive: true })
  writeFileSync(kernelOutput(root), bytes)
  writeFileSync(encoderOutput(root), encoder)
  writeFileSync(blocksOutput(root), blocks)
  writeFileSync(kernelStampFile, stamp)
  say(`built the decoder's kernel in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`)
}

const force = process.argv.includes('--force')
await buildScreen(force)
if (process.argv.includes('--package')) {
  const { emitPackage } = await import('./package.ts')
  emitPackage(root, `${root}dist/`, say)
}
// After the package, which begins with an empty dist/.
await buildKernel(force)
