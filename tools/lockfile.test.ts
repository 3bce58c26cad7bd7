// Tests of package-lock.json: complete for every platform, no registry named, nothing at run time that runs a script.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

interface Locked {
  readonly version?: string
  readonly resolved?: string
  readonly dev?: boolean
  readonly hasInstallScript?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}
const read = (name: string) => JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8'))
const locked: Readonly<Record<string, Locked>> = read('package-lock.json').packages
const packages = Object.entries(locked).filter(([path]) => path !== '')

test('what npm ci wants is there: an install on a machine with another registry had left out other platforms', () => {
  for (const [path, { optionalDependencies = {} }] of packages)
    for (const name of Object.keys(optionalDependencies))
      assert.ok(
        locked[`node_modules/${name}`] ?? locked[`${path}/node_modules/${name}`],
        `${path} wants ${name}, which is not locked`,
      )
})

test('it agrees with package.json, whose versions are exact', () => {
  const manifest = read('package.json')
  for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies']) {
    assert.deepEqual(Reflect.get(locked[''] ?? {}, kind), manifest[kind], kind)
    for (const [name, version] of Object.entries<string>(manifest[kind]))
      assert.match(version, /^(npm:[^@]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/, `${name} is not pinned`)
  }
})

test('it names no registry', () => {
  for (const [path, { resolved }] of packages) assert.equal(resolved, undefined, path)
})

test('nothing that runs with the product has an install script', () => {
  const scripted = packages.filter(([, { dev, hasInstallScript }]) => hasInstallScript === true && dev !== true)
  assert.deepEqual(
    scripted.map(([path]) => path),
    [],
  )
})
