// For the fuzz test: contracts of every field type, and records that are valid, nearly valid or broken, from a seed.
import { onlineRetail, orders, sales } from '../../commerce/commerce.ts'
import { type Contract, contract, type Field, field, nullable } from '../../query/contract.ts'
import type { RandomStream } from '../../std/random.ts'

const common = { version: 1, partitions: 1, outOfOrderMs: 0, idleTimeoutMs: 0, futureLimitMs: 600_000, doc: 'fuzz' }

const everyType = contract({
  ...common,
  topic: 'every-type',
  key: 'name',
  eventTime: 'at',
  fields: {
    name: field({ kind: 'string' }, 'text'),
    maybe: nullable({ kind: 'int64' }, 'whole number, maybe'),
    flag: field({ kind: 'bool' }, 'truth', { default: true }),
    ratio: nullable({ kind: 'float64' }, 'number', { rules: [{ rule: 'at-least', bound: -0.5 }] }),
    fine: field({ kind: 'decimal', scale: 6 }, 'decimal', { rules: [{ rule: 'above', bound: -12.5 }] }),
    coarse: nullable({ kind: 'money', scale: 0, currency: 'JPY' }, 'amount without decimals'),
    day: nullable({ kind: 'date' }, 'date', { default: '2020-02-29' }),
    token: nullable({ kind: 'uuid' }, 'uuid'),
    at: field({ kind: 'timestamp' }, 'when', { aliases: ['time', 'ts'] }),
    bytes: nullable({ kind: 'bytes' }, 'bytes', { aliases: ['données'] }),
    nested: nullable({ kind: 'struct', fields: { x: field({ kind: 'int64' }, 'x') } }, 'nested'),
    list: nullable({ kind: 'array', of: { kind: 'string' } }, 'list'),
  },
})
const ruled = contract({
  ...common,
  topic: 'ruled',
  key: 'colour',
  eventTime: 'at',
  fields: {
    colour: field({ kind: 'string' }, 'one of some', {
      rules: [{ rule: 'one-of', values: ['red', 'green', 'blue', 'añil', 'a colour longer than sixteen bytes', ''] }],
    }),
    size: nullable({ kind: 'string' }, 'one of two lists', {
      default: 'M',
      rules: [
        { rule: 'one-of', values: ['S', 'M', 'L'] },
        { rule: 'one-of', values: ['M', 'L', 'XL'] },
      ],
    }),
    count: field({ kind: 'int64' }, 'two bounds', {
      default: 3,
      rules: [
        { rule: 'above', bound: 0 },
        { rule: 'at-least', bound: 2 },
      ],
    }),
    price: field({ kind: 'money', scale: 2, currency: 'EUR' }, 'above a bound finer than its scale', {
      aliases: ['amount'],
      rules: [{ rule: 'above', bound: 0.005 }],
    }),
    broken: nullable({ kind: 'int64' }, 'its default breaks its rule', {
      default: -1,
      rules: [{ rule: 'at-least', bound: 0 }],
    }),
    at: field({ kind: 'timestamp' }, 'when', { default: '2026-01-01T00:00:00Z' }),
  },
})

export const contracts: readonly Contract[] = [sales, orders, onlineRetail, everyType, ruled]

const TEXTS = [
  ...['"a"', '""', '"Credit Card"', '"prod-1"', '"prod-6"', '"red"', '"blue"', '"S"', '"M"', '"XL"', '"añil"'],
  ...['"fifteen bytes.."', '"sixteen bytes..."', '"seventeen bytes.."', '"a colour longer than sixteen bytes"'],
  ...[
    '"São Paulo é aqui, coração"',
    '"日本語のとても長いテキストです"',
    '"smile 😀 over"',
    '"\uFEFFmark"',
    '"a\uFEFF"',
  ],
  ...['"\u007f"', '"\u0080"', '"\u07ff\u0800\uffff\u{10000}\u{10ffff}"', '"{"', '"a,b:c}"', '"0f8fad5b"'],
  ...['"0f8fad5b-d9cb-469f-a165-70867728950e"', '"0F8FAD5B-D9CB-469F-A165-70867728950E"'],
  ...['"0f8fad5b-d9cb-469f-a165-70867728950g"', '"0f8fad5b-d9cb-469f-a165+70867728950e"'],
]
const ODD_TEXTS = [
  ...['"a\\nb"', '"\\u0061"', '"\\ud83d\\ude00"', '"\\ud800"', '"\\"', '"\\\\"', '"\\x"', '"tab\there"', '"nul\0"'],
  ...['"open', "'a'", '"new\nline"', '"\\/"', '"prod\\u002d1"', '"a" "b"', '""a'],
]
const NUMBERS = [
  ...[
    '0',
    '1',
    '2',
    '3',
    '12',
    '12.5',
    '12.50',
    '1.10',
    '0.01',
    '0.005',
    '0.001',
    '-1',
    '-0.01',
    '-0.25',
    '250',
    '3.0',
  ],
  ...['999999999999999', '1000000000000000', '99999999999999', '9999999999999.99', '0.000001', '0.0000001', '1.000000'],
]
const ODD_NUMBERS = [
  ...['-0', '-0.0', '0.0', '1e3', '1E-2', '1.5e+2', '2.50E1', '01', '00', '-01', '1.', '.5', '+1', '-', '--1', '1..2'],
  ...['9007199254740991', '9007199254740992', '9007199254740993', '-9007199254740992', '90071992547409.91'],
  ...[
    '90071992547409.92',
    '9007199254740.9915',
    '123456789012345.6',
    '12345678901234567890',
    '1e400',
    '-1e400',
    '1e-400',
  ],
  ...['0.00000000000000000000001', '0.1000000000000000000', '100000000000000000.0', 'NaN', 'Infinity', '0x10', '1_000'],
  ...['1,5', '4.35', '1.005', '0.1234567890123456', '123456789.123456', '1.0000000001', '000000000000000001'],
  ...['0.000000000000000000', '0.00000000000000001', '10000000000000.0000', '9007199254.740991', '9007199254.740992'],
]
/** At the edges of 2^53 for scales 0, 2, 3 and 6. */
const EDGE_NUMBERS = [
  ...['90071992547409', '90071992547410', '-90071992547410', '90071992547409.9', '90071992547410.0'],
  ...['9007199254740', '9007199254741', '9007199254740.99', '9007199254741.1', '9007199254', '9007199255'],
  ...[
    '9007199254.74099',
    '9007199254.7410',
    '900719925474099',
    '900719925474100',
    '-0.5',
    '-0.51',
    '-12.5',
    '-12.499999',
  ],
]
const TIMES = [
  ...['"2026-01-31T12:00:00Z"', '"2026-01-31T12:00:01.5Z"', '"2026-01-31T12:00:59.123Z"', '"2026-01-31T12:00:00"'],
  ...['"2026-01-31T09:00:00-03:00"', '"2026-01-31T12:00:00+0000"', '"2026-01-31 12:00:00.123456789+05:30"'],
  ...['"2024-02-29T23:59:59.999Z"', '"1970-01-01T00:00:00Z"', '"1969-12-31T23:59:59.001Z"', '"0000-02-29T00:00:00Z"'],
  ...[
    '"2026-01-31t12:00:00z"',
    '"2026-01-31T12:00:00,5+03"',
    '"9999-12-31T23:59:59.999-23:59"',
    '"2000-02-29T00:00:00"',
  ],
]
const ODD_TIMES = [
  ...['"2026-02-29T00:00:00Z"', '"2026-13-01T00:00:00Z"', '"2026-00-01T00:00:00Z"', '"2026-01-32T00:00:00Z"'],
  ...[
    '"2026-01-31T24:00:00Z"',
    '"2026-01-31T23:60:00Z"',
    '"2026-01-31T23:59:60Z"',
    '"2026-01-31T12:00Z"',
    '"2026-01-31"',
  ],
  ...[
    '"2026-01-31T12:00:00.Z"',
    '"2026-01-31T12:00:00ZZ"',
    '"2026-01-31T12:00:00+24:00"',
    '"2026-01-31T12:00:00+00:60"',
  ],
  ...['"2026-01-31T12:00:00+3"', '"2026-01-31T12:00:00+030"', '"2026-01-31T12:00:00 "', '" 2026-01-31T12:00:00Z"'],
  ...['"2026-01-31T12:00:00+03:0"', '"2026-01-31T12:00:00+0:000"', '"1900-02-29T00:00:00"', '"2026/01/31T12:00:00Z"'],
  ...[
    '1767225600000',
    '"20260131T120000Z"',
    '"2026-01-31T12:00:0\\u0030Z"',
    '"2026-01-31_12:00:00Z"',
    '"2999-01-01T00:00:00Z"',
  ],
]
const DATES = ['"2026-01-31"', '"2024-02-29"', '"0000-01-01"', '"9999-12-31"', '"1970-01-01"', '"1969-12-31"']
const ODD_DATES = [
  '"2026-02-29"',
  '"2026-1-31"',
  '"2026-01-31T"',
  '"26-01-31"',
  '"2026-01-31 "',
  '20260131',
  '"2026-01-3"',
]
const OTHERS = [
  ...['null', 'true', 'false', '[]', '{}', '{"x":1}', '["a"]', '[1,[2]]', '{"x":null}', 'nul', 'nulL', 'tru', 'fals'],
  ...['falsey', 'fa1se', 'trun', 'nule', 'True', '', ' ', 'undefined', '[', '{', '"', '}'],
]

/** Every value above, for every field. */
export const tokens: readonly string[] = [
  ...[...TEXTS, ...ODD_TEXTS, ...NUMBERS, ...ODD_NUMBERS, ...EDGE_NUMBERS],
  ...[...TIMES, ...ODD_TIMES, ...DATES, ...ODD_DATES, ...OTHERS],
]

const pick = <T>(random: RandomStream, values: readonly T[]): T => {
  const value = values[random.below(values.length)]
  if (value === undefined) throw new RangeError('nothing to pick from')
  return value
}

function validValueOf(random: RandomStream, { type, rules }: Field): string {
  if (random.below(25) === 0) return 'null'
  switch (type.kind) {
    case 'bool':
      return pick(random, ['true', 'false'])
    case 'int64':
      return String(random.below(4) === 0 ? random.u32() : 2 + random.below(40))
    case 'float64':
    case 'decimal':
    case 'money': {
      const decimals = type.kind === 'float64' ? random.below(8) : random.below(type.scale + 1)
      return (random.below(1_000_000) / 10 ** decimals).toFixed(
        random.below(3) === 0 ? decimals : Math.min(decimals, 1),
      )
    }
    case 'uuid':
      return pick(random, TEXTS.filter((text) => text.length === 38).slice(0, 2))
    case 'timestamp':
      if (random.below(3) === 0) return pick(random, TIMES)
      return JSON.stringify(new Date(1_769_000_000_000 + random.below(100_000)).toISOString())
    case 'date':
      return pick(random, DATES)
    case 'string':
    case 'bytes': {
      const allowed = rules?.flatMap((rule) => (rule.rule === 'one-of' ? rule.values : [])) ?? []
      if (allowed.length > 0) return JSON.stringify(pick(random, allowed))
      return random.below(3) === 0 ? pick(random, TEXTS) : JSON.stringify(`value ${random.below(50)}`)
    }
    case 'struct':
      return random.below(3) === 0 ? '{"x":1}' : 'null'
    case 'array':
      return random.below(3) === 0 ? '["a"]' : 'null'
  }
}

const ODD_BY_KIND: { readonly [kind: string]: readonly string[] } = {
  timestamp: [...TIMES, ...ODD_TIMES],
  date: [...DATES, ...ODD_DATES],
  int64: [...NUMBERS, ...ODD_NUMBERS, ...EDGE_NUMBERS],
  float64: [...NUMBERS, ...ODD_NUMBERS, ...EDGE_NUMBERS],
  decimal: [...NUMBERS, ...ODD_NUMBERS, ...EDGE_NUMBERS],
  money: [...NUMBERS, ...ODD_NUMBERS, ...EDGE_NUMBERS],
}
function oddValueOf(random: RandomStream, type: string): string {
  if (random.below(4) === 0) return pick(random, [...TEXTS, ...ODD_TEXTS, ...NUMBERS, ...ODD_NUMBERS, ...OTHERS])
  if (random.below(6) === 0) return pick(random, OTHERS)
  return pick(random, ODD_BY_KIND[type] ?? [...TEXTS, ...ODD_TEXTS])
}

/** How one producer writes its records: which fields in which order, under which names, with which spaces. */
export interface Producer {
  readonly fields: readonly { readonly name: string; readonly field: Field | null }[]
  readonly comma: string
  readonly colon: string
  readonly open: string
  readonly close: string
}
export function producerOf(random: RandomStream, of: Contract): Producer {
  const entries = Object.entries(of.fields).filter(
    ([, one]) => !((one.nullable || one.default !== undefined) && random.below(3) === 0),
  )
  const fields: { name: string; field: Field | null }[] = entries.map(([name, one]) => ({
    name: random.below(4) === 0 ? pick(random, [name, ...(one.aliases ?? [])]) : name,
    field: one,
  }))
  // Two names of one field: the first that the contract names and that is not null counts.
  for (const [name, one] of entries)
    for (const alias of [name, ...(one.aliases ?? [])])
      if (random.below(12) === 0 && fields.every((field) => field.name !== alias))
        fields.push({ name: alias, field: one })
  if (random.below(2) === 0) fields.push({ name: pick(random, ['extra', 'x', '__proto__', 'é', '']), field: null })
  if (random.below(2) === 0)
    for (let i = fields.length - 1; i > 0; i--) {
      const j = random.below(i + 1)
      const [a, b] = [fields[i], fields[j]]
      if (a && b) [fields[i], fields[j]] = [b, a]
    }
  return {
    fields,
    comma: pick(random, [',', ',', ', ', ' ,\t']),
    colon: pick(random, [':', ':', ': ', ' : ']),
    open: pick(random, ['{', '{', '{ ', ' {']),
    close: pick(random, ['}', '}', ' }', '} ']),
  }
}

/** One record of the contract with every field it has; `value` may be put in place of one. */
export function wholeRecord(random: RandomStream, of: Contract, place: string | null, value: string): string {
  const members = Object.entries(of.fields).map(
    ([name, one]) => `${JSON.stringify(name)}:${name === place ? value : validValueOf(random, one)}`,
  )
  return `{${members.join()},"unknown":${place === null ? value : '1'}}`
}

const UNKNOWN = [
  '1',
  '-2.5',
  '"text"',
  'true',
  'false',
  'null',
  '"é"',
  '12345678901234567890',
  '1e5',
  '[1]',
  '"\\n"',
  '01',
]

/** A record of the producer; two in five have something odd. Null is a tombstone. */
export function recordOf(random: RandomStream, producer: Producer): Uint8Array | null {
  let { fields } = producer
  const oddAt = random.below(5) === 0 ? random.below(fields.length + 1) : -1
  if (random.below(30) === 0) fields = fields.filter((_, i) => i !== random.below(fields.length))
  if (random.below(40) === 0)
    fields = [...fields, pick(random, fields.length > 0 ? fields : [{ name: 'x', field: null }])]
  const members = fields.map(({ name, field: one }, i) => {
    const value =
      i === oddAt
        ? oddValueOf(random, one?.type.kind ?? 'any')
        : one
          ? validValueOf(random, one)
          : pick(random, UNKNOWN)
    const key = random.below(200) === 0 ? JSON.stringify(name).replace(/[a-z]/, '\\u0061') : JSON.stringify(name)
    return `${key}${producer.colon}${value}`
  })
  const bytes = new TextEncoder().encode(`${producer.open}${members.join(producer.comma)}${producer.close}`)
  return random.below(5) === 0 ? mutated(random, bytes) : bytes
}

/** At the edges of what is UTF-8, on both sides. */
export const UTF8_EDGES = [
  ...[
    [0xc1, 0xbf],
    [0xc2, 0x80],
    [0xdf, 0xbf],
    [0xe0, 0x9f, 0xbf],
    [0xe0, 0xa0, 0x80],
    [0xed, 0x9f, 0xbf],
  ],
  ...[
    [0xed, 0xa0, 0x80],
    [0xee, 0x80, 0x80],
    [0xef, 0xbf, 0xbf],
    [0xf0, 0x8f, 0xbf, 0xbf],
    [0xf0, 0x90, 0x80, 0x80],
  ],
  ...[[0xf4, 0x8f, 0xbf, 0xbf], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xc3], [0xe1, 0x80]],
  ...[
    [0xf1, 0x80, 0x80],
    [0xf1, 0x80, 0x80, 0x2e],
    [0xe1, 0x80, 0x2e],
    [0xc3, 0x2e],
    [0xed, 0xb0, 0x80],
  ],
]

function mutated(random: RandomStream, bytes: Uint8Array): Uint8Array | null {
  const at = random.below(bytes.length + 1)
  const until = Math.min(bytes.length, at + 1 + random.below(6))
  const byte = pick(random, [
    0,
    9,
    10,
    0x20,
    0x22,
    0x2c,
    0x30,
    0x39,
    0x3a,
    0x5c,
    0x7b,
    0x7d,
    0x80,
    0xc3,
    0xed,
    0xff,
    random.below(256),
  ])
  const joined = (...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array =>
    Uint8Array.from(parts.flatMap((part) => [...part]))
  switch (random.below(14)) {
    case 0:
    case 1:
    case 2:
      return joined(bytes.subarray(0, at), [byte], bytes.subarray(at + 1))
    case 3:
      return joined(bytes.subarray(0, at), [byte], bytes.subarray(at))
    case 4:
    case 5:
      return joined(bytes.subarray(0, at), bytes.subarray(until))
    case 6:
      return bytes.slice(0, at)
    case 7:
      return joined(bytes.subarray(0, until), bytes.subarray(at))
    case 8:
      return joined(bytes, pick(random, [[0x20], [0x0a], [0x2c], [0x7d], bytes, [0]]))
    case 9:
      return joined(bytes.subarray(0, at), random.fill(new Uint8Array(1 + random.below(20))), bytes.subarray(at))
    case 10:
    case 11: {
      // Behind a quote or inside a text, if there is one here.
      const quote = bytes.indexOf(0x22, at)
      return joined(bytes.subarray(0, quote + 1), pick(random, UTF8_EDGES), bytes.subarray(quote + 1))
    }
    case 12:
      return pick(random, [null, new Uint8Array(0), joined([0xef, 0xbb, 0xbf], bytes)])
    default: {
      const flipped = bytes.slice()
      if (flipped.length > 0) {
        const place = random.below(flipped.length)
        flipped[place] = (flipped[place] ?? 0) ^ (1 << random.below(8))
      }
      return flipped
    }
  }
}
