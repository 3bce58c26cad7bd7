// `npm run clients`: puts strangers' Kafka clients in Python, Java and Go onto this machine, from their languages' own
// registries, for tests/clients. Each language on its own: what is missing is said, and its tests are skipped.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fetchKafka, missingForKafka } from './kafka-node.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
/** Where they are put; ignored by git. */
export const clientsFolder = join(root, '.cluster')

export const pythonIn = (folder: string): string => join(folder, 'python', 'bin', 'python')
export const goClientIn = (folder: string): string => join(folder, 'go-client')
/** JSON definitions of Kafka's messages, as its own jar holds them. */
export const messagesIn = (folder: string): string => join(folder, 'kafka-messages')
export const streamsIn = (folder: string): string => join(folder, 'kafka-streams')

function run(command: string, args: readonly string[], cwd: string): string | null {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (error !== undefined) return `${command} is not installed`
  return status === 0 ? null : `${command} ${args.join(' ')} failed:\n${stdout}${stderr}`.trimEnd()
}

/** Does the work unless it was done for the same inputs; says why not, or null. */
function once(folder: string, name: string, inputs: readonly string[], work: () => string | null): string | null {
  const hash = createHash('sha256')
  for (const input of inputs) hash.update(readFileSync(join(root, input)))
  const stamp = join(folder, `${name}.stamp`)
  const wanted = hash.digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return null
  const problem = work()
  if (problem === null) writeFileSync(stamp, wanted)
  return problem
}

function python(folder: string): string | null {
  const requirements = 'tests/clients/python/requirements.txt'
  return once(folder, 'python', [requirements], () => {
    const target = join(folder, 'python')
    rmSync(target, { recursive: true, force: true })
    return (
      run('python3', ['-m', 'venv', target], root) ??
      run(pythonIn(folder), ['-m', 'pip', 'install', '-q', '-r', join(root, requirements)], root)
    )
  })
}
function go(folder: string): string | null {
  const source = 'tests/clients/go'
  const inputs = ['go.mod', 'go.sum', 'main.go'].map((name) => `${source}/${name}`)
  return once(folder, 'go', inputs, () => run('go', ['build', '-o', goClientIn(folder), '.'], join(root, source)))
}
function java(folder: string): string | null {
  const missing = missingForKafka(folder)
  if (missing !== null) return missing
  let libs: string
  try {
    libs = fetchKafka(folder)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  const pom = 'tests/clients/java/pom.xml'
  return once(folder, 'java', [pom, 'tools/clients.ts'], () => {
    const part = join(folder, 'java.part')
    rmSync(part, { recursive: true, force: true })
    mkdirSync(part, { recursive: true })
    writeFileSync(join(part, 'pom.xml'), readFileSync(join(root, pom)))
    const args = ['-B', '-q', 'dependency:copy-dependencies', '-DoutputDirectory=.', '-DincludeScope=runtime']
    const problem = run('mvn', args, part)
    if (problem !== null) return problem
    rmSync(streamsIn(folder), { recursive: true, force: true })
    renameSync(part, streamsIn(folder))
    return unpackMessages(folder, libs)
  })
}
/** With Java's own tool: a jar is a zip, which Node does not read. */
function unpackMessages(folder: string, libs: string): string | null {
  const target = messagesIn(folder)
  rmSync(target, { recursive: true, force: true })
  mkdirSync(target)
  const jar = readdirSync(libs).find((name) => /^kafka-clients-[\d.]+\.jar$/.test(name))
  if (jar === undefined) return `${libs} holds no kafka-clients jar`
  return run('jar', ['xf', join(libs, jar), 'common/message'], target)
}

if (import.meta.main) {
  mkdirSync(clientsFolder, { recursive: true })
  for (const [name, prepare] of Object.entries({ python, go, java })) {
    const problem = prepare(clientsFolder)
    process.stdout.write(problem === null ? `${name}: ready\n` : `${name}: its tests are skipped: ${problem}\n`)
  }
}
