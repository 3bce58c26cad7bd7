// `npm run tidy`: holds the code to the table in rooms.ts. Prints one line per finding and fails if there is any.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { roomsAsMarkdown } from './rooms.ts'
import { findingsIn, readTree, TABLE_BEGIN, TABLE_END } from './tidy-rules.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const startedMs = performance.now()
const architecture = `${root}ARCHITECTURE.md`

if (process.argv.includes('--write')) {
  const text = readFileSync(architecture, 'utf8')
  const begin = text.indexOf(TABLE_BEGIN)
  const end = text.indexOf(TABLE_END)
  if (begin === -1 || end === -1) {
    process.stderr.write(`tidy: ARCHITECTURE.md has no ${TABLE_BEGIN} … ${TABLE_END} to fill\n`)
    process.exit(1)
  }
  writeFileSync(architecture, `${text.slice(0, begin + TABLE_BEGIN.length)}\n${roomsAsMarkdown()}\n${text.slice(end)}`)
}

const tree = readTree(root)
const findings = findingsIn(tree)
for (const { file, line, message } of findings) process.stdout.write(`${file}:${line}: ${message}\n`)
const tookMs = Math.round(performance.now() - startedMs)
const seen = `${tree.files.length} files in ${tookMs} ms`
if (findings.length === 0) process.stdout.write(`tidy: ${seen}, nothing to say\n`)
else {
  process.stdout.write(`tidy: ${findings.length} finding${findings.length === 1 ? '' : 's'}, ${seen}\n`)
  process.exitCode = 1
}
