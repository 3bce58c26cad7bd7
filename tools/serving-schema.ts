// `npm run serving:schema`: when the result topics have changed, writes the next migration of the serving store and prints
// deploy/sql/init.sql anew. `-- --initial` writes the first one anew instead: only before a release.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { servedTables } from '../src/platform/serving-store.ts'
import { schemaMigrations, schemaSql, stepsTo, tablesAfter } from '../src/stores/serving.ts'

const root = new URL('..', import.meta.url)
const folder = new URL('src/stores/serving/migrations/', root)
const again = process.argv.includes('--initial')
const before = again ? new Map<string, never>() : tablesAfter(schemaMigrations)
const wanted = servedTables()
const steps = stepsTo(before, wanted)
const written: string[] = []
if (steps.length > 0) {
  const number = again ? 1 : readdirSync(folder).length + 1
  const name = `${String(number).padStart(4, '0')}-${again ? 'initial' : 'tables'}`
  const file = new URL(`${name}.ts`, folder)
  const exported = again ? 'initial' : `migration${number}`
  writeFileSync(
    file,
    '// Written by `npm run serving:schema`: frozen once released.\n' +
      "import type { SchemaMigration } from '../migrations.ts'\n\n" +
      `export const ${exported}: SchemaMigration = ${JSON.stringify({ name, steps })}\n`,
  )
  execFileSync(process.execPath, ['node_modules/@biomejs/biome/bin/biome', 'format', '--write', file.pathname], {
    cwd: root,
  })
  written.push(file.pathname)
  if (!again) process.stdout.write(`add ${exported} of ./migrations/${name}.ts to schemaMigrations in migrations.ts\n`)
}
mkdirSync(new URL('deploy/sql/', root), { recursive: true })
writeFileSync(new URL('deploy/sql/init.sql', root), schemaSql(wanted))
process.stdout.write(`${written.join('\n') || 'no new migration'}\ndeploy/sql/init.sql\n`)
