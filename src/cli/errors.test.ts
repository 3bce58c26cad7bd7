// Tests of how things that were thrown become words and exit codes.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FsError, NetError } from '../world/world.ts'
import { CommandError, errorLines, exitCodes, explain, withCauses, withPortFlag } from './errors.ts'

const coded = (code: string, message = code): Error => Object.assign(new Error(message), { code })

describe('exit codes', () => {
  const table: readonly [name: string, thrown: unknown, code: number][] = [
    ['a file that is not there', new FsError('ENOENT', 'open', '/a'), 4],
    ['a file that may not be read', new FsError('EACCES', 'open', '/a'), 5],
    ['a full disk', new FsError('ENOSPC', 'write', '/a'), 70],
    ['a broken disk', new FsError('EIO', 'sync', '/a'), 70],
    ['a busy port', new NetError('EADDRINUSE', 'cannot listen'), 2],
    ['nothing listens', new NetError('ECONNREFUSED', 'cannot connect'), 3],
    ['a cause deep inside', new Error('outer', { cause: new Error('middle', { cause: coded('ETIMEDOUT') }) }), 3],
    ['one of several', new AggregateError([new Error('a'), coded('ECONNREFUSED')], 'all failed'), 3],
    ['a wrapped network error of the Kafka client', new Error('x', { cause: coded('PLT_KFK_NETWORK') }), 3],
    ['a topic that is not there', coded('UNKNOWN_TOPIC_OR_PARTITION'), 4],
    ['an address that may not be used', coded('HOST_REFUSED'), 5],
    ['an error that brings its own', Object.assign(new Error('locked'), { exitCode: 5 }), 5],
    ['an error that names its cure', Object.assign(new Error('x'), { cure: 'do y' }), 1],
    ['a bug', new TypeError('x is not a function'), 70],
    ['no error at all', 'text', 70],
  ]
  for (const [name, thrown, code] of table) test(name, () => assert.equal(explain(thrown).exitCode, code))
})

test('an errno deep inside wins over the wrapping of a library, and keeps the outer words', () => {
  const thrown = new Error('Listing topics failed.', {
    cause: new AggregateError([
      Object.assign(new Error('net'), { code: 'PLT_KFK_NETWORK', cause: coded('ECONNREFUSED') }),
    ]),
  })
  const { exitCode, explanation } = explain(thrown)
  assert.equal(exitCode, exitCodes.unreachable)
  assert.equal(explanation.what, 'Listing topics failed')
  assert.equal(explanation.cause, 'nothing listens there')
})

test('causes are walked once each, rings and crowds included', () => {
  const ring = new Error('a')
  ring.cause = new Error('b', { cause: ring })
  assert.equal(withCauses(ring).length, 2)
  assert.ok(withCauses(new AggregateError(Array.from({ length: 500 }, (_, i) => new Error(String(i))))).length <= 600)
})

test('lines: what first, then only what is known', () => {
  assert.deepEqual(errorLines({ what: 'it failed', value: '7', cure: 'try 8' }), [
    'millrace: it failed',
    '  value  7',
    '  cure   try 8',
  ])
})

test("a busy Kafka port names the broker's flag, any other error stays itself", () => {
  const ports = { host: '127.0.0.1', kafkaPort: 9092 }
  const busy = withPortFlag(new NetError('EADDRINUSE', 'cannot listen on 127.0.0.1:9092: EADDRINUSE'), ports)
  assert.ok(busy instanceof CommandError)
  assert.equal(busy.exitCode, exitCodes.usage)
  assert.match(busy.explanation.cure ?? '', /--kafka-port/)
  const other = new NetError('EADDRINUSE', 'cannot listen on 127.0.0.1:8080')
  assert.equal(withPortFlag(other, ports), other)
})
