// The documentation page of the topics, written from their contracts: what a reader of the data has to know, in Markdown.
import type { Contract, Fields, FieldType, Rule } from '../query/contract.ts'
import { unreachable } from '../std/assert.ts'

/** The whole page: one section a topic, in the order given. */
export function topicsPage(contracts: Iterable<Contract>): string {
  const all = [...contracts]
  return `${[
    '# Topics',
    '',
    'Each topic has a data contract; this page is printed from them (`npm run docs:topics`). `millrace contracts show',
    'NAME --odcs` gives one as an Open Data Contract (ODCS v3.1.0). Records are JSON objects; fields that are not named',
    'here pass unread. A record that breaks its contract goes to `<topic>.dlq` with its bytes and the reason.',
    '',
    '| topic | partitions | key | event time | identity | what it holds |',
    '|---|---|---|---|---|---|',
    ...all.map(
      ({ topic, partitions, key, eventTime, identity, doc }) =>
        `| [\`${topic}\`](#${topic}) | ${partitions} | \`${key}\` | \`${eventTime}\` | ${identity === undefined ? '' : `\`${identity}\``} | ${cell(doc)} |`,
    ),
    '',
    ...all.flatMap(section),
  ]
    .join('\n')
    .trimEnd()}\n`
}

/** One topic's section alone. */
export function topicPage(contract: Contract): string {
  return section(contract).join('\n')
}

function section(contract: Contract): string[] {
  const seconds = (ms: number): string => `${ms / 1_000} s`
  return [
    `## ${contract.topic}`,
    '',
    `${contract.doc} Version ${contract.version}${contract.origin === 'result' ? ', written by a pipeline' : ''}.`,
    '',
    '| field | type | must be there | rules | meaning |',
    '|---|---|---|---|---|',
    ...rows(contract.fields, ''),
    '',
    `Out of order by up to ${seconds(contract.outOfOrderMs)}; a partition silent for ${seconds(contract.idleTimeoutMs)} is ` +
      `idle; times more than ${seconds(contract.futureLimitMs)} ahead of arrival are refused.`,
    '',
  ]
}

function rows(fields: Fields, prefix: string): string[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const path = `${prefix}${name}`
    const stands =
      field.default !== undefined ? `no: \`${JSON.stringify(field.default)}\`` : field.nullable ? 'no' : 'yes'
    const also =
      field.aliases === undefined ? '' : ` Also as ${field.aliases.map((alias) => `\`${alias}\``).join(', ')}.`
    const rules = (field.rules ?? []).map(ruleText).join('; ')
    const row = `| \`${path}\` | ${typeText(field.type)} | ${stands} | ${cell(rules)} | ${cell(field.doc + also)} |`
    return [row, ...inner(field.type, path)]
  })
}

function inner(type: FieldType, path: string): string[] {
  if (type.kind === 'struct') return rows(type.fields, `${path}.`)
  return type.kind === 'array' ? inner(type.of, `${path}[]`) : []
}

function typeText(type: FieldType): string {
  switch (type.kind) {
    case 'money':
      return `money, ${type.currency}, ${type.scale} decimals`
    case 'decimal':
      return `decimal, ${type.scale} decimals`
    case 'array':
      return `list of ${typeText(type.of)}`
    case 'struct':
      return 'object'
    case 'int64':
      return 'whole number'
    case 'float64':
      return 'number'
    case 'string':
      return 'text'
    case 'bool':
      return 'true or false'
    case 'timestamp':
      return 'time, ISO-8601'
    case 'bytes':
    case 'uuid':
    case 'date':
      return type.kind
    default:
      return unreachable(type)
  }
}

function ruleText(rule: Rule): string {
  switch (rule.rule) {
    case 'above':
      return `above ${rule.bound}`
    case 'at-least':
      return `at least ${rule.bound}`
    case 'one-of':
      return `one of ${rule.values.join(', ')}`
    default:
      return unreachable(rule)
  }
}

/** A `|` would end the table's cell. */
const cell = (text: string): string => text.replaceAll('|', '\\|')
