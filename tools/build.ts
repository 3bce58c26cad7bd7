// `npm run build` (and `prepare`): builds the screen into dist/screen, unless nothing it is made of has changed.
// With --package it also emits the JavaScript that is published. Never fails an install: where the tools of the build
// are missing it says so and goes on.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const page = `${root}dist/screen/index.html`
const stampFile = `${root}dist/screen.stamp`
const screenInputs = ['src/screen', 'src/serve/contract.ts', 'package-lock.json']

const say = (line: string): void => {
  process.stderr.write(`build: ${line}\n`)
}

/** SHA-256 over names and contents of all the screen is made of. */
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
  const missing = ['vite', 'svelte', '@sveltejs/vite-plugin-svelte', 'uplot'].filter((name) => !isInstalled(name))
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

await buildScreen(process.argv.includes('--force'))
if (process.argv.includes('--package')) {
  const { emitPackage } = await import('./package.ts')
  emitPackage(root, `${root}dist/`, say)
}
