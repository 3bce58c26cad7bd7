// The rules of `npm run tidy`: import directions, doors, cycles, unused files, uses of the outside, first lines.
// Pure: a tree of files in, findings out; only `readTree` looks at the disk.
import { readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { outsideUses } from './bans.ts'
import type { Room } from './rooms.ts'
import { annexes, entryPoints, filesThatTouchTheOutside, librariesWithIo, rooms, roomsAsMarkdown } from './rooms.ts'
import type { Import, Token } from './scan.ts'
import { importsOf, scan, scriptOf } from './scan.ts'

export const TABLE_BEGIN = '<!-- rooms: printed from tools/rooms.ts by `npm run tidy -- --write` -->'
export const TABLE_END = '<!-- end of rooms -->'

/** A file at most this long is one thing; beyond it two have grown together. Tests and data may be longer. */
const fileLinesMax = 450
/** Written by a program, read by one: as long as it must be. */
const printedFolders = ['src/stores/serving/migrations/']

export interface SourceFile {
  /** Relative to the root of the repository, with `/`. */
  readonly path: string
  readonly text: string
}
export interface Tree {
  readonly files: readonly SourceFile[]
  /** The parsed package.json: its scripts are entry points, its dependencies may be imported at run time. */
  readonly packageJson: {
    readonly scripts?: Record<string, string>
    readonly dependencies?: Record<string, string>
    readonly optionalDependencies?: Record<string, string>
  }
  readonly architecture: string
}
export interface Finding {
  readonly file: string
  readonly line: number
  readonly message: string
}

interface Parsed extends SourceFile {
  readonly tokens: readonly Token[]
  readonly imports: readonly (Import & { readonly target: string | null })[]
  readonly place: Place
  readonly isTest: boolean
}
/** Where a file lives: a room, a folder beside src/, or nowhere known. */
type Place =
  | { readonly kind: 'room'; readonly room: Room; readonly inside: string }
  | { readonly kind: 'annex'; readonly name: string; readonly insides: boolean; readonly touchesTheOutside: boolean }
  | { readonly kind: 'unknown' }

const sourceFolders = ['src', ...annexes.map((annex) => annex.name)]
const sourceEnding = /\.(ts|svelte|html)$/
const testEnding = /\.(test|suite)\.ts$/

export function readTree(root: string): Tree {
  const files: SourceFile[] = []
  for (const folder of sourceFolders) {
    for (const entry of readdirIfThere(`${root}${folder}`)) {
      if (!entry.isFile() || !sourceEnding.test(entry.name) || entry.name.endsWith('.d.ts')) continue
      const full = `${entry.parentPath}/${entry.name}`
      if (full.includes('/node_modules/')) continue
      files.push({ path: full.slice(root.length), text: readFileSync(full, 'utf8') })
    }
  }
  files.sort((a, b) => (a.path < b.path ? -1 : 1))
  let architecture = ''
  try {
    architecture = readFileSync(`${root}ARCHITECTURE.md`, 'utf8')
  } catch {}
  return { files, packageJson: JSON.parse(readFileSync(`${root}package.json`, 'utf8')), architecture }
}

function readdirIfThere(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true, recursive: true })
  } catch {
    return []
  }
}

/** Everything that is wrong with the tree, by file and line. */
export function findingsIn(tree: Tree): Finding[] {
  const files = tree.files.map((file) => parse(file))
  const byPath = new Map(files.map((file) => [file.path, file]))
  const findings: Finding[] = []
  for (const file of files) {
    findings.push(...shapeFindings(file))
    findings.push(...importFindings(file, byPath, tree))
    if (!mayTouchTheOutside(file))
      for (const { line, what, instead } of outsideUses(file.tokens, file.imports))
        findings.push({ file: file.path, line, message: `${what}: use ${instead}` })
  }
  findings.push(...cycleFindings(files, byPath))
  findings.push(...unusedFindings(files, byPath, tree))
  findings.push(...tableFindings(tree.architecture))
  return findings.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1))
}

function parse(file: SourceFile): Parsed {
  const tokens = scan(scriptOf(file.path, file.text))
  const folder = file.path.slice(0, file.path.lastIndexOf('/') + 1)
  const imports = importsOf(tokens).map((found) => ({
    ...found,
    target: found.specifier.startsWith('.') ? joinPath(folder, found.specifier) : null,
  }))
  return { ...file, tokens, imports, place: placeOf(file.path), isTest: testEnding.test(file.path) }
}

function joinPath(folder: string, specifier: string): string {
  const parts = folder.split('/').filter((part) => part !== '')
  for (const part of specifier.replace(/[?#].*$/, '').split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.' && part !== '') parts.push(part)
  }
  return parts.join('/')
}

function placeOf(path: string): Place {
  const [first, second, ...rest] = path.split('/')
  if (first === 'src' && second !== undefined) {
    // `platform.ts`, its tests and the folder `platform/` are one room.
    const bare = (name: string): string => name.replace(/(\.test)?\.ts$/, '')
    const room = rooms.find((candidate) => bare(candidate.name) === bare(second))
    if (room) return { kind: 'room', room, inside: rest.join('/') || second }
  }
  const annex = annexes.find((candidate) => candidate.name === first)
  return annex ? { kind: 'annex', ...annex } : { kind: 'unknown' }
}

const isDoor = (place: Place & { kind: 'room' }): boolean =>
  place.room.doors === 'all' || place.room.doors.includes(place.inside)

function mayTouchTheOutside(file: Parsed): boolean {
  if (file.isTest || filesThatTouchTheOutside.some((listed) => listed.file === file.path)) return true
  if (file.place.kind === 'room') return file.place.room.touchesTheOutside === true
  return file.place.kind === 'annex' && file.place.touchesTheOutside
}

/** First line, length, names, left-over notes, barrels: what can be said of a file alone. */
function* shapeFindings(file: Parsed): Generator<Finding> {
  const say = (line: number, message: string): Finding => ({ file: file.path, line, message })
  if (file.path.endsWith('.html')) return
  const lines = file.text.split('\n')
  const first = lines[0]?.startsWith('#!') ? lines[1] : lines[0]
  if (!/^(\/\/|\/\*\*?|<!--)\s*\S+\s+\S+/.test(first ?? ''))
    yield say(1, 'begins without a comment: the first line says the one thing this file does')
  const isPrinted = printedFolders.some((folder) => file.path.startsWith(folder))
  if (lines.length > fileLinesMax && !file.isTest && !isPrinted && !file.path.startsWith('tests/'))
    yield say(
      fileLinesMax,
      `is ${lines.length} lines long (at most ${fileLinesMax}): split it where two things have grown together`,
    )
  if (
    /(^|\/)(utils?|helpers?|common|managers?|misc)(\.|\/)/i.test(file.path) ||
    /(-utils?|-helpers?|-manager)\.ts$/i.test(file.path)
  )
    yield say(1, 'has a name that says nothing: name it after what it does')
  for (const token of file.tokens) {
    const note = token.kind === 'comment' ? /\b(TO-?DO|FIX-?ME|XXX)\b/.exec(token.text) : null
    if (note) yield say(token.line, `leaves a ${note[0]} behind: do it, or write an issue`)
  }
  if (file.place.kind === 'unknown') yield say(1, `lies in no room: give its folder a row in tools/rooms.ts`)
  if (file.place.kind === 'room' && file.place.room.planned)
    yield say(1, `the room ${file.place.room.name}/ is marked as planned in tools/rooms.ts: take the mark away`)
  const code = file.tokens.filter((token) => token.kind !== 'comment')
  const statements = file.imports.filter((found) => found.form === 'static').length
  const declares = code.some(
    (token) =>
      token.kind === 'word' && /^(const|let|function|class|interface|type|default|await|if|for)$/.test(token.text),
  )
  if (statements > 0 && !declares && !file.isTest && code.some((token) => token.text === 'export'))
    yield say(1, 'only passes on what other files define (a barrel): import from those files')
}

/** Directions, doors, missing files, libraries. */
function* importFindings(file: Parsed, byPath: ReadonlyMap<string, Parsed>, tree: Tree): Generator<Finding> {
  for (const found of file.imports) {
    const say = (message: string): Finding => ({ file: file.path, line: found.line, message })
    if (found.target === null) {
      const complaint = libraryComplaint(file, found, tree)
      if (complaint) yield say(complaint)
      continue
    }
    if (!/\.(ts|svelte)$/.test(found.target)) continue
    const other = byPath.get(found.target)
    if (!other) {
      yield say(`imports ${found.specifier}: there is no file ${found.target}`)
      continue
    }
    const complaint = directionComplaint(file, other)
    if (complaint) yield say(complaint)
  }
}

function directionComplaint(file: Parsed, other: Parsed): string | null {
  const from = file.place
  const to = other.place
  if (from.kind === 'unknown' || to.kind === 'unknown') return null
  if (to.kind === 'annex') {
    if (from.kind === 'annex' || file.isTest) return null
    return `imports ${other.path}: the product (src/) never needs ${to.name}/`
  }
  if (other.isTest && !file.isTest && from.kind === 'room')
    return `imports the test ${other.path}: only tests import tests`
  if (from.kind === 'room' && from.room === to.room) return null
  const doors = to.room.doors === 'all' ? '' : to.room.doors.map((door) => `${to.room.name}/${door}`).join(', ')
  const pastDoor = `imports ${other.path}, which is inside the room ${to.room.name}/: ${doors === '' ? 'nothing outside it may' : `its doors are ${doors}`}`
  if (from.kind === 'annex') return from.insides || other.isTest || isDoor(to) ? null : pastDoor
  // Tests stand on any door: a broker test may feed an engine. Contract suites (x.suite.ts) are made to be shared.
  if (file.isTest) return other.isTest || isDoor(to) ? null : pastDoor
  const allowed = from.room.mayImport
  const named = allowed === 'all' || allowed.includes(to.room.name) || allowed.includes(`${to.room.name}/${to.inside}`)
  if (!named) {
    const list = allowed.length === 0 ? 'nothing' : allowed.join(', ')
    return `${from.room.name}/ may not import ${to.room.name}/ (${other.path}): it may import ${list}`
  }
  return isDoor(to) ? null : pastDoor
}

function libraryComplaint(file: Parsed, found: Import, tree: Tree): string | null {
  const { specifier } = found
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  if (file.isTest || file.place.kind !== 'room') return null
  const limited = librariesWithIo.find((entry) => entry.library === name)
  if (
    limited &&
    !limited.places.some((place) => (place.endsWith('/') ? file.path.startsWith(place) : file.path === place))
  )
    return `imports ${name}, which does its own I/O: only ${limited.places.join(', ')} may (tools/rooms.ts)`
  if (isBuiltin(specifier))
    return file.place.room.name === 'screen' && !file.path.endsWith('vite.config.ts')
      ? `imports ${specifier}: the screen runs in a browser`
      : null
  // The screen is bundled when it is built: what it imports never has to be installed to run it.
  if (file.place.room.name === 'screen' || found.typeOnly) return null
  if (
    tree.packageJson.dependencies?.[name] !== undefined ||
    tree.packageJson.optionalDependencies?.[name] !== undefined
  )
    return null
  return `imports ${name}, which is not among the dependencies in package.json: it would be missing after npm ci --omit=dev`
}

/**
 * Files that import each other in a ring, one finding per ring (Tarjan's strongly connected components). To name a
 * worker's module is no import: the thread loads the file anew, and may well spawn threads of its own. Nor is taking
 * types alone: a door defines the types that its own insides speak in, and they are gone at run time.
 */
function* cycleFindings(files: readonly Parsed[], byPath: ReadonlyMap<string, Parsed>): Generator<Finding> {
  const order = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const onStack = new Set<string>()
  const rings: string[][] = []
  const visit = (file: Parsed): void => {
    order.set(file.path, order.size)
    low.set(file.path, order.get(file.path) as number)
    stack.push(file.path)
    onStack.add(file.path)
    for (const { target, form, typeOnly } of file.imports) {
      if (form === 'url' || typeOnly) continue
      const next = target === null ? undefined : byPath.get(target)
      if (!next) continue
      if (!order.has(next.path)) {
        visit(next)
        low.set(file.path, Math.min(low.get(file.path) as number, low.get(next.path) as number))
      } else if (onStack.has(next.path))
        low.set(file.path, Math.min(low.get(file.path) as number, order.get(next.path) as number))
    }
    if (low.get(file.path) !== order.get(file.path)) return
    const ring: string[] = []
    for (let path = ''; path !== file.path; ) {
      path = stack.pop() as string
      onStack.delete(path)
      ring.unshift(path)
    }
    if (ring.length > 1 || file.imports.some((found) => found.target === file.path && !found.typeOnly)) rings.push(ring)
  }
  for (const file of files) if (!order.has(file.path)) visit(file)
  for (const ring of rings) {
    const path = ringPath(ring, byPath)
    const line =
      byPath.get(path[0] as string)?.imports.find((found) => found.target === path[1 % path.length])?.line ?? 1
    yield { file: path[0] as string, line, message: `imports in a circle: ${[...path, path[0]].join(' → ')}` }
  }
}

/** The shortest way round from the first file of a ring back to itself. */
function ringPath(ring: readonly string[], byPath: ReadonlyMap<string, Parsed>): string[] {
  const start = [...ring].sort()[0] as string
  const members = new Set(ring)
  const cameFrom = new Map<string, string>()
  const queue = [start]
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    for (const { target, form, typeOnly } of byPath.get(path)?.imports ?? []) {
      if (form === 'url' || typeOnly || target === null || !members.has(target)) continue
      if (target === start) {
        const way = [path]
        while (way[0] !== start) way.unshift(cameFrom.get(way[0] as string) as string)
        return way
      }
      if (!cameFrom.has(target)) {
        cameFrom.set(target, path)
        queue.push(target)
      }
    }
  }
  return [start]
}

/** Files no entry point leads to, and product files that only tests lead to. */
function* unusedFindings(
  files: readonly Parsed[],
  byPath: ReadonlyMap<string, Parsed>,
  tree: Tree,
): Generator<Finding> {
  const scripts = Object.values(tree.packageJson.scripts ?? {}).join(' ')
  const isEntry = (path: string): boolean =>
    entryPoints.includes(path) || scripts.split(/\s+/).includes(path) || path.startsWith('examples/')
  const reach = (roots: readonly Parsed[]): Set<string> => {
    const seen = new Set(roots.map((file) => file.path))
    const queue = [...roots]
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      for (const { target } of file.imports) {
        const next = target === null ? undefined : byPath.get(target)
        if (next && !seen.has(next.path)) {
          seen.add(next.path)
          queue.push(next)
        }
      }
    }
    return seen
  }
  const used = reach(files.filter((file) => isEntry(file.path)))
  // Whole-house tests may start programs of their own (a child to be killed), so every file under tests/ and bench/ counts.
  const tested = reach(
    files.filter((file) => file.isTest || file.path.startsWith('tests/') || file.path.startsWith('bench/')),
  )
  for (const file of files) {
    if (used.has(file.path) || file.isTest || file.path.startsWith('tests/') || file.path.startsWith('bench/')) continue
    if (!tested.has(file.path))
      yield { file: file.path, line: 1, message: 'nothing imports this file: use it or delete it' }
    else if (file.place.kind === 'room')
      yield {
        file: file.path,
        line: 1,
        message: 'only tests import this file: use it, delete it, or name it x.suite.ts if it is there for tests',
      }
  }
}

function* tableFindings(architecture: string): Generator<Finding> {
  const begin = architecture.indexOf(TABLE_BEGIN)
  const end = architecture.indexOf(TABLE_END)
  const line = begin === -1 ? 1 : architecture.slice(0, begin).split('\n').length
  const cure = 'npm run tidy -- --write'
  if (begin === -1 || end === -1)
    yield {
      file: 'ARCHITECTURE.md',
      line,
      message: `has no table of rooms between "${TABLE_BEGIN}" and "${TABLE_END}"`,
    }
  else if (architecture.slice(begin + TABLE_BEGIN.length, end).trim() !== roomsAsMarkdown())
    yield { file: 'ARCHITECTURE.md', line, message: `its table of rooms is not what tools/rooms.ts says: ${cure}` }
}
