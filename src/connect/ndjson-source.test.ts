// NDJSON to batches: lines across chunk ends, CRLF, blank lines, no last newline, lines too long, lines named by number.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { SourceBatch } from '../engine/engine.ts'
import { randomStream } from '../std/random.ts'
import { nodeWorld } from '../world/node.ts'
import {
  ndjsonBatchBytes,
  ndjsonFiles,
  ndjsonFromChunks,
  ndjsonFromFiles,
  ndjsonLineBytesMax,
  ndjsonLines,
  type OverlongLine,
} from './ndjson-source.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

interface Seen {
  readonly offset: number
  readonly text: string
}
function read(batch: SourceBatch | null): Seen[] {
  if (batch === null) return []
  assert.ok(batch.bytes.length <= ndjsonBatchBytes)
  return Array.from({ length: batch.count }, (_, i) => ({
    offset: batch.offsets[i]!,
    text: decoder.decode(batch.bytes.subarray(batch.starts[i]!, batch.ends[i]!)),
  }))
}
/** Feeds the text in chunks of the given sizes, over and over. */
function split(
  text: string,
  chunkSizes: readonly number[],
): { readonly seen: Seen[]; readonly overlong: OverlongLine[] } {
  const overlong: OverlongLine[] = []
  const lines = ndjsonLines({ topic: 't', partition: 3, onOverlong: (line) => overlong.push(line) })
  const input = encoder.encode(text)
  const seen: Seen[] = []
  for (let at = 0, turn = 0; at < input.length; turn++) {
    const room = lines.room()
    const part = input.subarray(at, at + Math.min(room.length, chunkSizes[turn % chunkSizes.length]!))
    room.set(part)
    at += part.length
    for (const line of read(lines.filled(part.length))) seen.push(line)
  }
  seen.push(...read(lines.end()))
  return { seen, overlong }
}
/** What it should be, by way of strings. */
function expected(text: string): Seen[] {
  const lines = text.replace(/^\ufeff/, '').split('\n')
  return lines
    .map((line, offset) => ({ offset, text: line.replace(/\r$/, '') }))
    .filter(({ text }) => !/^[ \t\r]*$/.test(text))
}

const cases: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['one line', '{"a":1}\n'],
  ['no last newline', '{"a":1}\n{"a":2}'],
  ['CRLF', '{"a":1}\r\n{"a":2}\r\n\r\n{"a":3}\r'],
  ['blank lines', '\n\n  \n\t\n{"a":1}\n\n\n{"a":2}\n \r\n'],
  ['byte order mark', '\ufeff{"a":1}\n{"a":2}\n'],
  ['byte order mark alone', '\ufeff\n{"a":2}'],
  ['white space around', '  {"a":1}  \n\t{"a":2}\t\r\n'],
  ['letters of many bytes', '{"a":"ação €"}\n{"b":"😀"}\n'],
]
for (const [name, text] of cases) {
  test(`lines: ${name}, however the chunks fall`, () => {
    for (const sizes of [[1], [2], [3, 1], [7], [1_000]])
      assert.deepEqual(split(text, sizes).seen, expected(text), `${sizes}`)
  })
}

test('random lines in random chunks', () => {
  for (let seed = 0; seed < 60; seed++) {
    const random = randomStream(`ndjson/${seed}`)
    const pieces: string[] = []
    for (let i = random.below(400); i > 0; i--) {
      pieces.push(['', ' ', 'x'.repeat(random.below(3_000)), 'é'.repeat(random.below(40))][random.below(4)]!)
      pieces.push(['\n', '\r\n'][random.below(2)]!)
    }
    const text = pieces.join('')
    const sizes = Array.from({ length: 9 }, () => 1 + random.below(random.below(2) === 0 ? 50 : 400_000))
    assert.deepEqual(split(text, sizes).seen, expected(text), `replay with seed ${seed}`)
  }
})

test('more lines than a batch expects at first', () => {
  const text = '1\n'.repeat(200_000)
  assert.deepEqual(split(text, [1_000_000]).seen, expected(text))
})

test('a line of exactly the limit passes, one byte more is reported and skipped', () => {
  const fits = 'a'.repeat(ndjsonLineBytesMax - 1)
  for (const sizes of [[1_000_000], [65_536], [4_097]]) {
    const kept = split(`1\n${fits}\n2\n`, sizes)
    assert.deepEqual(
      kept.seen.map(({ offset, text }) => [offset, text.length]),
      [
        [0, 1],
        [1, fits.length],
        [2, 1],
      ],
    )
    assert.deepEqual(kept.overlong, [])
    const cut = split(`1\n${fits}ab\n2\n`, sizes)
    assert.deepEqual(cut.seen, [
      { offset: 0, text: '1' },
      { offset: 2, text: '2' },
    ])
    assert.deepEqual(
      cut.overlong.map(({ topic, partition, offset, sizeBytes, beginning }) => [
        topic,
        partition,
        offset,
        sizeBytes,
        beginning.length,
      ]),
      [['t', 3, 1, fits.length + 2, 120]],
    )
    const twice = split(`${fits}${fits}${fits}\n3\n${fits}${fits}`, sizes)
    assert.deepEqual(twice.seen, [{ offset: 1, text: '3' }])
    assert.deepEqual(
      twice.overlong.map(({ offset, sizeBytes }) => [offset, sizeBytes]),
      [
        [0, 3 * fits.length],
        [2, 2 * fits.length],
      ],
    )
  }
})

test('files and folders: by name, each line found again by its offset; chunks the same', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ndjson-'))
  try {
    writeFileSync(join(folder, 'b.ndjson'), '{"b":1}\n\n{"b":3}')
    writeFileSync(join(folder, 'a.ndjson'), '\ufeff{"a":1}\r\n{"a":2}\r\n')
    writeFileSync(join(folder, 'c.txt'), 'not this one')
    writeFileSync(join(folder, 'd.ndjson'), '')
    const world = nodeWorld()
    const settings = { topic: 't', partition: 0, onOverlong: () => assert.fail('none is too long') }
    const files = ndjsonFiles(world, `${folder}/`)
    assert.deepEqual(
      files,
      ['a', 'b', 'd'].map((name) => `${folder}/${name}.ndjson`),
    )
    const input = ndjsonFromFiles(world, files, settings)
    const seen: Seen[] = []
    for await (const batch of input.batches()) seen.push(...read(batch))
    assert.deepEqual(
      seen.map(({ text }) => text),
      ['{"a":1}', '{"a":2}', '{"b":1}', '{"b":3}'],
    )
    assert.deepEqual(
      seen.map(({ offset }) => input.place(offset)),
      [
        { file: files[0], line: 1 },
        { file: files[0], line: 2 },
        { file: files[1], line: 1 },
        { file: files[1], line: 3 },
      ],
    )
    assert.deepEqual(ndjsonFiles(world, `${folder}/c.txt`), [`${folder}/c.txt`])
    assert.throws(
      () => [...(ndjsonFromFiles(world, [`${folder}/no.ndjson`], settings).batches() as Iterable<SourceBatch>)],
      { code: 'ENOENT' },
    )

    const chunked = ndjsonFromChunks(
      'standard input',
      (async function* () {
        yield encoder.encode('{"a":1}\n{"a"')
        yield encoder.encode('')
        yield encoder.encode(':2}\n')
        yield encoder.encode('3')
      })(),
      settings,
    )
    const heard: Seen[] = []
    for await (const batch of chunked.batches()) heard.push(...read(batch))
    assert.deepEqual(
      heard.map(({ text }) => text),
      ['{"a":1}', '{"a":2}', '3'],
    )
    assert.deepEqual(chunked.place(2), { file: 'standard input', line: 3 })
  } finally {
    rmSync(folder, { recursive: true })
  }
})
