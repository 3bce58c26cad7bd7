// A contract in an open form: the Open Data Contract Standard (ODCS) v3.1.0, as the object that JSON or YAML would hold.
// JSON is YAML, so the printed JSON is a valid `.odcs.yaml` as it stands.
import type { Contract, Field, Fields, FieldType, Rule } from '../query/contract.ts'
import { unreachable } from '../std/assert.ts'

export interface OdcsContract {
  readonly apiVersion: 'v3.1.0'
  readonly kind: 'DataContract'
  readonly id: string
  readonly name: string
  readonly version: string
  readonly status: 'active'
  readonly domain: 'commerce'
  readonly description: { readonly purpose: string; readonly usage: string }
  readonly schema: readonly OdcsObject[]
  readonly slaProperties: readonly OdcsSla[]
  readonly customProperties: readonly OdcsCustom[]
}
export interface OdcsObject {
  readonly name: string
  readonly physicalName: string
  readonly physicalType: 'topic'
  readonly logicalType: 'object'
  readonly description: string
  readonly properties: readonly OdcsProperty[]
}
export interface OdcsElement {
  readonly logicalType: 'string' | 'date' | 'timestamp' | 'integer' | 'number' | 'boolean' | 'object' | 'array'
  readonly physicalType: string
  readonly logicalTypeOptions?: { readonly [option: string]: string | number | boolean }
  readonly properties?: readonly OdcsProperty[]
  readonly items?: OdcsElement
}
export interface OdcsProperty extends OdcsElement {
  readonly name: string
  readonly description: string
  readonly required: boolean
  readonly primaryKey?: true
  readonly primaryKeyPosition?: 1
  readonly unique?: true
  readonly partitioned?: true
  readonly partitionKeyPosition?: 1
  readonly quality?: readonly OdcsQuality[]
  readonly customProperties?: readonly OdcsCustom[]
}
export interface OdcsQuality {
  readonly name: string
  readonly description: string
  readonly type: 'library'
  readonly metric: 'missingValues' | 'invalidValues' | 'duplicateValues'
  readonly arguments?: { readonly [name: string]: unknown }
  readonly mustBe: 0
  readonly dimension: 'completeness' | 'conformity' | 'uniqueness'
  readonly severity: 'error'
}
export interface OdcsSla {
  readonly property: string
  readonly value: number
  readonly unit: string
  readonly element: string
  readonly description: string
}
export interface OdcsCustom {
  readonly property: string
  readonly value: string | number | boolean | readonly string[]
}

export function odcs(contract: Contract): OdcsContract {
  const { topic, version, doc } = contract
  const time = `${topic}.${contract.eventTime}`
  return {
    apiVersion: 'v3.1.0',
    kind: 'DataContract',
    id: `millrace-${topic}`,
    name: topic,
    version: `${version}.0.0`,
    status: 'active',
    domain: 'commerce',
    description: {
      purpose: doc,
      usage:
        'One JSON object a record. Fields that are not named here pass unread. A record that breaks the contract goes ' +
        `to ${topic}.dlq with its bytes and the reason.`,
    },
    schema: [
      {
        name: topic,
        physicalName: topic,
        physicalType: 'topic',
        logicalType: 'object',
        description: doc,
        properties: properties(contract.fields, contract),
      },
    ],
    slaProperties: [
      {
        property: 'latency',
        value: contract.outOfOrderMs / 1_000,
        unit: 's',
        element: time,
        description: 'How far a record may lie behind the newest of its partition and still be in time.',
      },
      {
        property: 'frequency',
        value: contract.idleTimeoutMs / 1_000,
        unit: 's',
        element: time,
        description: 'A partition that is silent for longer no longer holds windows open.',
      },
      {
        property: 'maximumClockSkew',
        value: contract.futureLimitMs / 1_000,
        unit: 's',
        element: time,
        description: 'A record whose time lies further ahead of its arrival is refused.',
      },
    ],
    customProperties: [
      { property: 'kafkaPartitions', value: contract.partitions },
      { property: 'kafkaKey', value: contract.key },
      { property: 'eventTime', value: contract.eventTime },
      ...(contract.identity === undefined ? [] : [{ property: 'identity', value: contract.identity }]),
      { property: 'origin', value: contract.origin ?? 'input' },
    ],
  }
}

/** `contract` is given for the fields of the record itself: only those can be key or identity. */
function properties(fields: Fields, contract?: Contract): OdcsProperty[] {
  return Object.entries(fields).map(([name, field]) => property(name, field, contract))
}

function property(name: string, field: Field, contract?: Contract): OdcsProperty {
  const required = !field.nullable && field.default === undefined
  const isIdentity = contract?.identity === name
  const quality = qualityOf(name, field, required, isIdentity)
  const custom: OdcsCustom[] = []
  if (field.default !== undefined) custom.push({ property: 'default', value: field.default })
  if (field.aliases !== undefined) custom.push({ property: 'aliases', value: field.aliases })
  if (field.type.kind === 'money') {
    custom.push({ property: 'currency', value: field.type.currency }, { property: 'scale', value: field.type.scale })
  }
  return {
    name,
    ...elementOf(field.type, field.rules),
    description: field.doc,
    required,
    ...(isIdentity ? { primaryKey: true, primaryKeyPosition: 1, unique: true } : {}),
    ...(contract?.key === name ? { partitioned: true, partitionKeyPosition: 1 } : {}),
    ...(quality.length === 0 ? {} : { quality }),
    ...(custom.length === 0 ? {} : { customProperties: custom }),
  }
}

function elementOf(type: FieldType, rules: readonly Rule[] = []): OdcsElement {
  const bounds = boundsOf(rules)
  const options = (given: NonNullable<OdcsElement['logicalTypeOptions']>): Pick<OdcsElement, 'logicalTypeOptions'> =>
    Object.keys(given).length === 0 ? {} : { logicalTypeOptions: given }
  switch (type.kind) {
    case 'bool':
      return { logicalType: 'boolean', physicalType: 'boolean' }
    case 'int64':
      return { logicalType: 'integer', physicalType: 'number', ...options({ format: 'i64', ...bounds }) }
    case 'float64':
      return { logicalType: 'number', physicalType: 'number', ...options({ format: 'f64', ...bounds }) }
    case 'decimal':
    case 'money': {
      const multipleOf = Number(`1e-${type.scale}`)
      return { logicalType: 'number', physicalType: 'number', ...options({ multipleOf, ...bounds }) }
    }
    case 'string':
      return { logicalType: 'string', physicalType: 'string' }
    case 'bytes':
      return { logicalType: 'string', physicalType: 'string', ...options({ format: 'byte' }) }
    case 'uuid':
      return { logicalType: 'string', physicalType: 'string', ...options({ format: 'uuid' }) }
    case 'timestamp':
      return {
        logicalType: 'timestamp',
        physicalType: 'string',
        ...options({ timezone: true, defaultTimezone: 'Etc/UTC' }),
      }
    case 'date':
      return { logicalType: 'date', physicalType: 'string', ...options({ format: 'yyyy-MM-dd' }) }
    case 'struct':
      return { logicalType: 'object', physicalType: 'object', properties: properties(type.fields) }
    case 'array':
      return { logicalType: 'array', physicalType: 'array', items: elementOf(type.of) }
    default:
      return unreachable(type)
  }
}

function boundsOf(rules: readonly Rule[]): { minimum?: number; exclusiveMinimum?: number } {
  const bounds: { minimum?: number; exclusiveMinimum?: number } = {}
  for (const rule of rules) {
    if (rule.rule === 'above') bounds.exclusiveMinimum = rule.bound
    else if (rule.rule === 'at-least') bounds.minimum = rule.bound
  }
  return bounds
}

/** What the validator checks, as checks that others can run: bounds are in `logicalTypeOptions` as well. */
function qualityOf(name: string, field: Field, required: boolean, isIdentity: boolean): OdcsQuality[] {
  const check = (
    rule: string,
    description: string,
    metric: OdcsQuality['metric'],
    dimension: OdcsQuality['dimension'],
    given?: OdcsQuality['arguments'],
  ): OdcsQuality => ({
    name: `${name}-${rule}`,
    description,
    type: 'library',
    metric,
    ...(given === undefined ? {} : { arguments: given }),
    mustBe: 0,
    dimension,
    severity: 'error',
  })
  const checks: OdcsQuality[] = []
  if (required) {
    const missing = { missingValues: [null] }
    checks.push(check('required', 'Must be there and not null.', 'missingValues', 'completeness', missing))
  }
  if (isIdentity) checks.push(check('identity', 'The same value is the same record.', 'duplicateValues', 'uniqueness'))
  for (const rule of field.rules ?? []) {
    switch (rule.rule) {
      case 'above':
        checks.push(
          check('above', `Must be above ${rule.bound}.`, 'invalidValues', 'conformity', {
            exclusiveMinimum: rule.bound,
          }),
        )
        break
      case 'at-least':
        checks.push(
          check('at-least', `Must be at least ${rule.bound}.`, 'invalidValues', 'conformity', { minimum: rule.bound }),
        )
        break
      case 'one-of':
        checks.push(
          check('one-of', `Must be one of ${rule.values.join(', ')}.`, 'invalidValues', 'conformity', {
            validValues: rule.values,
          }),
        )
        break
      default:
        unreachable(rule)
    }
  }
  return checks
}
