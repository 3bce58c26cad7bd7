// Requests of every API in every version, made from their declarations: clients send few of them while they are recorded.
import { globSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Field, Fields, MessageDeclaration } from '../../src/wire/message.ts'
import { type Api, apis, writeRequest } from '../../src/wire/wire.ts'
import type { RecordedFrame } from './mutations.ts'

const folder = fileURLToPath(new URL('../../src/wire/messages/', import.meta.url))

/** One of everything: names that the fuzzed broker knows, small numbers, one element in each array. */
function sample(fields: Fields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, sampleOf(name, field)]))
}
function sampleOf(name: string, field: Field): unknown {
  if (field.type === 'struct') return sample(field.fields)
  if (field.type === 'array') return [typeof field.of === 'string' ? scalar(name, field.of) : sample(field.of)]
  return scalar(name, field.type)
}
function scalar(name: string, type: string): unknown {
  switch (type) {
    case 'bool':
      return true
    case 'string':
      return /group/i.test(name) ? 'group' : /entityType/.test(name) ? 'user' : 'topic'
    case 'uuid':
      return new Uint8Array(16)
    case 'bytes':
    case 'records':
      return new Uint8Array([0, 1, 0, 0, 0, 0])
    case 'id64':
      return 1n
    default:
      return /epoch|generation/i.test(name) ? 0 : 1
  }
}

export async function madeFrames(): Promise<readonly RecordedFrame[]> {
  const made: RecordedFrame[] = []
  for (const file of globSync('*.ts', { cwd: folder }).sort()) {
    const module: Record<string, MessageDeclaration> = await import(pathToFileURL(folder + file).href)
    for (const [name, { apiKey, fields }] of Object.entries(module)) {
      const api: Api | undefined = Object.values(apis).find(({ key }) => key === apiKey) as Api | undefined
      if (api === undefined || !name.endsWith('Request')) continue
      for (let version = api.versions.min; version <= api.versions.max; version++) {
        const bytes = Buffer.concat(writeRequest(api, version, 7, 'made', sample(fields) as never)).subarray(4)
        made.push({ client: 'made', apiKey, version, bytes: new Uint8Array(bytes) })
      }
    }
  }
  return made
}
