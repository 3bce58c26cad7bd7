// The start of a broker that others can reach: which flags are refused, which are taken, and that no secret is ever printed.
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import kafkajs from 'kafkajs'
import { runCli, startCli } from './run-cli.suite.ts'
import { parseUsers, usersInFileMax } from './users-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-secure-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const certificate = (name: string): string =>
  fileURLToPath(new URL(`../../tests/certificates/${name}`, import.meta.url))
const tls = ['--tls-cert', certificate('server.pem'), '--tls-key', certificate('server.key')]
const canary = 'canary-Tr0ub4dor&3'
const users = join(folder, 'users')
writeFileSync(users, `# who\n\nann:${canary}\nroot:${canary}:root\n`, { mode: 0o600 })
const open = join(folder, 'open-users')
writeFileSync(open, `ann:${canary}\n`)
chmodSync(open, 0o644)
const broken = join(folder, 'broken-users')
writeFileSync(broken, `ann:${canary}\n${canary}\n`, { mode: 0o600 })

const refused: readonly [what: string, flags: readonly string[], code: number, says: RegExp][] = [
  ['another address', ['--host', '0.0.0.0'], 5, /open to anybody[\s\S]*cure .*--sasl/],
  ['another address by --listen', ['--listen', '0.0.0.0:0'], 5, /open to anybody/],
  ['TLS alone does not say who they are', ['--host', '::', ...tls], 5, /open to anybody/],
  ['one of two', ['--listen', '127.0.0.1:0', '--listen', 'PLAINTEXT://0.0.0.0:0', '--sasl'], 5, /open to anybody/],
  ['passwords for all to read', ['--host', '0.0.0.0', '--sasl', 'PLAIN'], 5, /for all to read[\s\S]*cure .*--tls-cert/],
  ['a mechanism that there is not', ['--sasl', 'GSSAPI'], 2, /no such mechanism/],
  ['a certificate without its key', tls.slice(0, 2), 2, /certificate and its key/],
  ['SSL without a certificate', ['--listen', 'SASL_SSL://127.0.0.1:0'], 2, /needs a certificate/],
  ['no address', ['--listen', 'nowhere'], 2, /no address/],
  ['no protocol', ['--listen', 'HTTP://127.0.0.1:0'], 2, /no address/],
  ['a file that is no certificate', ['--tls-cert', users, '--tls-key', users], 2, /TLS certificate or key/],
  ['users who never log in', ['--users', users], 2, /no listener asks for a login/],
  ['users whom others can read', ['--sasl', '--users', open], 5, /can be read by others[\s\S]*chmod 600/],
  ['users who are none', ['--sasl', '--users', broken], 2, /line 2/],
  ['users who are not there', ['--sasl', '--users', `${open}.gone`], 4, /no such file/],
]
for (const [what, flags, code, says] of refused) {
  test(`refused: ${what}`, async () => {
    const data = join(folder, 'never')
    const ended = await runCli(['broker', '--kafka-port', '0', '--data-dir', data, '-v', ...flags])
    assert.equal(ended.code, code, ended.stderr)
    assert.match(ended.stderr, says)
    assert.ok(!`${ended.stdout}${ended.stderr}`.includes(canary))
  })
}

const taken: readonly [what: string, flags: readonly string[]][] = [
  ['loopback as it is', []],
  ['another address with logins by SCRAM', ['--host', '0.0.0.0', '--sasl', '--users', users]],
  ['another address with TLS and logins', ['--host', '0.0.0.0', ...tls, '--sasl', 'PLAIN', '--users', users]],
  [
    'another address with client certificates',
    ['--host', '0.0.0.0', ...tls, '--tls-client-ca', certificate('authority.pem')],
  ],
  ['another address that is meant to be open', ['--host', '0.0.0.0', '--insecure']],
]
for (const [what, flags] of taken) {
  test(`taken: ${what}`, async () => {
    const running = startCli(['broker', '--kafka-port', '0', '--ephemeral', '--json', ...flags])
    const { kafka } = JSON.parse(await running.firstLine)
    assert.match(kafka, /^(127\.0\.0\.1|0\.0\.0\.0):[1-9]/)
    running.kill('SIGTERM')
    assert.equal((await running.ended).code, 0)
  })
}

test('start has the same flags: several listeners, an advertised name, logins; no secret is printed or kept', async () => {
  const dataDir = join(folder, 'data')
  const running = startCli([
    ...['start', '--port', '0', '--no-generate', '--no-open', '--json', '-v', '--data-dir', dataDir],
    ...['--listen', '127.0.0.1:0', '--listen', 'SASL_SSL://127.0.0.1:0'],
    ...['--advertise', 'PLAINTEXT://127.0.0.1:1', '--advertise', 'SASL_SSL://localhost:1'],
    ...[...tls, '--sasl', '--users', users, '--super-user', 'root'],
  ])
  try {
    const { kafka, url } = JSON.parse(await running.firstLine)
    assert.match(kafka, /:[1-9]/)
    for (const path of ['/metrics', '/api/v1/status', '/readyz?verbose']) {
      assert.ok(!(await (await fetch(`${url}${path}`)).text()).includes(canary), path)
    }
  } finally {
    running.kill('SIGTERM')
  }
  const { code, stdout, stderr } = await running.ended
  assert.equal(code, 0, stderr)
  assert.ok(!`${stdout}${stderr}`.includes(canary))
})

test('logins that fail and succeed leave no secret behind: not in the output, not on the disk', async () => {
  const dataDir = join(folder, 'canary')
  const running = startCli(
    [
      ...['broker', '--kafka-port', '0', '--json', '-v', '--data-dir', dataDir],
      ...['--sasl', '--users', users, '--super-user', 'root'],
    ],
    { env: { LOG_LEVEL: 'debug' } },
  )
  const { kafka } = JSON.parse(await running.firstLine)
  const said: string[] = []
  for (const mechanism of ['plain', 'scram-sha-256'] as const) {
    for (const password of [canary, `${canary}x`]) {
      const client = new kafkajs.Kafka({
        brokers: [kafka],
        sasl: { mechanism, username: 'ann', password } as kafkajs.SASLOptions,
        logLevel: kafkajs.logLevel.NOTHING,
        retry: { retries: 0 },
      })
      const admin = client.admin()
      const end = await admin.connect().then(
        () => 'in',
        (error: Error) => error.message,
      )
      said.push(end)
      assert.equal(end === 'in', password === canary, end)
      await admin.disconnect()
    }
  }
  running.kill('SIGTERM')
  const { stdout, stderr } = await running.ended
  assert.match(stderr, /login has failed/)
  assert.ok(![stdout, stderr, ...said].join('').includes('canary-Tr0'), 'a secret was printed')
  const { readdirSync } = await import('node:fs')
  for (const name of readdirSync(dataDir, { recursive: true, encoding: 'utf8' })) {
    const path = join(dataDir, name)
    try {
      assert.ok(!readFileSync(path).includes('canary-Tr0'), `${path} holds a secret`)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EISDIR') throw error
    }
  }
})

test('a file of users: comments, colons in passwords, twice the same, too many', () => {
  assert.deepEqual(parseUsers('#x\n\nann: a:b \r\nbob:c', 'f'), [
    { user: 'ann', password: ' a:b ' },
    { user: 'bob', password: 'c' },
  ])
  for (const text of ['ann', ':x', 'ann:', 'ann:1\nann:2', `${'x'.repeat(256)}:1`])
    assert.throws(() => parseUsers(text, 'f'), text)
  const many = (count: number) => Array.from({ length: count }, (_, i) => `u${i}:p`).join('\n')
  assert.equal(parseUsers(many(usersInFileMax), 'f').length, usersInFileMax)
  assert.throws(() => parseUsers(many(usersInFileMax + 1), 'f'), /users at most/)
})
