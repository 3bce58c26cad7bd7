// CSV to records: header, gzip or not, order, progress, and errors that say what is wrong with the file.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { onlineRetailLines } from '../commerce/commerce.ts'
import { nodeWorld } from '../world/node.ts'
import { ImportError, type ImportProgress, importOnlineRetail } from './online-retail-import.ts'
import type { RecordProducer } from './record-producer.ts'

const header = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country'
const rows = [
  '536365,85123A,WHITE HANGING HEART T-LIGHT HOLDER,6,2010-12-01T08:26:00,2.55,17850,United Kingdom',
  '536381,82567,"AIRLINE LOUNGE,METAL SIGN",2,2010-12-01T09:41:00,2.1,15311,United Kingdom',
  'C536477,22041,"RECORD FRAME 7"" SINGLE SIZE ",-48,2010-12-01T12:27:00,0.001,,EIRE',
  '536544,DOT,,1,2010-12-01T14:32:00,x,,Curaçao',
]
const values = [
  '{"invoice_no":"536365","stock_code":"85123A","description":"WHITE HANGING HEART T-LIGHT HOLDER","quantity":6,"invoice_date":"2010-12-01T08:26:00","unit_price":2.55,"customer_id":"17850","country":"United Kingdom"}',
  '{"invoice_no":"536381","stock_code":"82567","description":"AIRLINE LOUNGE,METAL SIGN","quantity":2,"invoice_date":"2010-12-01T09:41:00","unit_price":2.1,"customer_id":"15311","country":"United Kingdom"}',
  '{"invoice_no":"C536477","stock_code":"22041","description":"RECORD FRAME 7\\" SINGLE SIZE ","quantity":-48,"invoice_date":"2010-12-01T12:27:00","unit_price":0.001,"customer_id":null,"country":"EIRE"}',
  // What is no number stays text: the contract rejects it and says why.
  '{"invoice_no":"536544","stock_code":"DOT","description":null,"quantity":1,"invoice_date":"2010-12-01T14:32:00","unit_price":"x","customer_id":null,"country":"Curaçao"}',
]

function listening(): {
  readonly producer: RecordProducer
  readonly heard: { topic: string; key: string; value: string }[]
  flushes(): number
} {
  const heard: { topic: string; key: string; value: string }[] = []
  const text = new TextDecoder()
  let flushes = 0
  return {
    heard,
    flushes: () => flushes,
    producer: {
      record: (topic, key, value) =>
        heard.push({ topic, key: text.decode(key ?? undefined), value: text.decode(value ?? undefined) }),
      room: () => null,
      flush: async () => void flushes++,
      trouble: () => null,
      counts: () => ({ records: heard.length, acknowledged: heard.length, sends: 0, sentBytes: 0, waitingBytes: 0 }),
      close: async () => {},
    },
  }
}
async function importing(content: string | Uint8Array) {
  const folder = mkdtempSync(join(tmpdir(), 'import-'))
  const path = join(folder, 'file')
  try {
    writeFileSync(path, content)
    const { producer, heard, flushes } = listening()
    const progress: ImportProgress[] = []
    const summary = await importOnlineRetail(nodeWorld(), producer, {
      path,
      mapping: onlineRetailLines,
      onProgress: (made) => progress.push(made),
    })
    return { summary, heard, flushes: flushes(), progress, bytes: Buffer.byteLength(content) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('rows become records keyed by invoice, from CSV and from gzip, whatever the order of columns', async () => {
  const csv = `${[header, ...rows].join('\n')}\n`
  const moved = [`Extra,${header}`, ...rows.map((row) => `"a,b",${row}`)].join('\r\n')
  for (const content of [csv, `\ufeff${csv}`, gzipSync(csv), moved]) {
    const { summary, heard, flushes, progress, bytes } = await importing(content)
    assert.deepEqual(
      heard.map(({ value }) => value),
      values,
    )
    assert.deepEqual(
      heard.map(({ key }) => key),
      ['536365', '536381', 'C536477', '536544'],
    )
    assert.ok(heard.every(({ topic }) => topic === 'online-retail'))
    assert.deepEqual(summary, { rows: 4, readBytes: bytes, fileBytes: bytes, outOfOrder: 0 })
    assert.deepEqual(progress.at(-1), { rows: 4, readBytes: bytes, fileBytes: bytes })
    assert.equal(flushes, 1)
    for (const { value } of heard) assert.equal(JSON.stringify(JSON.parse(value)), value)
  }
})

test('progress comes in portions, rows out of order are counted', async () => {
  const many = Array.from({ length: 5_000 }, (_, i) => {
    const minute = i === 4_000 ? 0 : Math.floor(i / 100)
    return `1,2,3,4,2011-01-01T08:${String(minute).padStart(2, '0')}:00,1,,UK`
  })
  const { summary, progress } = await importing([header, ...many].join('\n'))
  assert.equal(summary.outOfOrder, 1)
  assert.deepEqual(
    progress.map((made) => made.rows),
    [2_000, 4_000, 5_000],
  )
})

test('what is wrong with a file is said: missing, empty, other columns, bad CSV, cut gzip', async () => {
  const fails = async (content: string | Uint8Array, message: RegExp): Promise<void> => {
    await assert.rejects(importing(content), (error) => error instanceof ImportError && message.test(error.message))
  }
  const { producer } = listening()
  await assert.rejects(
    importOnlineRetail(nodeWorld(), producer, { path: '/nowhere/at/all.csv', mapping: onlineRetailLines }),
    (error) => error instanceof ImportError && /ENOENT/.test(error.message),
  )
  await fails('', /the file is empty/)
  await fails('a,b\n1,2\n', /no column InvoiceNo, .*its header: a, b/)
  await fails(`${header}\n${rows[0]}\n1,2,3\n`, /no CSV: .*on line 3/)
  await fails(`${header}\n1,2,"never closed\n${rows[0]}`, /no CSV: Quote/)
  const zipped = gzipSync(`${header}\n${rows.join('\n')}\n`)
  await fails(zipped.subarray(0, zipped.length - 20), /damaged or cut short/)
})
