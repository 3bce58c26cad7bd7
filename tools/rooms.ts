// The rooms of the house as data: what each is for, what it may import, where its doors are, who may touch the outside.
// `npm run tidy` checks the code against this file and prints the table of ARCHITECTURE.md from it.

export interface Room {
  /** The folder under src/, or the one file with its folder (`platform.ts`, `platform/`). */
  readonly name: string
  readonly sentence: string
  /** Rooms whose doors it may import; `'all'` for the ones that put the house together. */
  readonly mayImport: readonly string[] | 'all'
  /** Shown in the table as said here; the check is `mayImport`. */
  readonly neverReaches: string
  /** Files other rooms may import, relative to the room; `'all'` where every file is one. */
  readonly doors: readonly string[] | 'all'
  /** Clock, entropy, disk, network, timers, threads and environment may be used here. */
  readonly touchesTheOutside?: true
  /** Designed, not built yet: shown in the table as such. It is a finding when its folder holds code. */
  readonly planned?: true
}

export const rooms: readonly Room[] = [
  {
    name: 'std',
    sentence:
      'what the language should have had: assert, units, bytes, CRC-32C, seeded random streams (forked by name), sorted structures',
    mayImport: [],
    neverReaches: 'everything',
    doors: 'all',
  },
  {
    name: 'world',
    sentence: 'the only door to clock, entropy, disk, network, environment, threads',
    mayImport: ['std'],
    neverReaches: 'everything else',
    doors: ['world.ts', 'node.ts'],
    touchesTheOutside: true,
  },
  {
    name: 'wire',
    sentence:
      'the Kafka protocol, bytes to values and back: one file per message, record batches, compression; no sockets',
    mayImport: ['std'],
    neverReaches: 'world',
    doors: [
      'wire.ts',
      'record-batch.ts',
      'batch-writer.ts',
      'rewritten-batch.ts',
      'stamped-batch.ts',
      'partitioner.ts',
      'compression.ts',
      'wire-error.ts',
    ],
  },
  {
    name: 'query',
    sentence:
      'the typed query language and the Plan it produces: frozen, printable, JSON-safe data; the types of a Contract and a Reaction',
    mayImport: ['std'],
    neverReaches: 'world, engine, flink',
    doors: ['query.ts', 'plan.ts', 'contract.ts', 'reaction.ts', 'reprocessing.ts'],
  },
  {
    name: 'log',
    sentence: 'the `Log` interface and its types: offsets, batches, cursors, commits',
    mayImport: ['std'],
    neverReaches: 'everything else',
    doors: 'all',
  },
  {
    name: 'models',
    sentence:
      'pure algorithms with a seed and no I/O: seasonal anomaly scores, half-space trees, forecasts, k-means, quantiles',
    mayImport: ['std'],
    neverReaches: 'world',
    doors: ['models.ts'],
  },
  {
    name: 'commerce',
    sentence:
      'the shop: event contracts, pipelines (written in the query language), reactions (pure state machines: events, cooldowns, insights, fraud, stock, quality)',
    mayImport: ['std', 'query', 'models'],
    neverReaches: 'engine, flink, broker, stores: a pipeline cannot know which backend runs it',
    doors: ['commerce.ts', 'adapters.ts'],
  },
  {
    name: 'generate',
    sentence: "a seed in, a believable shop's traffic and its ground truth out",
    mayImport: ['std', 'commerce', 'models'],
    neverReaches: 'broker',
    doors: ['generate.ts', 'sink.ts'],
  },
  {
    name: 'broker',
    sentence: 'records in order on disk, served over the Kafka protocol; a `Log`',
    mayImport: ['std', 'world', 'wire', 'log'],
    neverReaches: 'query, engine',
    doors: ['broker.ts', 'care/inspect.ts', 'care/repair.ts', 'care/backup.ts'],
  },
  {
    name: 'embed',
    sentence:
      "broker, queries and engine for other people's programs and tests: what the package offers as `millrace/broker`, `millrace/query` and `millrace/engine`",
    mayImport: ['std', 'world', 'wire', 'log', 'broker', 'query', 'engine', 'connect'],
    neverReaches: 'everything else',
    doors: ['broker.ts', 'query.ts', 'engine.ts'],
  },
  {
    name: 'engine',
    sentence:
      'runs Plans and Reactions over byte ranges and columns: decodes, windows, joins, checkpoints; has never heard of a shop or of Kafka',
    mayImport: ['std', 'world', 'query'],
    neverReaches: 'broker, stores, commerce',
    doors: ['engine.ts'],
  },
  {
    name: 'flink',
    sentence: 'the same Plan as Flink SQL, and its life on a cluster through the SQL gateway',
    mayImport: ['std', 'world', 'query'],
    neverReaches: 'engine',
    doors: ['flink.ts'],
  },
  {
    name: 'stores',
    sentence:
      'where results rest: `lake/` (Parquet, DuckDB in a child process, the Plan as DuckDB SQL) and `serving/` (PostgreSQL, or SQLite embedded)',
    mayImport: ['std', 'world', 'query'],
    neverReaches: 'engine, broker',
    doors: ['stores.ts', 'serving.ts'],
  },
  {
    name: 'connect',
    sentence:
      "the doorways: the Kafka cluster as a `Log`; log to engine (record batches become byte ranges in the decoder's memory), engine to log, log to lake, log to serving; exactly-once lives here",
    mayImport: ['std', 'world', 'wire', 'log', 'query', 'engine', 'stores'],
    neverReaches: 'commerce, serve',
    doors: [
      'connect.ts',
      'run-pipeline.ts',
      'ndjson-source.ts',
      'topic-to-file.ts',
      'watch-folder.ts',
      'online-retail-import.ts',
      'lake-feed.ts',
      'kafka-producer.ts',
      'kafka-topics.ts',
      'kafka-groups.ts',
      'kafka-access.ts',
      'kafka-log.ts',
      'record-producer.ts',
      'batch-producer.ts',
      'serving-sink.ts',
    ],
  },
  {
    name: 'serve',
    sentence:
      'HTTP, server-sent events, ingest, metrics; what it needs from log and engine it declares in `serve/ports.ts`, and `platform.ts` supplies; its second door `contract.ts` is all the screen may know',
    mayImport: ['std', 'world', 'query', 'commerce', 'stores'],
    neverReaches: 'broker, engine',
    doors: [
      'serve.ts',
      'contract.ts',
      'ports.ts',
      'lake-ports.ts',
      'books-ports.ts',
      'books-contract.ts',
      'insights-port.ts',
      'pipelines-contract.ts',
      'live-figures.ts',
    ],
  },
  {
    name: 'screen',
    sentence: 'what people look at',
    mayImport: ['serve/contract.ts'],
    neverReaches: 'Node',
    doors: [],
    touchesTheOutside: true,
  },
  {
    name: 'platform.ts',
    sentence: 'opens the house in the order of the picture above; reads top to bottom (its steps lie in `platform/`)',
    mayImport: 'all',
    neverReaches: '',
    doors: [
      'platform.ts',
      'broker-alone.ts',
      'running.ts',
      'backup-requests.ts',
      'ledger.ts',
      'kept-data.ts',
      'import.ts',
      'watching.ts',
      'reprocessing.ts',
      'score.ts',
      'score-store.ts',
      'score-recommendations.ts',
      'score-quality.ts',
      'lake-look.ts',
      'sql.ts',
      'report-files.ts',
      'reports.ts',
      'serving-store.ts',
    ],
  },
  {
    name: 'cli',
    sentence: 'one file per command (`explain` prints a Plan in all its forms)',
    mayImport: 'all',
    neverReaches: 'room insides',
    doors: [],
    touchesTheOutside: true,
  },
]

/** Folders beside src/. They may import any door; `insides` is why one may reach past doors too. */
export interface Annex {
  readonly name: string
  readonly insides: boolean
  readonly touchesTheOutside: boolean
}
export const annexes: readonly Annex[] = [
  // The simulated world drives the insides of broker and engine; it must itself be repeatable from its seed.
  { name: 'sim', insides: true, touchesTheOutside: false },
  { name: 'tests', insides: true, touchesTheOutside: true },
  { name: 'bench', insides: true, touchesTheOutside: true },
  { name: 'tools', insides: false, touchesTheOutside: true },
  { name: 'examples', insides: false, touchesTheOutside: true },
]

/** Libraries that do their own I/O, and the only places (a folder ends in `/`) where they may be imported. */
export const librariesWithIo: readonly { readonly library: string; readonly places: readonly string[] }[] = [
  { library: 'fastify', places: ['src/serve/'] },
  { library: '@fastify/swagger', places: ['src/serve/'] },
  { library: '@prometheus-io/client', places: ['src/serve/'] },
  { library: '@platformatic/kafka', places: ['src/connect/'] },
  { library: 'node:sqlite', places: ['src/stores/serving/'] },
  { library: 'pg', places: ['src/stores/serving/'] },
  { library: 'kysely', places: ['src/stores/serving/'] },
  { library: 'croner', places: ['src/platform/'] },
  { library: '@duckdb/node-api', places: ['src/stores/lake/'] },
]

/** Single files outside the rooms above that may touch the outside, each with its reason. */
export const filesThatTouchTheOutside: readonly { readonly file: string; readonly reason: string }[] = [
  {
    file: 'src/connect/schema-registry.ts',
    reason: 'asks a schema registry over HTTP, by the fetch of the runtime',
  },
  {
    file: 'src/engine/kernel/kernel-file.ts',
    reason: "reads the decoder's kernel, which is code of the program as much as any import",
  },
  {
    file: 'src/wire/block-kernel.ts',
    reason: 'reads the kernel of compressed blocks, which is code of the program as much as any import',
  },
  {
    file: 'sim/scheduler.ts',
    reason: 'virtual time: a turn of the real event loop runs the promise jobs between events',
  },
  { file: 'sim/run.ts', reason: 'the command that starts simulations: arguments, output, exit code' },
]

/** Where the program begins; a file that none of these (or a test) leads to is unused. package.json scripts count too. */
export const entryPoints: readonly string[] = [
  'src/cli/main.ts',
  'src/screen/index.html',
  'src/screen/vite.config.ts',
  // What package.json exports.
  'src/embed/broker.ts',
  'src/embed/engine.ts',
  'src/embed/query.ts',
  // AssemblyScript, compiled by tools/kernel.ts; its imports have no endings, so each file is named.
  'src/wire/assembly/blocks.ts',
  ...['calendar', 'decode', 'dictionary', 'digits', 'encode', 'ids', 'lines', 'number', 'text', 'time'].map(
    (name) => `src/engine/kernel/assembly/${name}.ts`,
  ),
]

/** The table of ARCHITECTURE.md. */
export function roomsAsMarkdown(): string {
  const rows = rooms.map((room) => {
    const name = room.name.endsWith('.ts') ? `\`${room.name}\`` : `\`${room.name}/\``
    const imports =
      room.mayImport === 'all'
        ? room.name === 'cli'
          ? '`platform.ts`, doors'
          : 'all doors'
        : room.mayImport.length === 0
          ? 'nothing'
          : room.mayImport.map((other) => (other.includes('/') ? `\`${other}\`` : other)).join(', ')
    const doors = room.doors === 'all' ? 'every file' : room.doors.map((door) => `\`${door}\``).join(', ')
    const sentence = room.planned ? `*(planned)* ${room.sentence}` : room.sentence
    return `| ${name} | ${sentence} | ${imports} | ${room.neverReaches} | ${doors} |`
  })
  return [
    '| room | what it is for, in a sentence | may import | never reaches | doors |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}
