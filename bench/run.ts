// `npm run bench`: what Millrace does in a second, beside what others do with the same work in the same run.
//
//   npm run bench                                     everything, 500,000 records, about three minutes
//   npm run bench -- b1 b2 --events 2000000           the full work of the published comparison
//   npm run bench -- engine                           all of the engine: b1 b2 b3 growth wire shards engine-latency
//   npm run bench -- broker --peers                   with an Apache Kafka of its own as the peer
//   npm run bench -- broker --kafka 127.0.0.1:9092    with a running one
//   npm run bench -- --quick                          does everything still run? (the figures mean little)
//   npm run bench -- --json docs/benchmarks/2026-11-21-small-laptop.json
//
// How to read it. A line is one thing measured: the median of ours, the median of the peer, and the ratio, which is how
// many times better ours is: 2.00x is twice the speed, half the time or half the memory, 0.50x is the other way round.
// Behind it the spread over the runs; when the spreads of the two sides overlap, the ratio says nothing. Ours and the
// peer take turns (A B A B), so that a busy minute hits both. Each measurement is a process of its own: `cold` is what
// its first run took, `warm` the median of those after it.
// Figures of different machines, or of a busy one, cannot be compared; ratios can. Where results can be checked, they
// are checked first: if ours and the peer disagree in one cell of one row, the first differences are printed instead of
// speeds, and the exit code is 1. No speed ever makes this fail.
//
// Sections, one file each: b1, b2 and b3 (windows.ts), growth, wire, shards, engine-latency, nexmark (a folder), broker, latency, start. What is left out is said with its
// reason. The same figures as JSON (--json) are kept in docs/benchmarks/.
import { mkdirSync, writeFileSync } from 'node:fs'
import { broker } from './broker.ts'
import { engineLatency } from './engine-latency.ts'
import { generate } from './generate.ts'
import { growth } from './growth.ts'
import { kafkaPeer } from './kafka-peer.ts'
import { latency } from './latency.ts'
import { describeMachine, machineText } from './machine.ts'
import { nexmark } from './nexmark/section.ts'
import { type Options, parseOptions, type SectionName, usage } from './options.ts'
import { sectionJson, sectionText } from './report.ts'
import { type Section, WrongResult } from './section.ts'
import { shards } from './shards.ts'
import { start } from './start.ts'
import { b1, b2, b3 } from './windows.ts'
import { wire } from './wire.ts'

const sections: Readonly<Record<SectionName, Section>> = {
  b1,
  b2,
  b3,
  growth,
  wire,
  shards,
  'engine-latency': engineLatency,
  nexmark,
  broker,
  latency,
  start,
  generate,
}

function optionsOrExit(): Options {
  try {
    const options = parseOptions(process.argv.slice(2))
    if (options !== 'help') return options
    process.stdout.write(usage)
    process.exit(0)
  } catch (error) {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : error}\n\n${usage}`)
    process.exit(2)
  }
}

/** On a terminal the line is written over; in a log each stays. */
function say(text: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `  ${text}\n`)
}

const asked = optionsOrExit()
mkdirSync(asked.dir, { recursive: true })
const peer = await kafkaPeer(asked)
const options: Options = { ...asked, kafka: peer?.address ?? asked.kafka }
const machine = describeMachine(options.dir)
process.stdout.write(`${machineText(machine)}\n`)
if (options.quick)
  process.stdout.write('--quick: little work and one run; these figures show that it runs, not how fast\n')
process.stdout.write('\n')

const found: object[] = []
for (const name of options.sections) {
  try {
    const report = await sections[name]({ options, say })
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
    process.stdout.write(`${sectionText(report)}\n`)
    found.push(sectionJson(name, report))
  } catch (error) {
    // The other sections are still worth having; the exit code tells.
    process.exitCode = 1
    const message =
      error instanceof WrongResult ? `WRONG RESULT: ${error.message}` : error instanceof Error ? error.stack : error
    process.stdout.write(`## ${name}: failed\n\n${message}\n\n`)
    found.push({ name, failed: error instanceof Error ? error.message : String(error) })
  }
}
await peer?.stop()
if (options.json !== null) {
  const { events, runs, quick } = options
  writeFileSync(options.json, `${JSON.stringify({ machine, events, runs, quick, sections: found }, null, 2)}\n`)
}
