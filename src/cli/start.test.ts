// The servers as processes: `start` and `broker` come up, say where, are found, refuse what they must, and end cleanly.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Running, runCli, startCli } from './run-cli.suite.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-start-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const anyPorts = ['--port', '0', '--kafka-port', '0', '--json', '--no-open']

interface Ready {
  readonly ready: true
  readonly url: string
  readonly kafka: string
}
const readyLine = async (running: Running): Promise<Ready> => JSON.parse(await running.firstLine)

/** A port on loopback that something else listens on. */
async function busyPort(): Promise<{ readonly port: number; close(): void }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return { port: typeof address === 'object' && address !== null ? address.port : 0, close: () => server.close() }
}

describe('a running Millrace', () => {
  const dataDir = join(folder, 'data')
  let running: Running
  let ready: Ready
  before(async () => {
    running = startCli(['start', '--data-dir', dataDir, '--seed', 'test', '--rate', '20', ...anyPorts])
    ready = await readyLine(running)
  })
  after(async () => {
    running.kill('SIGKILL')
    await running.ended
  })

  test('says where it is in one line, and is ready there', async () => {
    assert.equal(ready.ready, true)
    assert.match(ready.url, /^http:\/\/127\.0\.0\.1:\d+$/)
    assert.match(ready.kafka, /^127\.0\.0\.1:\d+$/)
    assert.equal((await fetch(`${ready.url}/readyz`)).status, 200)
  })
  test('kpis finds it by its data directory, and shows figures at once', async () => {
    const { code, stdout, stderr } = await runCli(['kpis', '--data-dir', dataDir, '--json'])
    assert.equal(code, 0, stderr)
    const { current } = JSON.parse(stdout)
    assert.ok(current.sales > 0, 'the first minutes are there before the first second')
    const text = await runCli(['kpis', '--url', ready.url])
    assert.match(text.stdout, /the 15 minutes up to [\s\S]*revenue +[\d,]+\.\d\d BRL/)
  })
  test('every part of the shop is generated, its last minutes too, and what a pipeline reads is counted', async () => {
    const inputs = [
      'orders',
      'marketplace-sales',
      'ecommerce_orders',
      'user-events',
      'transactions',
      'inventory-updates',
    ]
    const started = Date.now()
    let missing: readonly string[] = inputs
    // The page does not wait for these: they come in the first seconds.
    while (missing.length > 0 && Date.now() - started < 60_000) {
      const metrics = await (await fetch(`${ready.url}/metrics`)).text()
      const total = (topic: string): number =>
        Number(new RegExp(`^millrace_events_ingested_total\\{topic="${topic}"\\} (\\d+)`, 'm').exec(metrics)?.[1] ?? 0)
      missing = inputs.filter((topic) => total(topic) === 0)
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    assert.deepEqual(missing, [])
    const { ledger } = await (await fetch(`${ready.url}/api/v1/status`)).json()
    const line = ledger.find(({ topic }: { topic: string }) => topic === 'orders')
    assert.ok(line.in > 0 && line.in === line.processed + line.inFlight, JSON.stringify(line))
  })
  test('kpis --watch goes on until Ctrl-C, and then ends with 130', async () => {
    const watching = startCli(['kpis', '--watch', '--ndjson', '--url', ready.url])
    assert.ok(JSON.parse(await watching.firstLine).windowSeconds > 0)
    watching.kill('SIGINT')
    assert.equal((await watching.ended).code, 130)
  })
  test('a second one on the same data directory is refused with 5', async () => {
    const second = await runCli(['start', '--data-dir', dataDir, ...anyPorts])
    assert.equal(second.code, 5, second.stderr)
    assert.match(second.stderr, /cure/)
    const broker = await runCli(['broker', '--data-dir', dataDir, '--kafka-port', '0'])
    assert.equal(broker.code, 5, broker.stderr)
  })
  test('produce reaches it: generated records, and lines of stdin', async () => {
    const generated = await runCli([
      'produce',
      'sales',
      '--rate',
      '200',
      '--duration',
      '500ms',
      '--data-dir',
      dataDir,
      '--json',
    ])
    assert.equal(generated.code, 0, generated.stderr)
    const { sent, acknowledged } = JSON.parse(generated.stdout)
    assert.ok(sent > 0 && sent === acknowledged, generated.stdout)
    const input =
      '{"order_id":"o1","user_id":"user-1","product_id":"prod-1","amount":10,"timestamp":"2026-01-01T00:00:00Z"}\n\nnot json\n'
    const given = await runCli(['produce', 'orders', '--input', '-', '--brokers', ready.kafka, '--json'], { input })
    assert.equal(given.code, 0, given.stderr)
    assert.equal(JSON.parse(given.stdout).acknowledged, 2)
  })
  test('produce to a topic it does not have names the nearest one', async () => {
    const { code, stderr } = await runCli(['produce', 'order', '--input', '-', '--brokers', ready.kafka], {
      input: '{}\n',
    })
    assert.equal(code, 4, stderr)
    assert.match(stderr, /no topic "order"[\s\S]*orders/)
  })
  test('report run asks it', async () => {
    const { code, stdout, stderr } = await runCli(['report', 'run', 'monthly-revenue', '--data-dir', dataDir, '--json'])
    assert.equal(code, 0, stderr)
    assert.deepEqual(JSON.parse(stdout), [])
  })
  test('doctor sees it, and finds its ports its own', async () => {
    const port = new URL(ready.url).port
    const kafkaPort = ready.kafka.split(':')[1] ?? ''
    const { code, stdout, stderr } = await runCli([
      'doctor',
      '--data-dir',
      dataDir,
      '--port',
      port,
      '--kafka-port',
      kafkaPort,
      '--json',
    ])
    assert.equal(code, 0, stderr + stdout)
    const { checks } = JSON.parse(stdout)
    const found = (name: string): string => checks.find((check: { name: string }) => check.name === name)?.found
    assert.match(found('data directory'), new RegExp(`process id ${running.pid}`))
    assert.match(found(`port ${port}`), /used by the Millrace/)
    assert.match(found(`port ${kafkaPort}`), /used by the Millrace/)
  })
})

describe('ends', () => {
  for (const [signal, code] of [
    ['SIGTERM', 0],
    ['SIGINT', 130],
  ] as const)
    test(`cleanly after ${signal}, exit code ${code}, and goes on where it was`, async () => {
      const dataDir = join(folder, `ends-${signal}`)
      const salesSeen = async (): Promise<number> => {
        const running = startCli(['start', '--data-dir', dataDir, '--no-generate', ...anyPorts])
        const { url, kafka } = await readyLine(running)
        const sale = `{"id_sale":"6f2d7a4e-5a0b-4d0c-9a57-1f0f6a2f1c01","id_product":"p","seller":"s","price":1,"sale_date":"${new Date().toISOString()}"}\n`
        const produced = await runCli(['produce', 'sales', '--input', '-', '--brokers', kafka], { input: sale })
        assert.equal(produced.code, 0, produced.stderr)
        const deadlineMs = Date.now() + 20_000
        let seen = 0
        for (
          const before = seen;
          seen === before && Date.now() < deadlineMs;
          await new Promise((resolve) => setTimeout(resolve, 50))
        ) {
          const status: { ledger: { topic: string; processed: number; inFlight: number }[] } = await (
            await fetch(`${url}/api/v1/status`)
          ).json()
          const line = status.ledger.find(({ topic }) => topic === 'sales')
          seen = line?.inFlight === 0 ? line.processed : 0
        }
        running.kill(signal)
        const ended = await running.ended
        assert.equal(ended.code, code, ended.stderr)
        assert.match(ended.stderr, /stopping/)
        return seen
      }
      assert.equal(await salesSeen(), 1)
      assert.equal(await salesSeen(), 2)
    })
})

describe('refuses', () => {
  test('a busy port, naming the flag that changes it', async () => {
    const busy = await busyPort()
    try {
      const http = await runCli([
        'start',
        '--ephemeral',
        '--no-generate',
        '--port',
        String(busy.port),
        '--kafka-port',
        '0',
      ])
      assert.equal(http.code, 2, http.stderr)
      assert.match(http.stderr, new RegExp(`${busy.port}[\\s\\S]*--port`))
      const kafka = await runCli([
        'start',
        '--ephemeral',
        '--no-generate',
        '--port',
        '0',
        '--kafka-port',
        String(busy.port),
      ])
      assert.equal(kafka.code, 2, kafka.stderr)
      assert.match(kafka.stderr, new RegExp(`${busy.port}[\\s\\S]*--kafka-port`))
      const doctor = await runCli([
        'doctor',
        '--data-dir',
        join(folder, 'none'),
        '--port',
        String(busy.port),
        '--kafka-port',
        '0',
        '--json',
      ])
      assert.equal(doctor.code, 1, doctor.stdout)
      assert.match(doctor.stdout, /another program uses it/)
    } finally {
      busy.close()
    }
  })
  test('an address that others can reach', async () => {
    const { code, stderr } = await runCli(['start', '--ephemeral', '--no-generate', '--host', '0.0.0.0', ...anyPorts])
    assert.equal(code, 5, stderr)
    assert.match(stderr, /--host/)
  })
})

test('the broker alone: one line when ready, reachable, clean end', async () => {
  const running = startCli(['broker', '--ephemeral', '--kafka-port', '0', '--json'])
  const { ready, kafka } = await readyLine(running)
  assert.equal(ready, true)
  const produced = await runCli(['produce', 'sales', '--rate', '100', '--duration', '200ms', '--brokers', kafka])
  assert.equal(produced.code, 0, produced.stderr)
  running.kill('SIGTERM')
  assert.equal((await running.ended).code, 0)
})

test('import into a data directory that nobody holds, then report from it', async () => {
  const dataDir = join(folder, 'imported')
  const csv = join(folder, 'lines.csv')
  const { writeFileSync } = await import('node:fs')
  writeFileSync(
    csv,
    'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n' +
      '536365,85123A,A HOLDER,6,2010-12-01T08:26:00,2.55,17850,United Kingdom\n' +
      'C536379,D,Discount,-1,2010-12-01T09:41:00,27.5,14527,United Kingdom\n' +
      '536381,22139,"A ""QUOTED"", NAME",23,2011-01-02T09:41:00,4.25,15311,United Kingdom\n',
  )
  const imported = await runCli(['import', 'online-retail', csv, '--data-dir', dataDir, '--json'])
  assert.equal(imported.code, 0, imported.stderr)
  assert.equal(JSON.parse(imported.stdout).rows, 3)
  const report = await runCli(['report', 'run', 'monthly-revenue', '--data-dir', dataDir, '--json'])
  assert.equal(report.code, 0, report.stderr)
  assert.deepEqual(JSON.parse(report.stdout), [
    { month: '2010-12', gross: 15.3 },
    { month: '2011-01', gross: 97.75 },
  ])
})
