// What a request takes once it is decoded, measured on the heap: never more than is accounted for while it is read, and that
// is at most four times the frame and 64 KiB. Every API, its lowest and highest version, each of its arrays in turn very long.
import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { ByteReader, decodedBytesFree } from '../../src/wire/byte-reader.ts'
import { ByteWriter } from '../../src/wire/byte-writer.ts'
import { type Field, type Fields, inVersions, type MessageDeclaration } from '../../src/wire/message.ts'
import { messageCodec } from '../../src/wire/message-codec.ts'
import { apis } from '../../src/wire/wire.ts'
import { WireError } from '../../src/wire/wire-error.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const folder = fileURLToPath(new URL('../../src/wire/messages/', import.meta.url))
/** Of the measurement: the runtime allocates for itself now and then. */
const noiseBytesMax = 24 * 1024

type Path = readonly string[]
/** The ways to all arrays of a version. */
function arraysOf(fields: Fields, version: number, to: Path = []): Path[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    if (!inVersions(field.versions, version) || field.tag !== undefined) return []
    if (field.type === 'struct') return arraysOf(field.fields, version, [...to, name])
    if (field.type !== 'array') return []
    const inside = typeof field.of === 'string' ? [] : arraysOf(field.of, version, [...to, name])
    return [[...to, name], ...inside]
  })
}
/** A value whose array at the end of the path has so many elements, the ones on the way to it one. */
function filled(fields: Fields, path: Path, count: number, text: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [
      name,
      fieldValue(field, path[0] === name ? path.slice(1) : null, count, text),
    ]),
  )
}
function fieldValue(field: Field, path: Path | null, count: number, text: string): unknown {
  if (field.type === 'struct') return filled(field.fields, path ?? [], count, text)
  if (field.type !== 'array') return scalar(field.type, text)
  if (path === null) return []
  const { of } = field
  const one = typeof of === 'string' ? scalar(of, text) : filled(of, path, count, text)
  return new Array(path.length === 0 ? count : 1).fill(one)
}
function scalar(type: string, text: string): unknown {
  if (type === 'bool') return true
  if (type === 'string') return text
  if (type === 'uuid') return new Uint8Array(16)
  if (type === 'bytes' || type === 'records') return new Uint8Array(1)
  if (type === 'id64') return 1n << 40n
  return type === 'int64' ? 2 ** 40 : 1
}

const declarations: MessageDeclaration[] = []
for (const file of globSync('*.ts', { cwd: folder }).sort()) {
  const module: Record<string, MessageDeclaration> = await import(pathToFileURL(folder + file).href)
  for (const [name, declaration] of Object.entries(module)) if (name.endsWith('Request')) declarations.push(declaration)
}

function measured(declaration: MessageDeclaration, version: number, frame: Uint8Array): number | null {
  const codec = messageCodec(declaration)
  // Whatever a first use makes is not of this frame.
  for (let i = 0; i < 2; i++) {
    try {
      codec.read(new ByteReader(frame), version)
    } catch (error) {
      if (error instanceof WireError) return null
      throw error
    }
  }
  collect()
  const before = process.memoryUsage()
  const reader = new ByteReader(frame)
  const value = codec.read(reader, version)
  collect()
  const after = process.memoryUsage()
  assert.equal(reader.left, 0)
  const budget = decodedBytesFree + 4 * frame.length
  const accounted = budget - reader.decodedBytesLeft
  const taken = after.heapUsed + after.external - before.heapUsed - before.external
  assert.ok(accounted <= budget)
  assert.ok(
    taken <= accounted + noiseBytesMax,
    `${declaration.name} ${version}, ${frame.length} bytes: ${taken} bytes are held, ${accounted} accounted for`,
  )
  // So that it lives until here.
  assert.ok(value !== null)
  return accounted
}

test('what is decoded takes no more than is accounted for: four times the frame, and 64 KiB', () => {
  let whole = 0
  let refused = 0
  for (const declaration of declarations) {
    const api = Object.values(apis).find(({ key }) => key === declaration.apiKey)
    if (api === undefined) continue
    const codec = messageCodec(declaration)
    const { min, max } = { ...api.versions, min: Math.max(api.versions.min, codec.versions.min) }
    for (const version of new Set([min, max])) {
      for (const path of arraysOf(declaration.fields, version)) {
        for (const [count, text] of [
          [600, 'é'],
          [600, 'жжж'],
          [4_000, 'twenty-two-characters-'],
        ] as const) {
          const writer = new ByteWriter()
          codec.write(writer, version, filled(declaration.fields, path, count, text) as never)
          const frame = new Uint8Array(Buffer.concat(writer.finish()))
          if (measured(declaration, version, frame) === null) refused++
          else whole++
        }
      }
    }
  }
  assert.ok(whole > 150 && refused > 0, `${whole} were read, ${refused} refused`)
})
