// Emits the published JavaScript: src/**/*.ts (without tests and the screen) to dist/**/*.js, by the type checker itself.
import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { importsOf, scan } from './scan.ts'

/**
 * Empties the folder `dist` but for the screen, emits, and points worker modules at the emitted files. Throws if a type
 * is wrong. Both paths end in a slash.
 */
export function emitPackage(root: string, dist: string, say: (line: string) => void): void {
  const startedMs = performance.now()
  for (const name of readdirSync(dist)) if (!name.startsWith('screen')) rmSync(`${dist}${name}`, { recursive: true })
  const emit = spawnSync(
    process.execPath,
    [`${root}node_modules/typescript-native/bin/tsc`, '-p', `${root}tools/tsconfig.package.json`, '--outDir', dist],
    { stdio: 'inherit', cwd: root },
  )
  if (emit.status !== 0) throw new Error(`the package was not emitted: tsc ended with ${emit.status ?? emit.signal}`)
  let files = 0
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const path = `${entry.parentPath}/${entry.name}`
    if (!entry.isFile() || !entry.name.endsWith('.js') || path.startsWith(`${dist}screen/`)) continue
    files++
    const source = readFileSync(path, 'utf8')
    const pointed = pointWorkersAtJavaScript(source)
    if (pointed !== source) writeFileSync(path, pointed)
  }
  dropDeclarations(root, dist)
  copyOtherFiles(root, dist)
  say(`emitted the package, ${files} files, in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`)
}

/** Types are published of the public surface only, with those that it is made of. */
function dropDeclarations(root: string, dist: string): void {
  const { exports }: { exports: Record<string, string | { types: string }> } = JSON.parse(
    readFileSync(`${root}package.json`, 'utf8'),
  )
  const published = new Set<string>()
  const publish = (path: string): void => {
    if (published.has(path)) return
    published.add(path)
    const declared = readFileSync(path, 'utf8')
    const pointed = pointTypesAtDeclarations(declared)
    if (pointed !== declared) writeFileSync(path, pointed)
    for (const { specifier } of importsOf(scan(pointed))) {
      if (specifier.startsWith('.')) publish(join(path, '..', specifier.replace(/\.js$/, '.d.ts')))
    }
  }
  for (const each of Object.values(exports)) {
    if (typeof each !== 'string') publish(join(dist, each.types.slice('./dist/'.length)))
  }
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile() && path.endsWith('.d.ts') && !published.has(path)) rmSync(path)
  }
}

/** The compiler leaves the endings of what declarations import as they are in the sources. */
export function pointTypesAtDeclarations(declared: string): string {
  return declared.replaceAll(/(from |import\()(['"])(\.[^'"]+)\.ts\2/g, '$1$2$3.js$2')
}

/** `new URL('./worker.ts', import.meta.url)` is text to the compiler, which rewrites only imports. */
export function pointWorkersAtJavaScript(source: string): string {
  const lines = source.split('\n')
  for (const { form, specifier, line } of importsOf(scan(source))) {
    if (form !== 'url' || !specifier.endsWith('.ts')) continue
    lines[line - 1] = (lines[line - 1] ?? '').replace(specifier, specifier.replace(/\.ts$/, '.js'))
  }
  return lines.join('\n')
}

/** What is read at run time but is not TypeScript (WebAssembly, tables) goes along to the same place. */
function copyOtherFiles(root: string, dist: string): void {
  for (const entry of readdirSync(`${root}src`, { recursive: true, withFileTypes: true })) {
    const path = `${entry.parentPath}/${entry.name}`
    if (!entry.isFile() || entry.name.endsWith('.ts') || path.startsWith(`${root}src/screen/`)) continue
    cpSync(path, `${dist}${path.slice(`${root}src/`.length)}`)
  }
}
