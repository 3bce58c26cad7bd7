// The API's description: valid in its parts, complete, and the same as the reviewed golden (routes, answers, fields).
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { nodeWorld } from '../world/node.ts'
import type { ServePorts } from './ports.ts'
import { serve } from './serve.ts'

const golden = new URL('./openapi.golden.txt', import.meta.url)
const ports: ServePorts = {
  figures: {
    live: {
      snapshot: () => assert.fail('describing asks for nothing'),
      subscribe: () => assert.fail('describing asks for nothing'),
    },
    status: { status: () => assert.fail('describing asks for nothing') },
  },
  health: { checks: () => assert.fail('describing asks for nothing') },
  reports: { list: () => [], runs: () => [], run: () => assert.fail('describing asks for nothing') },
  tables: null,
  insights: {
    recommendations: () => assert.fail('describing asks for nothing'),
    features: () => assert.fail('describing asks for nothing'),
  },
  ingest: { topics: [], take: () => assert.fail('describing asks for nothing') },
  metrics: {
    read: () => assert.fail('describing asks for nothing'),
    groupLags: () => assert.fail('describing asks for nothing'),
  },
  fault: (error) => assert.fail(error),
}

type Json = { readonly [name: string]: Json } & { readonly length?: number }
// biome-ignore lint/suspicious/noExplicitAny: a JSON document of a foreign shape
async function description(): Promise<any> {
  const house = await serve(nodeWorld({ seed: 'openapi' }), ports, {
    host: '127.0.0.1',
    port: 0,
    screenFolder: null,
    version: '0.0.0',
  })
  try {
    const answer = await fetch(`${house.url}/api/v1/openapi.json`)
    assert.equal(answer.status, 200)
    return await answer.json()
  } finally {
    await house.close()
  }
}

/** Every `$ref` in a document. */
function refs(node: unknown, found: string[] = []): string[] {
  if (Array.isArray(node)) for (const item of node) refs(item, found)
  else if (typeof node === 'object' && node !== null)
    for (const [name, value] of Object.entries(node)) {
      if (name === '$ref') found.push(String(value))
      else refs(value, found)
    }
  return found
}

test('the description is OpenAPI 3.1 whose references all lead somewhere', async () => {
  const document = await description()
  assert.match(document.openapi, /^3\.1\./)
  assert.ok(document.info.title && document.info.version)
  for (const ref of refs(document)) {
    assert.match(ref, /^#\/components\/schemas\/\w+$/)
    assert.ok(document.components.schemas[ref.split('/').at(-1)!], ref)
  }
  for (const [path, methods] of Object.entries<Json>(document.paths))
    for (const [method, operation] of Object.entries<Json>(methods)) {
      assert.ok(operation.summary, `${method} ${path} has a summary`)
      assert.ok(operation.responses?.['200'], `${method} ${path} says what it answers`)
      for (const name of path.match(/(?<=\{)\w+/g) ?? []) {
        const parameters: unknown[] = Array.isArray(operation.parameters) ? operation.parameters : []
        assert.ok(JSON.stringify(parameters).includes(`"name":"${name}"`), `${path} describes ${name}`)
      }
    }
})

test('the description is the one that was reviewed (UPDATE_GOLDEN=1 writes it anew)', async () => {
  const document = await description()
  const lines: string[] = []
  for (const [path, methods] of Object.entries<Json>(document.paths))
    for (const [method, operation] of Object.entries<Json>(methods)) {
      lines.push(`${method.toUpperCase()} ${path}`)
      for (const type of Object.keys(operation.requestBody?.content ?? {})) lines.push(`  takes ${type}`)
      for (const [status, response] of Object.entries<Json>(operation.responses ?? {}))
        for (const [type, { schema }] of Object.entries<Json>(response.content ?? {}))
          lines.push(
            `  ${status} ${type} ${[...new Set(refs(schema))].map((ref) => ref.split('/').at(-1)).join(' | ') || schema?.type}`,
          )
    }
  lines.push('')
  for (const [name, schema] of Object.entries<Json>(document.components.schemas)) {
    if (name.endsWith('Input')) continue
    const required: unknown[] = Array.isArray(schema.required) ? schema.required : []
    const fields = Object.keys(schema.properties ?? {}).map((field) => (required.includes(field) ? field : `${field}?`))
    lines.push(`${name} { ${fields.join(', ')} }`)
  }
  const text = `${lines.join('\n')}\n`
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(golden, text)
  assert.equal(text, readFileSync(golden, 'utf8'))
})
