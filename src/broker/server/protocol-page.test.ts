// docs/kafka-protocol.md is printed from what is served: APIs and versions as ApiVersions offers them, the words at the top of
// their handlers, and topic configs. After a wanted change: UPDATE_GOLDENS=1 npm test -- src/broker/server/protocol-page
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { apis } from '../../wire/wire.ts'
import { topicConfig, topicConfigNames } from '../topic-configs.ts'
import { apiVersions } from './apis/api-versions.ts'

const page = join(import.meta.dirname, '../../../docs/kafka-protocol.md')
const handlers = join(import.meta.dirname, 'apis')
const update = 'UPDATE_GOLDENS=1 npm test -- src/broker/server/protocol-page'

interface Header {
  readonly title: string
  readonly does: string
  readonly leavesOut: string
}
/** The comment at the top of a handler: `// Name 0-5 (key 1): what it does. Left out: what it does not.` */
function headerOf(file: string): Header | null {
  const lines: string[] = []
  for (const line of readFileSync(join(handlers, file), 'utf8').split('\n')) {
    if (!line.startsWith('//')) break
    lines.push(line.slice(2).trim())
  }
  const [, title = '', words = ''] = /^(\w+ [\d-]+ \(key \d+\)): (.*)$/.exec(lines.join(' ')) ?? []
  if (title === '') return null
  const [does = '', leavesOut = ''] = words.split('Left out: ')
  return { title, does: does.trim(), leavesOut: leavesOut.trim() }
}
const cell = (text: string): string => text.replaceAll('|', '\\|').replace(/^./, (first) => first.toUpperCase())

function printed(): string {
  const headers = readdirSync(handlers).flatMap((file) => headerOf(file) ?? [])
  const rows = Object.values(apis)
    .sort((a, b) => a.key - b.key)
    .map(({ key, name, versions: { min, max } }) => {
      const range = min === max ? String(min) : `${min}-${max}`
      // A handler that speaks of other versions than it is offered with is wrong about itself.
      const title = `${name} ${range} (key ${key})`
      const header = headers.find((each) => each.title === title)
      assert.ok(header !== undefined, `no handler begins with "// ${title}: …"`)
      return `| ${key} | ${name} | ${range} | ${cell(header.does)} | ${cell(header.leavesOut)} |`
    })
  const configs = topicConfigNames.map((name) => {
    const { type, fallback, brokerName, documentation } = topicConfig(name)!
    return `| \`${name}\` | ${type} | ${fallback} | ${brokerName === '' ? '' : `\`${brokerName}\``} | ${cell(documentation)} |`
  })
  return `# The Kafka protocol, as the broker speaks it

Printed from what is served (\`${update}\`): the APIs and versions that ApiVersions offers,
the words at the top of their handlers in \`src/broker/server/apis/\`, and the configs of topics. Another key, or a version
outside its range, closes the connection, as Kafka does. Produce is offered from version 0 on (older librdkafka looks for it
before it compresses); a Produce below 3 is answered with an error.

${rows.length} APIs:

| key | name | versions | what it does | left out |
|--:|---|---|---|---|
${rows.join('\n')}

## Topic configs

Set with CreateTopics, AlterConfigs and IncrementalAlterConfigs; in force from the moment they are answered. The broker's name
is that of the default for topics that do not say otherwise: it can be changed while the broker runs, for the broker or (with
an empty name) for the cluster. A value that could not be kept is refused with INVALID_CONFIG and the reason.

| config | type | default | broker's name | what it does |
|---|---|---|---|---|
${configs.join('\n')}
`
}

test('docs/kafka-protocol.md says what is served', () => {
  const wanted = printed()
  if (process.env.UPDATE_GOLDENS) writeFileSync(page, wanted)
  assert.equal(readFileSync(page, 'utf8'), wanted, `the page is not up to date: ${update}`)
})

test('ApiVersions offers what the page says, and nothing else', () => {
  const offered = apiVersions().apiKeys?.map(({ apiKey, maxVersion }) => `| ${apiKey} | ${maxVersion}`)
  const rows = [...readFileSync(page, 'utf8').matchAll(/^\| (\d+) \| \w+ \| (?:\d+-)?(\d+) \|/gm)]
  assert.deepEqual(
    rows.map(([, key, max]) => `| ${key} | ${max}`),
    offered,
  )
})
