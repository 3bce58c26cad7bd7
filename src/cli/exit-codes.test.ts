// How the real command line ends: exit codes, what goes to stdout and what to stderr, suggestions after typos.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { main, runCli, startCli } from './run-cli.suite.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
after(() => rmSync(folder, { recursive: true }))
const sale = (over: Record<string, unknown> = {}): string =>
  JSON.stringify({
    id_sale: '6f2d7a4e-5a0b-4d0c-9a57-1f0f6a2f1c01',
    id_product: 'p1',
    seller: 'A',
    price: 10.5,
    sale_date: '2026-01-01T00:00:00.5Z',
    ...over,
  })
writeFileSync(join(folder, 'sales.ndjson'), `${sale()}\n${sale({ price: 4.5, seller: 'B' })}\n`)
writeFileSync(join(folder, 'bad.ndjson'), `${sale()}\nnot json\n${sale({ price: 'much' })}\n`)

describe('wrong command lines', { concurrency: 2 }, () => {
  const table: readonly [line: string, code: number, words: RegExp][] = [
    ['strat', 4, /no command "strat"[\s\S]*did you mean `millrace start`\?/],
    ['fly', 4, /no command "fly"[\s\S]*--help/],
    ['report rn x', 4, /no command "rn"[\s\S]*run/],
    ['report', 2, /needs one of its commands/],
    ['start --prot 1', 2, /unknown option '--prot'[\s\S]*--port/],
    ['start --port 70000', 2, /--port[\s\S]*70000[\s\S]*0 to 65535/],
    ['start --port x', 2, /--port/],
    ['start --rate 0', 2, /--rate/],
    ['start --durability hope', 2, /power, process/],
    ['start --ephemeral --data-dir x', 2, /contradict/],
    ['start now', 2, /too many arguments/],
    ['run', 2, /missing required argument|--input/],
    ['run sales-window', 2, /--input/],
    [
      'run sales-windw --input sales.ndjson',
      4,
      /no pipeline "sales-windw"[\s\S]*did you mean `millrace run sales-window`\?/,
    ],
    ['run sales-window --input sale.ndjson', 4, /no input "sale\.ndjson"[\s\S]*did you mean "sales\.ndjson"\?/],
    ['run sales-window --input sales.ndjson --output nowhere/rows', 4, /folder for the output/],
    ['run sales-window --input sales.ndjson --output .', 2, /output is a folder/],
    ['explain sales_window', 4, /did you mean `millrace explain sales-window`\?/],
    ['report run monthly-revnue', 4, /no report "monthly-revnue"[\s\S]*monthly-revenue/],
    ['import online-retial x.csv', 4, /no data set[\s\S]*did you mean `millrace import online-retail`\?/],
    ['import online-retail x.csv', 4, /no file "x\.csv"/],
    ['produce salse', 4, /no generator[\s\S]*did you mean `millrace produce sales`\?/],
    ['produce sales --duration soon', 2, /--duration[\s\S]*60s/],
    ['produce sales --brokers nowhere', 2, /--brokers[\s\S]*127\.0\.0\.1:9092/],
    ['produce sales --input sales.ndjson --seed a', 2, /--input goes without/],
    ['kpis --url nonsense', 2, /--url/],
  ]
  for (const [line, code, words] of table) {
    test(`millrace ${line} → ${code}`, async () => {
      const ended = await runCli(line.split(' '), { cwd: folder })
      assert.equal(ended.code, code, ended.stderr)
      assert.match(ended.stderr, words)
      assert.equal(ended.stdout, '')
      assert.ok(!ended.stderr.includes('\u001b'), 'no colours without a terminal')
      assert.ok(!/\n\s+at /.test(ended.stderr), 'no stack for a mistake of the user')
    })
  }

  test('with --json the error is one JSON document on stderr', async () => {
    const { code, stderr } = await runCli(['explain', 'nothing-like-it', '--json'])
    assert.equal(code, 4)
    const { error } = JSON.parse(stderr)
    assert.equal(error.exitCode, 4)
    assert.equal(error.value, 'nothing-like-it')
  })
})

describe('commands that need no broker', () => {
  test('version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    assert.match(
      (await runCli(['version'])).stdout,
      new RegExp(`^millrace ${version.replaceAll('.', '\\.')} \\(Node 2\\d`),
    )
    assert.equal((await runCli(['--version'])).stdout, `${version}\n`)
    assert.equal(JSON.parse((await runCli(['version', '--json'])).stdout).millrace, version)
  })
  test('pipelines ls: names to stdout, the next step to stderr', async () => {
    const { code, stdout, stderr } = await runCli(['pipelines', 'ls', '--plain'])
    assert.equal(code, 0)
    assert.ok(stdout.split('\n').some((line) => line.startsWith('sales-window\tsales\t')))
    assert.match(stderr, /Next: millrace explain/)
    assert.equal((await runCli(['pipelines', 'ls', '-q'])).stderr, '')
  })
  test('explain: every form for people, as fields with --json, one with --form', async () => {
    const all = (await runCli(['explain', 'sales-window'])).stdout
    assert.match(all, /^plan sales-window/)
    for (const part of ['\n-- graph\n', '-> window-aggregate #', 'HOP(TABLE `sales-window-step-1`', 'FROM read_json('])
      assert.ok(all.includes(part), part)
    const whole = JSON.parse((await runCli(['explain', 'sales-window', '--json'])).stdout)
    assert.deepEqual(Object.keys(whole), ['name', 'plan', 'graph', 'flink', 'duckdb'])
    assert.equal(whole.plan.name, 'sales-window')
    assert.match(whole.flink.insert, /^INSERT INTO/)
    const [duckdb, plan, flink] = await Promise.all(
      ['duckdb', 'plan', 'flink'].map((form) => runCli(['explain', 'sales-window', '--form', form])),
    )
    assert.equal(duckdb?.stdout, `${whole.duckdb};\n`)
    assert.ok(all.startsWith(plan?.stdout.trimEnd() ?? '?') && all.includes(flink?.stdout ?? '?'))
    const one = JSON.parse((await runCli(['explain', 'sales-window', '--form', 'duckdb', '--ndjson'])).stdout)
    assert.deepEqual(one, { name: 'sales-window', duckdb: whole.duckdb })
    assert.equal((await runCli(['explain', 'sales-window', '--form', 'spark'])).code, 2)
  })
})

describe('run', () => {
  const summaryOf = (stderr: string): { read: number; rejected: number; rows: number; seconds: number } =>
    JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '')

  test('rows to stdout, the summary as the last line of stderr', async () => {
    const { code, stdout, stderr } = await runCli(['run', 'sales-window', '--input', 'sales.ndjson'], { cwd: folder })
    assert.equal(code, 0, stderr)
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.equal(rows.length, 900)
    assert.deepEqual(
      [
        rows[0].window_end,
        rows[0].sales,
        rows[0].revenue,
        rows[0].avg_ticket,
        rows[0].active_sellers,
        rows[0].biggest_sale,
      ],
      ['2026-01-01T00:00:01Z', 2, 15, 7.5, 2, 10.5],
    )
    const { seconds, ...counts } = summaryOf(stderr)
    assert.deepEqual(counts, { read: 2, rejected: 0, rows: 900 })
    assert.equal(typeof seconds, 'number')
  })
  test('the same from stdin, and from a folder', async () => {
    const expected = (await runCli(['run', 'sales-window', '--input', 'sales.ndjson'], { cwd: folder })).stdout
    const input = readFileSync(join(folder, 'sales.ndjson'), 'utf8')
    assert.equal((await runCli(['run', 'sales-window', '--input', '-'], { input })).stdout, expected)
    const inner = mkdtempSync(join(folder, 'inputs-'))
    const [first = '', second = ''] = input.split('\n')
    writeFileSync(join(inner, 'b.ndjson'), second)
    writeFileSync(join(inner, 'a.ndjson'), first)
    writeFileSync(join(inner, 'c.txt'), 'not read')
    assert.equal((await runCli(['run', 'sales-window', '--input', inner])).stdout, expected)
  })
  test('a bad line is named by line, field and reason, and does not stop the run; --strict makes it 1', async () => {
    const relaxed = await runCli(['run', 'sales-window', '--input', 'bad.ndjson'], { cwd: folder })
    assert.equal(relaxed.code, 0, relaxed.stderr)
    assert.match(relaxed.stderr, /rejected bad\.ndjson line 2: /)
    assert.match(relaxed.stderr, /rejected bad\.ndjson line 3: .*price/)
    assert.equal(summaryOf(relaxed.stderr).rejected, 2)
    const strict = await runCli(['run', 'sales-window', '--input', 'bad.ndjson', '--strict'], { cwd: folder })
    assert.equal(strict.code, 1)
    assert.equal(strict.stdout, relaxed.stdout)
  })
  test('the first 100 rejects are named, all are counted', async () => {
    const { stderr, code } = await runCli(['run', 'sales-window', '--input', '-', '-q'], { input: 'x\n'.repeat(150) })
    assert.equal(code, 0)
    assert.equal(stderr.match(/^rejected /gm)?.length, 100)
    assert.match(stderr, /50 more rejects/)
    assert.equal(summaryOf(stderr).rejected, 150)
  })
  test('control characters of the input do not reach the terminal', async () => {
    const { stderr } = await runCli(['run', 'sales-window', '--input', '-'], {
      input: `${sale({ price: '\u001b[31mred' })}\n{"\u001b]0;x\u0007": 1}\n`,
    })
    assert.ok(!stderr.includes('\u001b') && !stderr.includes('\u0007'), JSON.stringify(stderr))
  })
  test('a reader that goes away early is no error', () => {
    // 900 rows are more than a pipe holds: the writer meets the closed end.
    const script = '{ "$1" "$2" run sales-window --input "$3"; echo "ended with $?" >&2; } | head -n 1'
    const { stdout, stderr } = spawnSync(
      'sh',
      ['-c', script, 'sh', process.execPath, main, join(folder, 'sales.ndjson')],
      {
        encoding: 'utf8',
      },
    )
    assert.equal(stdout.trimEnd().split('\n').length, 1)
    assert.match(stderr, /ended with 0\n$/)
    assert.ok(!stderr.includes('EPIPE'), stderr)
  })

  describe('an output file', () => {
    const inner = mkdtempSync(join(folder, 'outputs-'))
    const output = join(inner, 'rows.ndjson')
    const leftOvers = (): string[] => readdirSync(inner).filter((name) => name.includes('.tmp'))

    test('is replaced as a whole, behind a link too, and keeps its mode', async () => {
      const link = join(inner, 'link.ndjson')
      writeFileSync(output, 'before', { mode: 0o640 })
      symlinkSync(output, link)
      const done = await runCli(['run', 'sales-window', '--input', 'sales.ndjson', '--output', link], { cwd: folder })
      assert.equal(done.code, 0, done.stderr)
      assert.equal(done.stdout, '')
      assert.equal(readFileSync(output, 'utf8').trimEnd().split('\n').length, 900)
      assert.equal(statSync(output).mode & 0o777, 0o640)
      assert.deepEqual(leftOvers(), [])
    })
    test('stays as it was when the run fails', async () => {
      writeFileSync(output, 'before')
      const broken = mkdtempSync(join(folder, 'broken-'))
      mkdirSync(join(broken, 'a.ndjson'))
      const failed = await runCli(['run', 'sales-window', '--input', broken, '--output', output])
      assert.equal(failed.code, 2, failed.stderr)
      assert.match(failed.stderr, /a\.ndjson/)
      assert.equal(readFileSync(output, 'utf8'), 'before')
      assert.deepEqual(leftOvers(), [])
    })
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const)
      test(`stays as it was after ${signal}, exit code ${code}`, async () => {
        writeFileSync(output, 'before')
        const running = startCli(['run', 'sales-window', '--input', '-', '--output', output], { silentInput: true })
        while (leftOvers().length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
        running.kill(signal)
        const ended = await running.ended
        assert.equal(ended.code, code, ended.stderr)
        assert.equal(readFileSync(output, 'utf8'), 'before')
        assert.deepEqual(leftOvers(), [])
      })
  })
})

describe('nothing runs', () => {
  for (const line of ['kpis', 'report run monthly-revenue', 'kpis --url http://127.0.0.1:9'])
    test(`millrace ${line} → 3`, async () => {
      const { code, stderr } = await runCli(line.split(' '), { cwd: folder })
      assert.equal(code, 3, stderr)
      assert.match(stderr, /cure/)
    })
  test('produce to a broker that is not there → 3', async () => {
    const { code, stderr } = await runCli(['produce', 'sales', '--brokers', '127.0.0.1:9', '--duration', '1s'])
    assert.equal(code, 3, stderr)
    assert.match(stderr, /no Kafka broker answers[\s\S]*127\.0\.0\.1:9/)
  })
})
