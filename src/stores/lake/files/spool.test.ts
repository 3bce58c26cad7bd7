// Records of every shape come out of bronze as they went in: text, bytes that are no text, control characters, nulls, headers.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { randomStream } from '../../../std/random.ts'
import { nodeWorld } from '../../../world/node.ts'
import { openDuckDb } from '../duckdb/duckdb.ts'
import { spoolSql } from './layer-sql.ts'
import { SpoolWriter } from './spool.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-spool-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const encoder = new TextEncoder()
const seed = process.env.MILLRACE_SEED ?? String(Date.now())

test(`keys and values of all bytes come back (seed ${seed})`, async () => {
  const world = nodeWorld()
  const random = randomStream(seed)
  const texts = [
    '',
    '\\N',
    'null',
    '{"a":"ü"}',
    '{"a":"\\n"}',
    'tab\there',
    'line\nend\r\n',
    '"',
    "'",
    'x'.repeat(70_000),
    '\u0000',
  ]
  const bytes = [...texts.map((one) => encoder.encode(one)), new Uint8Array([0xff, 0x41]), new Uint8Array([0xc3])]
  const any = (): Uint8Array | null => {
    const kind = random.below(4)
    if (kind === 0) return null
    if (kind === 1) return random.fill(new Uint8Array(random.below(30)))
    return bytes[random.below(bytes.length)]!
  }
  const writer = new SpoolWriter(world, join(folder, 'spool'))
  const sent: {
    readonly key: Uint8Array | null
    readonly value: Uint8Array | null
    readonly headers: string | null
  }[] = []
  for (let offset = 0; offset < 600; offset++) {
    const [key, value] = [any(), any()]
    const headers = random.below(5) === 0 ? '[["who","ü\\n"]]' : null
    const whole = new Uint8Array([...(key ?? []), ...(value ?? [])])
    const keyBytes = key?.length ?? 0
    writer.add({
      partition: offset % 3,
      offset,
      arrivalMs: 1_700_000_000_000 + offset,
      bytes: whole,
      keyStart: key === null ? -1 : 0,
      keyEnd: key === null ? -1 : keyBytes,
      valueStart: value === null ? -1 : keyBytes,
      valueEnd: value === null ? -1 : whole.length,
      headers,
    })
    sent.push({ key, value, headers })
  }
  const spool = writer.end()
  assert.equal(spool.records, 600)
  assert.ok(spool.oddRecords > 0 && spool.oddRecords < 600)
  const duckdb = openDuckDb(world, { memoryBytesMax: 128 << 20, spillFolder: null, spillBytesMax: 0, idleMsMax: 1_000 })
  try {
    const limits = { timeMsMax: 60_000, rowsMax: 1_000 }
    const columns = `_partition, _offset, epoch_ms(_arrival), coalesce(hex(encode(_key)), hex(_key_bytes)), _key IS NULL, coalesce(hex(encode(_value)), hex(_value_bytes)), _headers`
    const { rows } = await duckdb.run([`SELECT ${columns} FROM (${spoolSql(spool)}) ORDER BY _offset`], limits)
    assert.equal(rows.length, 600)
    const hex = (one: Uint8Array | null): string | null =>
      one === null ? null : Buffer.from(one).toString('hex').toUpperCase()
    for (const [offset, { key, value, headers }] of sent.entries()) {
      const [partition, at, arrival, keyHex, , valueHex, head] = rows[offset]!
      assert.deepEqual(
        [partition, Number(at), Number(arrival), keyHex, valueHex, head],
        [offset % 3, offset, 1_700_000_000_000 + offset, hex(key), hex(value), headers],
        `offset ${offset}, seed ${seed}`,
      )
    }
  } finally {
    await duckdb.close()
  }
})
