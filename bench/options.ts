// What `npm run bench` was asked for.
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

export const sectionNames = [
  'b1',
  'b2',
  'b3',
  'growth',
  'wire',
  'shards',
  'engine-latency',
  'nexmark',
  'broker',
  'latency',
  'start',
  'generate',
] as const
/** What `engine` stands for. */
const engineSections: readonly string[] = ['b1', 'b2', 'b3', 'growth', 'wire', 'shards', 'engine-latency']
export type SectionName = (typeof sectionNames)[number]

export interface Options {
  readonly sections: readonly SectionName[]
  /** Records in each generated file. */
  readonly events: number
  /** How often each thing is measured; ours and the peer take turns. */
  readonly runs: number
  /** Smaller work: shows that everything runs, not how fast. */
  readonly quick: boolean
  /** Where the figures also go, as JSON. */
  readonly json: string | null
  /** Inputs are kept here, and data directories of brokers live and die here. */
  readonly dir: string
  /** A running Apache Kafka (`host:port`), measured by the same loaders as our broker. */
  readonly kafka: string | null
  /** Put an Apache Kafka on this machine (Java and Maven) and measure it: see tools/cluster.ts. */
  readonly peers: boolean
}

export const usage = `npm run bench -- [section …] [flags]

sections: ${sectionNames.join(' ')} (default: all); engine: ${engineSections.join(' ')}
  --events N     records in each generated file (500,000; the full work is 2,000,000)
  --runs N       how often each thing is measured (3)
  --quick        little work, one run: does everything still run?
  --json FILE    the same figures as JSON, for docs/benchmarks/
  --dir DIR      where inputs are kept and brokers put their data (<tmp>/millrace-bench): on a real disk, please
  --peers        put an Apache Kafka beside our broker (needs Java and Maven) and measure it with the same loaders
  --kafka ADDR   a running Apache Kafka to measure with the same loaders, e.g. 127.0.0.1:9092
`

/** Throws an Error that says what is wrong with the command line. */
export function parseOptions(given: readonly string[]): Options | 'help' {
  const { values, positionals: asked } = parseArgs({
    args: [...given],
    allowPositionals: true,
    options: {
      events: { type: 'string' },
      runs: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      dir: { type: 'string' },
      kafka: { type: 'string' },
      peers: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return 'help'
  const positionals = asked.flatMap((name) => (name === 'engine' ? engineSections : [name]))
  const unknown = positionals.find((name) => !isSection(name))
  if (unknown !== undefined)
    throw new Error(`there is no section ${JSON.stringify(unknown)}; sections are ${sectionNames.join(', ')}`)
  const wanted = sectionNames.filter((name) => positionals.length === 0 || positionals.includes(name))
  return {
    sections: wanted,
    events: whole('--events', values.events, values.quick ? 50_000 : 500_000),
    runs: whole('--runs', values.runs, values.quick ? 1 : 3),
    quick: values.quick,
    json: values.json ?? null,
    dir: values.dir ?? join(tmpdir(), 'millrace-bench'),
    kafka: values.kafka ?? null,
    peers: values.peers,
  }
}

function isSection(name: string): name is SectionName {
  return sectionNames.some((known) => known === name)
}

function whole(flag: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise
  const value = Number(text.replaceAll(/[_,]/g, ''))
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${flag} takes a whole number above 0, not ${text}`)
  return value
}
