// Tests of numbers and durations as people type and read them.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  formatBytes,
  formatDuration,
  formatMinor,
  minorAsNumber,
  parseBrokers,
  parseCount,
  parseDurationMs,
  parseFactor,
  parsePort,
  parseRate,
  parseUrl,
} from './amounts.ts'
import { CommandError, exitCodes } from './errors.ts'

const refused = (error: unknown): boolean => error instanceof CommandError && error.exitCode === exitCodes.usage

describe('what is taken', () => {
  const table: readonly [name: string, seen: unknown, expected: unknown][] = [
    ['60s', parseDurationMs('--d', '60s'), 60_000],
    ['15m', parseDurationMs('--d', '15m'), 900_000],
    ['15min', parseDurationMs('--d', '15min'), 900_000],
    ['1h30m', parseDurationMs('--d', '1h30m'), 5_400_000],
    ['1.5h', parseDurationMs('--d', '1.5h'), 5_400_000],
    ['250ms', parseDurationMs('--d', '250ms'), 250],
    ['a bare number is seconds', parseDurationMs('--d', '90'), 90_000],
    ['50', parseRate('--r', '50'), 50],
    ['0.5', parseRate('--r', '0.5'), 0.5],
    ['10k', parseRate('--r', '10k'), 10_000],
    ['1_000', parseRate('--r', '1_000'), 1_000],
    ['a count', parseCount('--c', '2_000', 2_000), 2_000],
    ['a count of thousands', parseCount('--c', '2k', 2_000), 2_000],
    ['a factor', parseFactor('--f', '0.5'), 0.5],
    ['port 0', parsePort('--p', '0'), 0],
    ['port 65535', parsePort('--p', '65535'), 65_535],
    ['two brokers', parseBrokers('--b', 'a:1, [::1]:9092'), ['a:1', '[::1]:9092']],
    ['a URL', parseUrl('--u', 'http://127.0.0.1:8080/live'), 'http://127.0.0.1:8080'],
  ]
  for (const [name, seen, expected] of table) test(name, () => assert.deepEqual(seen, expected))
})

describe('what is refused, as wrong usage', () => {
  for (const text of ['', 'soon', '0', '0s', '-5s', '5 s', '1h!', '10y', '99999d'])
    test(`duration ${JSON.stringify(text)}`, () => assert.throws(() => parseDurationMs('--d', text), refused))
  for (const text of ['', '0', '-1', 'x', '1e3', '10000001', '11M'])
    test(`rate ${JSON.stringify(text)}`, () => assert.throws(() => parseRate('--r', text), refused))
  for (const text of ['', '0', '-1', '1.5', '2001', 'x'])
    test(`count ${JSON.stringify(text)}`, () => assert.throws(() => parseCount('--c', text, 2_000), refused))
  for (const text of ['', '0', '-1', '30.5', 'x'])
    test(`factor ${JSON.stringify(text)}`, () => assert.throws(() => parseFactor('--f', text), refused))
  for (const text of ['', '-1', '65536', '80a', '8080.5'])
    test(`port ${JSON.stringify(text)}`, () => assert.throws(() => parsePort('--p', text), refused))
  for (const text of ['', 'a', 'a:', 'http://a:1', 'a:1,,b:2'])
    test(`brokers ${JSON.stringify(text)}`, () => assert.throws(() => parseBrokers('--b', text), refused))
  for (const text of ['', 'a:1', 'ftp://a'])
    test(`url ${JSON.stringify(text)}`, () => assert.throws(() => parseUrl('--u', text), refused))
})

describe('what people read', () => {
  const table: readonly [seen: string, expected: string][] = [
    [formatDuration(850), '850 ms'],
    [formatDuration(4_230), '4.2 s'],
    [formatDuration(59_990), '1 min 0 s'],
    [formatDuration(200_000), '3 min 20 s'],
    [formatDuration(7_500_000), '2 h 5 min'],
    [formatBytes(812), '812 B'],
    [formatBytes(4 * 1024 * 1024), '4.0 MiB'],
    [formatMinor(150_949_633, 2), '1,509,496.33'],
    [formatMinor(-5, 2), '-0.05'],
    [formatMinor(0, 2), '0.00'],
    [formatMinor(1_234, 0), '1,234'],
    [formatMinor(1_234_567, 3), '1,234.567'],
  ]
  for (const [seen, expected] of table) test(expected, () => assert.equal(seen, expected))
})

test('minor units become the number that a decimal literal would be', () => {
  for (const [minor, scale, text] of [
    [82_374_614, 2, '823746.14'],
    [1, 3, '0.001'],
    [-30, 2, '-0.3'],
    [900_719_925_474_099, 2, '9007199254740.99'],
  ] as const)
    assert.equal(JSON.stringify(minorAsNumber(minor, scale)), text)
})
