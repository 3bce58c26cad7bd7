// Runs clients in other languages against a broker: finds what `npm run clients` has prepared, or says why a test is
// skipped, and holds a run to its `ok` lines.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { clientsFolder, goClientIn, messagesIn, pythonIn, streamsIn } from '../../tools/clients.ts'
import { libsIn } from '../../tools/kafka-node.ts'

const runMsMax = 180_000
const prepare = 'is not prepared on this machine: npm run clients'

export const python = pythonIn(clientsFolder)
export const goClient = goClientIn(clientsFolder)
export const kafkaLibs = libsIn(clientsFolder)
/** Kafka's definitions of its messages, from its own jar. */
export const kafkaMessages = join(messagesIn(clientsFolder), 'common', 'message')

/** For a test's `skip`. */
export const withoutPython = existsSync(python) ? false : `Python with its Kafka clients ${prepare}`
export const withoutGo = existsSync(goClient) ? false : `the client in Go ${prepare}`
export const withoutJava =
  existsSync(kafkaLibs) && existsSync(streamsIn(clientsFolder)) ? false : `Java with its Kafka clients ${prepare}`
export const withoutMessages = existsSync(kafkaMessages) ? false : `a folder of Kafka's message definitions ${prepare}`

/** A class of a jar, or a source file that Java runs. */
export function java(...args: readonly string[]): readonly string[] {
  const libs = [join(kafkaLibs, '*'), kafkaLibs, join(streamsIn(clientsFolder), '*')].join(':')
  return ['java', '-Xmx512m', '-Dkafka.loglevel=OFF', '-cp', libs, ...args]
}
export const javaSource = (name: string): string => join(import.meta.dirname, 'java', name)

/** What it printed; fails with all it said if it does not end well. */
export async function stranger(command: readonly string[]): Promise<string> {
  const [file = '', ...args] = command
  const child = spawn(file, args, { timeout: runMsMax, killSignal: 'SIGKILL' })
  let out = ''
  let complaints = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text
  })
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status, signal) => resolve(status ?? signal))
  })
  assert.equal(code, 0, `${command.slice(-4).join(' ')} ended with ${code}\n${out}\n${complaints.slice(-4_000)}`)
  return out
}
/** It must say `ok` of exactly these, in this order. */
export async function saysOk(command: readonly string[], expected: readonly string[]): Promise<void> {
  const lines = (await stranger(command)).split('\n').filter((line) => line.startsWith('ok '))
  assert.deepEqual(
    lines.map((line) => line.slice('ok '.length)),
    expected,
  )
}
