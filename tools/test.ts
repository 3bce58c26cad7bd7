// `npm test`: runs every test of the house under Node's own runner. Arguments that name part of a path choose files;
// arguments that begin with a dash go to the runner (npm test -- broker --test-name-pattern=recovery).
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
// A test that hangs must fail by name, well before whoever waits for the whole run gives up.
const fileTimeoutMs = 480_000

const given = process.argv.slice(2)
const options = given.filter((argument) => argument.startsWith('-'))
const wanted = given.filter((argument) => !argument.startsWith('-'))

const files = ['tools', 'src', 'sim', 'tests', 'bench']
  .flatMap((folder) => globSync(`${folder}/**/*.test.ts`, { cwd: root }).sort())
  .filter((file) => !file.includes('node_modules'))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part.replace(/^\.\//, ''))))

if (files.length === 0) {
  process.stderr.write(
    `test: no test file has ${wanted.map((part) => JSON.stringify(part)).join(' or ')} in its path\n`,
  )
  process.exit(4)
}

// Long files first, as they are whole-house tests: with few files left both cores still have work.
const longFirst = [
  ...files.filter((file) => file.startsWith('tests/')),
  ...files.filter((file) => !file.startsWith('tests/')),
]
const runner = spawn(
  process.execPath,
  [
    '--test',
    '--test-reporter=spec',
    `--test-concurrency=${Math.min(4, availableParallelism())}`,
    `--test-timeout=${fileTimeoutMs}`,
    ...options,
    ...longFirst,
  ],
  { cwd: root, stdio: 'inherit' },
)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => runner.kill(signal))
runner.on('exit', (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1
})
