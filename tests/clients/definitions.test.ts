// Our message declarations against Kafka's own definitions: names, order, types, versions, defaults and tags.
// They come from Kafka's own jar (`npm run clients`); KAFKA_MESSAGES names another folder of them.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { type Fields, inVersions, type MessageDeclaration, versionRange } from '../../src/wire/message.ts'
import { kafkaMessages, withoutMessages } from './strangers.suite.ts'

const folder = process.env.KAFKA_MESSAGES ?? kafkaMessages
const skip = process.env.KAFKA_MESSAGES === undefined ? withoutMessages : false

interface KafkaField {
  readonly name: string
  readonly type: string
  readonly versions?: string
  readonly nullableVersions?: string
  readonly default?: unknown
  readonly tag?: number
  readonly fields?: readonly KafkaField[]
}
interface KafkaMessage {
  readonly apiKey: number
  readonly validVersions: string
  readonly flexibleVersions: string
  readonly fields: readonly KafkaField[]
  readonly commonStructs?: readonly { readonly name: string; readonly fields: readonly KafkaField[] }[]
}
function definition(name: string): KafkaMessage {
  const text = readFileSync(join(folder, `${name}.json`), 'utf8')
  return JSON.parse(text.replaceAll(/^\s*\/\/.*$/gm, ''))
}
const lower = (name: string): string => name[0]!.toLowerCase() + name.slice(1)
const ourType: Record<string, string> = { id64: 'int64' }
const defaultText = (value: unknown): string => {
  if (value === undefined || value === '' || value === false || value === 0 || Array.isArray(value)) return 'zero'
  return value === 2 ** 63 ? '9223372036854775807' : String(value)
}
const theirDefault = (value: unknown): string => {
  if (value === undefined || value === '' || value === 'false' || value === '0' || value === false) return 'zero'
  return value === '0x7fffffff' ? String(0x7fffffff) : String(value)
}

function compare(
  ours: Fields,
  theirs: readonly KafkaField[],
  whole: KafkaMessage,
  version: number,
  path: string,
): void {
  const carried = theirs.filter((field) => inVersions(field.versions as never, version))
  const names = Object.entries(ours).filter(([, field]) => inVersions(field.versions, version))
  assert.deepEqual(
    names.map(([name]) => name),
    carried.map((field) => lower(field.name)),
    `${path} v${version}: fields and their order`,
  )
  for (const [i, field] of carried.entries()) {
    const [name, our] = names[i]!
    const where = `${path}.${name} v${version}`
    assert.equal(
      inVersions(our.nullable, version),
      inVersions(field.nullableVersions as never, version),
      `${where} null`,
    )
    assert.equal(our.tag, field.tag, `${where} tag`)
    const array = field.type.startsWith('[]')
    const element = array ? field.type.slice(2) : field.type
    assert.equal(our.type === 'array', array, `${where} is an array`)
    if (/^[A-Z]/.test(element)) {
      const inner = our.type === 'array' ? our.of : our.type === 'struct' ? our.fields : null
      assert.ok(inner !== null && typeof inner === 'object', `${where} holds fields`)
      const shared = whole.commonStructs?.find((struct) => struct.name === element)?.fields
      compare(inner, field.fields ?? shared ?? [], whole, version, `${path}.${name}`)
      continue
    }
    const type = our.type === 'array' ? our.of : our.type
    assert.equal(typeof type === 'string' ? (ourType[type] ?? type) : type, element, `${where} type`)
    if (our.type !== 'array' && our.type !== 'struct') {
      assert.equal(defaultText(our.default), theirDefault(field.default), `${where} default`)
    }
  }
}

const messages = new URL('../../src/wire/messages/', import.meta.url)
for (const file of readdirSync(messages)) {
  const declared: Record<string, MessageDeclaration> = await import(pathToFileURL(join(messages.pathname, file)).href)
  for (const [name, ours] of Object.entries(declared)) {
    test(`${name} is what Kafka says it is`, { skip }, () => {
      const theirs = definition(ours.name)
      assert.equal(lower(ours.name), name)
      assert.equal(ours.apiKey, theirs.apiKey)
      assert.equal(ours.flexible, theirs.flexibleVersions)
      const { min, max } = versionRange(ours.versions)
      const valid = versionRange(theirs.validVersions as never)
      assert.equal(min, valid.min)
      assert.ok(max <= valid.max, `versions ${ours.versions}, Kafka has ${theirs.validVersions}`)
      for (let version = min; version <= max; version++) compare(ours.fields, theirs.fields, theirs, version, ours.name)
    })
  }
}
